package io.nucleusmem.store;

import java.time.Instant;

/**
 * The store's timestamps: milliseconds since 1970 in the upper 46 bits, a counter in the lower 18.
 */
public final class Timestamps {
  /** Bits of the counter inside of one millisecond. */
  public static final int COUNTER_BITS = 18;

  private static final long COUNTER_MASK = (1L << COUNTER_BITS) - 1;

  private Timestamps() {}

  /** The first timestamp of a millisecond. */
  public static long firstOf(long epochMillis) {
    return epochMillis << COUNTER_BITS;
  }

  /** The last timestamp of a millisecond: an instant given in milliseconds includes all of it. */
  public static long lastOf(long epochMillis) {
    return firstOf(epochMillis) | COUNTER_MASK;
  }

  /** Milliseconds since 1970. */
  public static long millis(long timestamp) {
    return timestamp >>> COUNTER_BITS;
  }

  /** Place inside of its millisecond. */
  public static long counter(long timestamp) {
    return timestamp & COUNTER_MASK;
  }

  /** The millisecond as an instant. */
  public static Instant instant(long timestamp) {
    return Instant.ofEpochMilli(millis(timestamp));
  }
}
