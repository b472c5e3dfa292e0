package io.nucleusmem.agent;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The block {@code nucleusmem.agents}.
 *
 * @param space the space that holds the directory of agents and their inboxes
 * @param backoffMin pause before the first restart after a crash; doubles up to backoffMax
 * @param poisonDeliveriesMax crashes on one message after which it goes to the dead letters
 * @param cursorSaveInterval cursors are saved at most this often …
 * @param cursorSaveSignals … or after so many signals
 * @param unfinishedMax messages that may have been handled behind one whose work goes on …
 * @param unfinishedTimeMax … and how long that may take, before the cursor goes on without it
 * @param callTimeout how long a call on an agent may take
 * @param attemptTimeout how long one try of it waits for an answer before the next
 * @param blockingMax blocking calls of this node under way and waiting; one more is refused
 * @param scaleMax most instances of one type
 */
public record AgentSettings(
    String space,
    Duration backoffMin,
    Duration backoffMax,
    int poisonDeliveriesMax,
    Duration cursorSaveInterval,
    int cursorSaveSignals,
    int unfinishedMax,
    Duration unfinishedTimeMax,
    Duration callTimeout,
    Duration attemptTimeout,
    int blockingMax,
    int scaleMax) {
  private static final String PATH = "nucleusmem.agents";

  public AgentSettings {
    positive("restart-backoff-min", backoffMin.toMillis());
    positive("restart-backoff-max", backoffMax.toMillis());
    positive("poison-deliveries-max", poisonDeliveriesMax);
    positive("cursor-save-interval", cursorSaveInterval.toMillis());
    positive("cursor-save-signals", cursorSaveSignals);
    positive("unfinished-max", unfinishedMax);
    positive("unfinished-time-max", unfinishedTimeMax.toMillis());
    positive("call-timeout", callTimeout.toMillis());
    positive("attempt-timeout", attemptTimeout.toMillis());
    if (attemptTimeout.compareTo(callTimeout) >= 0) {
      throw new IllegalArgumentException(
          "%s.attempt-timeout is [%s]; it must be shorter than call-timeout, [%s]"
              .formatted(PATH, attemptTimeout, callTimeout));
    }
    positive("blocking-max", blockingMax);
    positive("scale-max", scaleMax);
  }

  /** The pause before a restart: doubles with each crash in a row, up to backoffMax. */
  Duration backoff(int crashesBefore) {
    Duration pause = backoffMin;
    for (int i = 0; i < crashesBefore && pause.compareTo(backoffMax) < 0; i++) {
      pause = pause.multipliedBy(2);
    }
    return pause.compareTo(backoffMax) < 0 ? pause : backoffMax;
  }

  /** Reads and checks the block. */
  public static AgentSettings from(Config root) {
    Config config = root.getConfig(PATH);
    return new AgentSettings(
        config.getString("space"),
        config.getDuration("restart-backoff-min"),
        config.getDuration("restart-backoff-max"),
        config.getInt("poison-deliveries-max"),
        config.getDuration("cursor-save-interval"),
        config.getInt("cursor-save-signals"),
        config.getInt("unfinished-max"),
        config.getDuration("unfinished-time-max"),
        config.getDuration("call-timeout"),
        config.getDuration("attempt-timeout"),
        config.getInt("blocking-max"),
        config.getInt("scale-max"));
  }

  private static void positive(String key, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(
          "%s.%s is [%d]; it must be at least 1".formatted(PATH, key, value));
    }
  }
}
