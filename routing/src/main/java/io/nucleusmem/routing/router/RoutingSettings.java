package io.nucleusmem.routing.router;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The block {@code nucleusmem.routing}, checked; what each key means stands in {@code
 * reference.conf}.
 */
record RoutingSettings(
    boolean enabled,
    String routesSpace,
    String decisionsSpace,
    String fallbackSpace,
    String fallbackTopic,
    String router,
    int queueMax,
    int workers,
    Duration decisionTimeout,
    Duration deliveryTimeout,
    int textCharsMax,
    int routesMax,
    int examplesMax,
    int targetsMax,
    double targetScoreMin,
    double targetScoreGap,
    double stickyMargin,
    Duration conversationTtl,
    Duration conversationSweepInterval,
    Duration instancesTtl,
    int hopsMax,
    int hooksMax,
    int hookBatch) {
  static final String PATH = "nucleusmem.routing";

  RoutingSettings {
    name("routes-space", routesSpace);
    name("decisions-space", decisionsSpace);
    name("fallback.space", fallbackSpace);
    name("fallback.topic", fallbackTopic);
    if (routesSpace.equals(decisionsSpace)) {
      throw new IllegalArgumentException(
          "%s.routes-space and %s.decisions-space are both [%s]; they must differ"
              .formatted(PATH, PATH, routesSpace));
    }
    within("queue-max", queueMax, 1, 100_000);
    within("workers", workers, 1, 64);
    positive("decision-timeout", decisionTimeout);
    positive("delivery-timeout", deliveryTimeout);
    within("text-chars-max", textCharsMax, 100, 100_000);
    within("routes-max", routesMax, 1, 10_000);
    within("examples-max", examplesMax, 1, 10_000);
    within("targets-max", targetsMax, 1, 8);
    share("target-score-min", targetScoreMin);
    share("target-score-gap", targetScoreGap);
    share("sticky-margin", stickyMargin);
    positive("conversation-ttl", conversationTtl);
    positive("conversation-sweep-interval", conversationSweepInterval);
    positive("instances-ttl", instancesTtl);
    within("hops-max", hopsMax, 1, 100);
    within("hooks-max", hooksMax, 1, 1_000);
    within("hook-batch", hookBatch, 1, 1_000);
  }

  /** Reads and checks the block. */
  static RoutingSettings from(Config root) {
    Config config = root.getConfig(PATH);
    return new RoutingSettings(
        config.getBoolean("enabled"),
        config.getString("routes-space"),
        config.getString("decisions-space"),
        config.getString("fallback.space"),
        config.getString("fallback.topic"),
        config.getString("router"),
        config.getInt("queue-max"),
        config.getInt("workers"),
        config.getDuration("decision-timeout"),
        config.getDuration("delivery-timeout"),
        config.getInt("text-chars-max"),
        config.getInt("routes-max"),
        config.getInt("examples-max"),
        config.getInt("targets-max"),
        config.getDouble("target-score-min"),
        config.getDouble("target-score-gap"),
        config.getDouble("sticky-margin"),
        config.getDuration("conversation-ttl"),
        config.getDuration("conversation-sweep-interval"),
        config.getDuration("instances-ttl"),
        config.getInt("hops-max"),
        config.getInt("hooks-max"),
        config.getInt("hook-batch"));
  }

  private static void name(String key, String name) {
    if (!Names.isName(name)) {
      throw new IllegalArgumentException(
          "%s.%s is [%s]; it must be %s".formatted(PATH, key, name, Names.ACCEPTED));
    }
  }

  private static void within(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s.%s is [%d]; it must be %d to %d".formatted(PATH, key, value, min, max));
    }
  }

  private static void share(String key, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(
          "%s.%s is [%s]; it must be 0 to 1".formatted(PATH, key, value));
    }
  }

  private static void positive(String key, Duration value) {
    if (value.isNegative() || value.isZero()) {
      throw new IllegalArgumentException(
          "%s.%s is [%s]; it must be longer than 0s".formatted(PATH, key, value));
    }
  }
}
