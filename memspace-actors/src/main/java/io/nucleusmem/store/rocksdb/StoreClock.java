package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.Timestamps;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * The wall clock, made unique and never going back, also over restarts.
 *
 * <p>A bound is written down ahead, synced, by a thread of its own; timestamps stay below it, so a
 * process that starts at the bound is later than every one before it. While the clock is in use the
 * bound is moved long before it is reached. After a longer silence the first calls wait for it: one
 * flush.
 *
 * <p>After a crash time continues at the bound: at most {@link #AHEAD_MILLIS} ahead of the wall
 * clock, by the counter, until that has caught up. An orderly close writes the last timestamp down,
 * so nothing jumps. When the wall clock is set back, time stands (the counter runs) until it has
 * caught up; when it was set to a far future, that future stays.
 */
final class StoreClock implements AutoCloseable {
  static final long AHEAD_MILLIS = 4_000;
  private static final long REFRESH_MILLIS = 2_000; // the bound moves when it is as near as this

  // What the bound moves by while this clock is ahead of the wall's. Little, for a process that
  // crashes again and again begins at the bound each time: it must not run away from the wall.
  private static final long RESERVE = 4L << Timestamps.COUNTER_BITS;

  private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final Mark.File file;
  private final LongSupplier millis;
  private final LongSupplier sequence;
  private final Executor callbacks;
  private final AtomicLong newest;
  private final ConcurrentLinkedQueue<CompletableFuture<Long>> waiting =
      new ConcurrentLinkedQueue<>();
  private final Thread thread;

  private volatile long bound; // written by the clock's thread alone, after the file was
  private volatile boolean closing;

  /** Takes over the file. Returns when the first bound is on the disk. */
  StoreClock(
      Mark.File file, Mark mark, LongSupplier millis, LongSupplier sequence, Executor callbacks)
      throws IOException {
    this.file = file;
    this.millis = millis;
    this.sequence = sequence;
    this.callbacks = callbacks;
    this.newest = new AtomicLong(Math.max(0, mark.bound() - 1));
    this.bound = mark.bound();
    moveBound();
    thread = new Thread(this::run, "nucleusmem-store-clock");
    thread.setDaemon(true);
    thread.start();
  }

  CompletionStage<Long> now() {
    long next = next();
    if (next >= 0) {
      return CompletableFuture.completedFuture(next);
    }
    CompletableFuture<Long> later = new CompletableFuture<>();
    waiting.add(later);
    LockSupport.unpark(thread);
    return later;
  }

  /** -1 if the bound is reached. */
  private long next() {
    while (true) {
      long before = newest.get();
      long next = Math.max(before + 1, Timestamps.firstOf(millis.getAsLong()));
      if (next >= bound) {
        return -1;
      }
      if (newest.compareAndSet(before, next)) {
        return next;
      }
    }
  }

  private void run() {
    long seen = newest.get();
    while (!closing) {
      long last = newest.get();
      boolean used = last != seen;
      seen = last;
      if (!waiting.isEmpty() || used && bound < boundIn(REFRESH_MILLIS, RESERVE / 2)) {
        serve();
      }
      if (waiting.isEmpty() && !closing) {
        LockSupport.parkNanos(this, TICK_NANOS);
      }
    }
  }

  private void serve() {
    StoreException failure = null;
    try {
      moveBound();
    } catch (IOException | RuntimeException e) {
      failure = new StoreException("the bound of the store's clock could not be written", e);
    }
    List<CompletableFuture<Long>> ready = new ArrayList<>();
    for (CompletableFuture<Long> each; (each = waiting.poll()) != null; ) {
      ready.add(each);
    }
    if (!ready.isEmpty()) {
      StoreException why = failure;
      Callbacks.run(callbacks, () -> ready.forEach(each -> complete(each, why)));
    }
  }

  private void complete(CompletableFuture<Long> waiter, StoreException failure) {
    if (failure != null) {
      waiter.completeExceptionally(failure);
      return;
    }
    long next = next();
    if (next >= 0) {
      waiter.complete(next);
    } else {
      waiting.add(waiter); // the wall clock jumped meanwhile
      LockSupport.unpark(thread);
    }
  }

  /** The bound that leaves this much time, or while time stands this many timestamps, at least. */
  private long boundIn(long aheadMillis, long reserve) {
    return Math.max(Timestamps.firstOf(millis.getAsLong() + aheadMillis), newest.get() + reserve);
  }

  private void moveBound() throws IOException {
    long next = boundIn(AHEAD_MILLIS, RESERVE);
    if (next > bound) {
      file.write(new Mark(next, sequence.getAsLong()));
      bound = next;
    }
  }

  /** Writes the last timestamp and sequence number down. Nobody may ask for the time any more. */
  @Override
  public void close() throws IOException {
    closing = true;
    LockSupport.unpark(thread);
    Threads.join(thread);
    StoreException closed = new StoreException("the store is closed");
    for (CompletableFuture<Long> each; (each = waiting.poll()) != null; ) {
      CompletableFuture<Long> waiter = each;
      Callbacks.run(callbacks, () -> waiter.completeExceptionally(closed));
    }
    try (file) {
      file.write(new Mark(newest.get() + 1, sequence.getAsLong()));
    }
  }
}
