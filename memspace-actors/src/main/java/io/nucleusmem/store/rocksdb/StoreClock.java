package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * The store's clock: the wall clock, made unique and never going back, also over restarts.
 *
 * <p>No timestamp passes a high-water mark that is on disk already; the mark is written ahead while
 * the clock is used. After a crash the clock goes on from the mark, so it may then be ahead of the
 * wall clock by as much as the mark was, for as long.
 */
final class StoreClock implements AutoCloseable {
  private final AtomicLong last;
  private final long aheadMillis;
  private final LongConsumer writeMark;
  private final ScheduledExecutorService writer;
  private volatile long mark; // milliseconds; on disk
  private volatile long writtenFor; // newest timestamp when the mark was written

  /**
   * @param stored the mark found on disk in milliseconds, 0 if none
   * @param writeMark writes a mark durably; may block
   */
  StoreClock(long stored, Duration ahead, LongConsumer writeMark) {
    this.last = new AtomicLong(Timestamps.firstOf(stored));
    this.aheadMillis = ahead.toMillis();
    this.writeMark = writeMark;
    this.writer =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "nucleusmem-store-clock");
              thread.setDaemon(true);
              return thread;
            });
    mark = stored;
    advance();
    long every = Math.max(1, aheadMillis / 4);
    writer.scheduleWithFixedDelay(this::advanceIfUsed, every, every, TimeUnit.MILLISECONDS);
  }

  CompletionStage<Long> now() {
    while (true) {
      long before = last.get();
      long next = Math.max(before + 1, Timestamps.firstOf(System.currentTimeMillis()));
      if (Timestamps.millis(next) >= mark) {
        return afterAdvance(); // idle for a while, or the wall clock jumped
      }
      if (last.compareAndSet(before, next)) {
        return CompletableFuture.completedFuture(next);
      }
    }
  }

  private CompletionStage<Long> afterAdvance() {
    try {
      return CompletableFuture.runAsync(this::advance, writer).thenCompose(done -> now());
    } catch (java.util.concurrent.RejectedExecutionException e) {
      return CompletableFuture.failedFuture(new StoreException("the store is closed", e));
    }
  }

  private void advanceIfUsed() {
    if (last.get() != writtenFor) {
      advance();
    }
  }

  private void advance() {
    long newest = last.get();
    long target = Math.max(Timestamps.millis(newest), System.currentTimeMillis()) + aheadMillis;
    if (target > mark) {
      writeMark.accept(target);
      mark = target;
    }
    writtenFor = newest;
  }

  /**
   * Writes the exact time, so that a store closed in order does not run ahead when it is opened
   * again.
   */
  @Override
  public void close() {
    writer.shutdown();
    try {
      writer.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    mark = 0; // nothing is handed out any more
    writeMark.accept(Timestamps.millis(last.get()) + 1);
  }
}
