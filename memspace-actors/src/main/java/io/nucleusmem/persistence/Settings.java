package io.nucleusmem.persistence;

import java.time.Duration;

/** Checks bounds; the error names the full path, the value and the bounds. */
final class Settings {
  private Settings() {}

  static void check(String path, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s is [%d]; it must be %d to %d".formatted(path, value, min, max));
    }
  }

  static void check(String path, Duration value, Duration min) {
    if (value.compareTo(min) < 0) {
      throw new IllegalArgumentException(
          "%s is [%s]; it must be at least %s".formatted(path, value, min));
    }
  }
}
