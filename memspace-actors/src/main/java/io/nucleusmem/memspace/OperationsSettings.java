package io.nucleusmem.memspace;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The block {@code nucleusmem.operations}.
 *
 * @param keep how long finished operations are kept
 * @param lease after so long without a word of its node, an operation is taken over
 * @param runningMax operations that one node runs at once
 */
record OperationsSettings(Duration keep, Duration lease, int runningMax) {
  private static final String PATH = "nucleusmem.operations";
  private static final Duration LEASE_MIN = Duration.ofSeconds(2);

  OperationsSettings {
    if (keep.isNegative() || keep.isZero()) {
      throw new IllegalArgumentException(
          "%s.keep is [%s]; it must be longer than 0".formatted(PATH, keep));
    }
    if (lease.compareTo(LEASE_MIN) < 0) {
      throw new IllegalArgumentException(
          "%s.lease is [%s]; it must be at least [%s]".formatted(PATH, lease, LEASE_MIN));
    }
    if (runningMax < 1 || runningMax > 10_000) {
      throw new IllegalArgumentException(
          "%s.running-max is [%d]; it must be 1 to 10000".formatted(PATH, runningMax));
    }
  }

  static OperationsSettings from(Config root) {
    Config config = root.getConfig(PATH);
    return new OperationsSettings(
        config.getDuration("keep"), config.getDuration("lease"), config.getInt("running-max"));
  }
}
