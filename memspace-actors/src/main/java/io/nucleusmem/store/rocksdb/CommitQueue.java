package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.WriteBatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Batches that wait for the commit thread, and that thread: it takes all that waits, up to a limit,
 * as one group.
 */
final class CommitQueue implements AutoCloseable {
  /** A batch and who waits for it. */
  record Pending(WriteBatch batch, CompletableFuture<Void> done) {}

  private final Queue<Pending> queue = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final int batchesMax;
  private final int groupMax;
  private final long groupBytesMax;
  private final long spinNanos;
  private final Thread thread;
  private volatile boolean asleep;
  private volatile boolean closing;

  CommitQueue(RocksDbSettings settings, Consumer<List<Pending>> write) {
    this.batchesMax = settings.queueBatchesMax();
    this.groupMax = settings.groupBatchesMax();
    this.groupBytesMax = settings.groupBytesMax();
    Duration spin = settings.spin();
    this.spinNanos = spin.toNanos();
    this.thread = new Thread(() -> run(write), "nucleusmem-store-commit");
    thread.setDaemon(true);
    thread.start();
  }

  CompletableFuture<Void> add(WriteBatch batch) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    if (waiting.incrementAndGet() > batchesMax) {
      waiting.decrementAndGet();
      done.completeExceptionally(
          new TransientStoreException(
              "[%d] batches wait to be written; nothing was done, try again"
                  .formatted(batchesMax)));
      return done;
    }
    queue.add(new Pending(batch, done));
    if (asleep) {
      LockSupport.unpark(thread);
    }
    return done;
  }

  private void run(Consumer<List<Pending>> write) {
    List<Pending> group = new ArrayList<>();
    while (true) {
      Pending first = next();
      if (first == null) {
        return;
      }
      group.clear();
      group.add(first);
      long bytes = first.batch().bytes();
      while (group.size() < groupMax && bytes < groupBytesMax) {
        Pending more = queue.poll();
        if (more == null) {
          break;
        }
        group.add(more);
        bytes += more.batch().bytes();
      }
      waiting.addAndGet(-group.size());
      write.accept(group);
    }
  }

  /** The next batch; null when closing and nothing is left. */
  private Pending next() {
    long until = System.nanoTime() + spinNanos;
    while (true) {
      Pending first = queue.poll();
      if (first != null) {
        return first;
      }
      if (closing) {
        return null;
      }
      if (System.nanoTime() < until) {
        Thread.onSpinWait();
        continue;
      }
      asleep = true;
      if (queue.isEmpty() && !closing) {
        LockSupport.park(this);
      }
      asleep = false;
    }
  }

  /** Finishes what waits. */
  @Override
  public void close() {
    closing = true;
    LockSupport.unpark(thread);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
