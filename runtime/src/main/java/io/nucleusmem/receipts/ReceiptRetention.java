package io.nucleusmem.receipts;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.Optional;

/**
 * The block {@code nucleusmem.receipts.retention}.
 *
 * @param maxAge receipts that are older go; empty: none for that
 * @param maxBytes of the logs of all nodes; beyond, the oldest go; empty: none for that
 * @param interval how often it is looked at
 * @param rowsPerSecond rows that are removed in a second
 */
record ReceiptRetention(
    Optional<Duration> maxAge, Optional<Long> maxBytes, Duration interval, long rowsPerSecond) {
  private static final String PATH = "nucleusmem.receipts.retention";
  private static final String OFF = "off";
  private static final Duration AGE_MIN = Duration.ofMinutes(1); // what is newer is being written
  private static final long BYTES_MIN = 1 << 20;
  private static final long ROWS_MIN = 100;

  ReceiptRetention {
    maxAge.ifPresent(
        age -> require("max-age", age, age.compareTo(AGE_MIN) >= 0, "off, or 1m or more"));
    maxBytes.ifPresent(
        bytes -> require("max-bytes", bytes, bytes >= BYTES_MIN, "off, or 1 MiB or more"));
    require("interval", interval, interval.compareTo(Duration.ofMillis(1)) >= 0, "1ms or more");
    require("rows-per-second", rowsPerSecond, rowsPerSecond >= ROWS_MIN, "100 or more");
  }

  static ReceiptRetention from(Config root) {
    Config config = root.getConfig(PATH);
    return new ReceiptRetention(
        isOff(config, "max-age") ? Optional.empty() : Optional.of(config.getDuration("max-age")),
        isOff(config, "max-bytes") ? Optional.empty() : Optional.of(config.getBytes("max-bytes")),
        config.getDuration("interval"),
        config.getLong("rows-per-second"));
  }

  private static boolean isOff(Config config, String key) {
    return config.getString(key).equals(OFF);
  }

  boolean keepsAll() {
    return maxAge.isEmpty() && maxBytes.isEmpty();
  }

  private static void require(String key, Object found, boolean holds, String accepted) {
    if (!holds) {
      throw new IllegalArgumentException(
          "%s.%s is [%s]; it must be %s".formatted(PATH, key, found, accepted));
    }
  }
}
