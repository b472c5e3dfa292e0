package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.rocksdb.DirectSlice;
import org.rocksdb.ReadOptions;
import org.rocksdb.ReadTier;

/**
 * The native objects of one read, used again by the next: making them costs as much as a seek.
 *
 * <p>The bounds of both options are the same two slices; their bytes are overwritten for each read.
 */
final class ReadContext implements AutoCloseable {
  private static final int BOUND_BYTES_MAX = KvStore.KEY_BYTES_MAX + 1;

  private final ByteBuffer lowerBytes = ByteBuffer.allocateDirect(BOUND_BYTES_MAX);
  private final ByteBuffer upperBytes = ByteBuffer.allocateDirect(BOUND_BYTES_MAX);
  private final DirectSlice lower = new DirectSlice(lowerBytes, BOUND_BYTES_MAX);
  private final DirectSlice upper = new DirectSlice(upperBytes, BOUND_BYTES_MAX);
  private final ReadOptions memory = bounded().setReadTier(ReadTier.BLOCK_CACHE_TIER);
  private final ReadOptions disk = bounded();

  /** Options that answer {@code Incomplete} instead of reading a file, or that read it. */
  ReadOptions options(boolean memoryOnly) {
    return memoryOnly ? memory : disk;
  }

  /** Sets what iterators made from the options can see. */
  void bound(KeyRange range) {
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

  @Override
  public void close() {
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

    private final AtomicReferenceArray<ReadContext> idle = new AtomicReferenceArray<>(SLOTS);

    ReadContext take() {
      ReadContext mine = idle.getAndSet(slot(), null);
      return mine != null ? mine : new ReadContext();
    }

    void give(ReadContext context) {
      if (!idle.compareAndSet(slot(), null, context)) {
        context.close();
      }
    }

    /** Nobody may take or give any more. */
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
