package io.nucleusmem.ledger;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;

/**
 * The speed of background work on a store, for all of it that shares one pace: so many rows a
 * second, looked at or written. Safe for many threads.
 */
public final class Pace {
  /** As fast as it goes, on the thread that asks: for little work, and for simulated time. */
  public static final Pace UNBOUND = new Pace(Long.MAX_VALUE);

  private static final long NANOS = 1_000_000_000L;
  private static final long AHEAD_NANOS = 50_000_000L; // shorter pauses are not worth a timer

  private final long rowsPerSecond;
  private long free; // System.nanoTime when the next row may be touched; guarded by this

  /** A pace of at least one row a second. */
  public Pace(long rowsPerSecond) {
    if (rowsPerSecond < 1) {
      throw new IllegalArgumentException(
          "rows per second is [%d]; it must be 1 or more".formatted(rowsPerSecond));
    }
    this.rowsPerSecond = rowsPerSecond;
    this.free = System.nanoTime();
  }

  /** Completes when work may go on behind these rows; on another thread, if the pace is bound. */
  public CompletionStage<Void> after(long rows) {
    if (this == UNBOUND) {
      return CompletableFuture.completedStage(null);
    }
    long wait = take(rows);
    Executor next =
        wait > AHEAD_NANOS
            ? CompletableFuture.delayedExecutor(wait, TimeUnit.NANOSECONDS)
            : ForkJoinPool.commonPool();
    return CompletableFuture.runAsync(() -> {}, next);
  }

  private synchronized long take(long rows) {
    long now = System.nanoTime();
    free = Math.max(free, now) + rows * NANOS / rowsPerSecond;
    return free - now;
  }
}
