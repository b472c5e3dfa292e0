package io.nucleusmem.store.tikv;

import java.time.Duration;

/** Until when a call may go on, with all its retries. */
record Deadline(long nanos, Duration allowed) {
  static Deadline in(Duration allowed) {
    return new Deadline(System.nanoTime() + allowed.toNanos(), allowed);
  }

  /** Milliseconds left; not negative. */
  long left() {
    return Math.max(0, (nanos - System.nanoTime()) / 1_000_000);
  }

  boolean hasPassed() {
    return nanos - System.nanoTime() <= 0;
  }
}
