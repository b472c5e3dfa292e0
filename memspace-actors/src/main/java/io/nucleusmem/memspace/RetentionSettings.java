package io.nucleusmem.memspace;

import com.typesafe.config.Config;
import io.nucleusmem.ledger.Pace;
import java.time.Duration;

/**
 * The block {@code nucleusmem.retention}.
 *
 * @param rowsPerSecond rows that compactions and erasures of one node touch in a second, together
 * @param interval how often spaces with a policy are looked at; empty policies cost nothing
 */
record RetentionSettings(long rowsPerSecond, Duration interval) {
  private static final String PATH = "nucleusmem.retention";
  private static final long ROWS_MIN = 100;

  RetentionSettings {
    if (rowsPerSecond < ROWS_MIN) {
      throw new IllegalArgumentException(
          "%s.rows-per-second is [%d]; it must be at least [%d]"
              .formatted(PATH, rowsPerSecond, ROWS_MIN));
    }
    if (interval.isNegative() || interval.isZero()) {
      throw new IllegalArgumentException(
          "%s.interval is [%s]; it must be longer than 0".formatted(PATH, interval));
    }
  }

  static RetentionSettings from(Config root) {
    Config config = root.getConfig(PATH);
    return new RetentionSettings(config.getLong("rows-per-second"), config.getDuration("interval"));
  }

  Pace pace() {
    return new Pace(rowsPerSecond);
  }
}
