package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.rocksdb.DirectSlice;
import org.rocksdb.ReadOptions;
import org.rocksdb.ReadTier;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * The native objects of one read, used again by the next: making them costs more than a seek.
 *
 * <p>The bounds of both options, and of the iterators made from them, are the same two slices;
 * their bytes are overwritten for each read. RocksDB looks at them when it seeks.
 *
 * <p>An iterator keeps what it can see from being freed, so one that nobody uses is not kept long.
 */
final class ReadContext implements AutoCloseable {
  private static final int BOUND_BYTES_MAX = KvStore.KEY_BYTES_MAX + 1;

  private final ByteBuffer lowerBytes = ByteBuffer.allocateDirect(BOUND_BYTES_MAX);
  private final ByteBuffer upperBytes = ByteBuffer.allocateDirect(BOUND_BYTES_MAX);
  private final DirectSlice lower = new DirectSlice(lowerBytes, BOUND_BYTES_MAX);
  private final DirectSlice upper = new DirectSlice(upperBytes, BOUND_BYTES_MAX);
  private final ReadOptions memory = bounded().setReadTier(ReadTier.BLOCK_CACHE_TIER);
  private final ReadOptions disk = bounded();

  private RocksIterator memoryRows; // null until they are needed
  private RocksIterator diskRows;
  private long usedAt;

  /** The rows of a range as they are now; at no row yet. Good until the context is given back. */
  RocksIterator rows(RocksDB db, KeyRange range, boolean memoryOnly) throws RocksDBException {
    bound(range);
    RocksIterator rows = memoryOnly ? memoryRows : diskRows;
    if (rows != null) {
      rows.refresh();
      return rows;
    }
    rows = db.newIterator(options(memoryOnly));
    if (memoryOnly) {
      memoryRows = rows;
    } else {
      diskRows = rows;
    }
    return rows;
  }

  /** Options that answer {@code Incomplete} instead of reading a file, or that read it. */
  ReadOptions options(boolean memoryOnly) {
    return memoryOnly ? memory : disk;
  }

  /** Sets what iterators made from the options can see. */
  private void bound(KeyRange range) {
    lowerBytes.put(0, range.from().shared());
    lower.setLength(range.from().length());
    if (range.to().isEmpty()) {
      for (int i = 0; i < BOUND_BYTES_MAX; i++) {
        upperBytes.put(i, (byte) 0xFF); // a byte longer than any key: behind them all
      }
      upper.setLength(BOUND_BYTES_MAX);
    } else {
      upperBytes.put(0, range.to().shared());
      upper.setLength(range.to().length());
    }
  }

  private void closeRows() {
    if (memoryRows != null) {
      memoryRows.close();
      memoryRows = null;
    }
    if (diskRows != null) {
      diskRows.close();
      diskRows = null;
    }
  }

  @Override
  public void close() {
    closeRows();
    memory.close();
    disk.close();
    lower.close();
    upper.close();
  }

  private ReadOptions bounded() {
    return new ReadOptions().setIterateLowerBound(lower).setIterateUpperBound(upper);
  }

  /** Contexts that nobody uses now: at most one per slot. */
  static final class Pool {
    private static final int SLOTS = 64;
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final AtomicReferenceArray<ReadContext> idle = new AtomicReferenceArray<>(SLOTS);
    private final AtomicLong swept = new AtomicLong(System.nanoTime());

    ReadContext take() {
      ReadContext mine = idle.getAndSet(slot(), null);
      return mine != null ? mine : new ReadContext();
    }

    /**
     * Takes a context back.
     *
     * @param sound false if the read failed: its iterators are not used again
     */
    void give(ReadContext context, boolean sound) {
      if (!sound) {
        context.closeRows();
      }
      long now = System.nanoTime();
      context.usedAt = now;
      if (!idle.compareAndSet(slot(), null, context)) {
        context.close();
      }
      long last = swept.get();
      if (now - last > IDLE_NANOS && swept.compareAndSet(last, now)) {
        sweep(now);
      }
    }

    /** Lets go of what idle iterators hold. */
    private void sweep(long now) {
      for (int i = 0; i < SLOTS; i++) {
        ReadContext context = idle.getAndSet(i, null);
        if (context != null) {
          if (now - context.usedAt > IDLE_NANOS) {
            context.closeRows();
          }
          if (!idle.compareAndSet(i, null, context)) {
            context.close();
          }
        }
      }
    }

    /** Lets go of all that nobody uses now; for good, if nobody takes or gives any more. */
    void close() {
      for (int i = 0; i < SLOTS; i++) {
        ReadContext context = idle.getAndSet(i, null);
        if (context != null) {
          context.close();
        }
      }
    }

    private static int slot() {
      return (int) (Thread.currentThread().getId() & (SLOTS - 1));
    }
  }
}
