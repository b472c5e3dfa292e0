package io.nucleusmem.store.tikv.server;

import java.time.Duration;
import java.util.function.LongSupplier;

/** PD's clock: never goes back, and a test can put it forward. */
final class TimestampOracle {
  private final LongSupplier clock;
  private long aheadMillis;
  private long physical;
  private long logical;

  /**
   * @param clock in milliseconds since 1970
   */
  TimestampOracle(LongSupplier clock) {
    this.clock = clock;
  }

  /** Hands out a run of timestamps. Answers the last of them. */
  synchronized long next(int count) {
    long now = clock.getAsLong() + aheadMillis;
    if (now > physical) {
      physical = now;
      logical = 0;
    }
    logical += count;
    if (logical >= 1L << Ts.LOGICAL_BITS) {
      physical++;
      logical = count;
    }
    return (physical << Ts.LOGICAL_BITS) + logical;
  }

  synchronized void advance(Duration duration) {
    aheadMillis += duration.toMillis();
  }
}
