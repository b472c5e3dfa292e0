package io.nucleusmem.memspace;

import com.typesafe.config.Config;
import io.nucleusmem.ledger.Base;
import java.time.Duration;

/**
 * The block {@code nucleusmem.forks}.
 *
 * @param interval how often forks and what pins them are looked at
 * @param flattenOver a fork that stands on more ledgers than this gets copies of its own
 */
record ForkSettings(Duration interval, int flattenOver) {
  private static final String PATH = "nucleusmem.forks";

  ForkSettings {
    if (interval.isNegative() || interval.isZero()) {
      throw new IllegalArgumentException(
          "%s.interval is [%s]; it must be longer than 0".formatted(PATH, interval));
    }
    if (flattenOver < 0 || flattenOver > Base.LAYERS_MAX) {
      throw new IllegalArgumentException(
          "%s.flatten-over is [%d]; it must be 0 to %d"
              .formatted(PATH, flattenOver, Base.LAYERS_MAX));
    }
  }

  static ForkSettings from(Config root) {
    Config config = root.getConfig(PATH);
    return new ForkSettings(config.getDuration("interval"), config.getInt("flatten-over"));
  }
}
