package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.ReadOptions;
import org.rocksdb.ReadTier;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteOptions;

/**
 * The embedded engine: RocksDB in a directory that this process has locked.
 *
 * <p>One thread commits: it takes all batches that wait, checks their conditions, and writes those
 * that hold as one synced write. A read that memory can answer is answered on the caller's thread;
 * one that needs the disk goes to a small pool.
 *
 * <p>A write that the disk refused leaves its batches undetermined, and the store takes no more
 * commits until it is opened again: what RocksDB would do after such an error is not known well
 * enough to promise anything on it. So that a full disk does not get that far, commits are refused,
 * with nothing written, while less than a reserve is free.
 */
public final class RocksDbStore implements KvStore {
  private static final int FORMAT = 1;
  private static final byte[] FORMAT_KEY = "format".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] CLOCK_KEY = "clock".getBytes(StandardCharsets.US_ASCII);
  private static final long SPACE_CHECK_NANOS = 500_000_000L;

  private final RocksDbSettings settings;
  private final RocksDbFiles files;
  private final Executor callbacks;
  private final List<AutoCloseable> natives = new ArrayList<>(); // closed last to first
  private final RocksDB db;
  private final ColumnFamilyHandle rows;
  private final ColumnFamilyHandle meta;
  private final WriteOptions synced;
  private final RocksDbReads fromMemory;
  private final RocksDbReads fromDisk;
  private final ThreadPoolExecutor readPool;
  private final CommitQueue commits;
  private final StoreClock clock;
  private final ReentrantReadWriteLock open =
      new ReentrantReadWriteLock(); // read: the database is in use
  private boolean closed; // guarded by open
  private volatile StoreException broken;
  private long spaceCheckedAt; // commit thread only
  private boolean spaceLeft = true; // commit thread only

  /**
   * Opens a directory.
   *
   * @param callbacks where stages are completed that were not complete when the call returned
   * @throws StoreException if it is in use, damaged, of a newer version or can't be written
   */
  public static RocksDbStore open(RocksDbSettings settings, Executor callbacks) {
    RocksDbFiles files = RocksDbFiles.open(settings.dir().toAbsolutePath().normalize());
    try {
      files.loadLibrary();
      return new RocksDbStore(settings, files, callbacks);
    } catch (RocksDBException e) {
      files.close();
      throw new StoreException(
          "data directory [%s] can't be opened: %s. Restore it from a backup, or move it away to start empty"
              .formatted(settings.dir(), e.getMessage()),
          e);
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
  }

  private RocksDbStore(RocksDbSettings settings, RocksDbFiles files, Executor callbacks)
      throws RocksDBException {
    this.settings = settings;
    this.files = files;
    this.callbacks = callbacks;
    Cache cache = kept(new LRUCache(settings.blockCacheBytes()));
    ColumnFamilyOptions tuned = kept(tables(cache));
    List<ColumnFamilyHandle> handles = new ArrayList<>();
    try {
      db =
          kept(
              RocksDB.open(
                  kept(options()),
                  files.data().toString(),
                  List.of(
                      new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, tuned),
                      new ColumnFamilyDescriptor(
                          "meta".getBytes(StandardCharsets.US_ASCII), tuned)),
                  handles));
    } catch (RocksDBException e) {
      closeNatives();
      throw e;
    }
    handles.forEach(this::kept);
    rows = handles.get(0);
    meta = handles.get(1);
    synced = kept(new WriteOptions().setSync(true));
    fromMemory =
        new RocksDbReads(db, rows, kept(new ReadOptions().setReadTier(ReadTier.BLOCK_CACHE_TIER)));
    fromDisk = new RocksDbReads(db, rows, kept(new ReadOptions()));
    try {
      checkFormat();
      byte[] mark = db.get(meta, CLOCK_KEY);
      clock =
          new StoreClock(
              mark == null ? 0 : ByteBuffer.wrap(mark).getLong(),
              settings.clockAhead(),
              this::writeMark);
    } catch (RocksDBException | RuntimeException e) {
      closeNatives();
      throw e;
    }
    readPool =
        new ThreadPoolExecutor(
            settings.readThreads(),
            settings.readThreads(),
            1,
            TimeUnit.MINUTES,
            new LinkedBlockingQueue<>(settings.readQueueMax()),
            task -> {
              Thread thread = new Thread(task, "nucleusmem-store-read");
              thread.setDaemon(true);
              return thread;
            });
    commits = new CommitQueue(settings, this::write);
  }

  private static DBOptions options() {
    return new DBOptions()
        .setCreateIfMissing(true)
        .setCreateMissingColumnFamilies(true)
        .setMaxOpenFiles(
            1_000) // each costs memory for its index; the table cache holds the hot ones
        .setMaxBackgroundJobs(2)
        .setMaxTotalWalSize(512L << 20) // bounds the log that a start replays
        .setBytesPerSync(
            1 << 20) // compactions hand their pages to the disk bit by bit, not in one stall
        // what a crash left half written at the end is tolerated, damage in front of it is an error
        // and not a silent loss;
        // this mode rules out recycled log files
        .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
        .setKeepLogFileNum(5)
        .setMaxLogFileSize(4 << 20)
        .setInfoLogLevel(InfoLogLevel.WARN_LEVEL);
  }

  private ColumnFamilyOptions tables(Cache cache) {
    BlockBasedTableConfig table =
        new BlockBasedTableConfig()
            .setBlockCache(cache)
            .setCacheIndexAndFilterBlocks(
                true) // else they grow with the data, outside of the cache's bound
            .setPinL0FilterAndIndexBlocksInCache(true)
            .setBlockSize(16 << 10)
            .setFormatVersion(5)
            .setFilterPolicy(
                kept(new BloomFilter(10))); // an insert asks for a row that is not there
    return new ColumnFamilyOptions()
        .setTableFormatConfig(table)
        .setWriteBufferSize(settings.writeBufferBytes())
        .setMaxWriteBufferNumber(4) // writers go on while older ones are flushed
        .setLevelCompactionDynamicLevelBytes(true)
        .setCompressionType(CompressionType.LZ4_COMPRESSION);
  }

  private void checkFormat() throws RocksDBException {
    byte[] found = db.get(meta, FORMAT_KEY);
    if (found == null) {
      db.put(meta, synced, FORMAT_KEY, ByteBuffer.allocate(4).putInt(FORMAT).array());
    } else if (ByteBuffer.wrap(found).getInt() > FORMAT) {
      throw new StoreException(
          "data directory [%s] has format [%d]; this version reads up to [%d]: use the version that wrote it"
              .formatted(settings.dir(), ByteBuffer.wrap(found).getInt(), FORMAT));
    }
  }

  private void writeMark(long millis) {
    try {
      db.put(meta, synced, CLOCK_KEY, ByteBuffer.allocate(8).putLong(millis).array());
    } catch (RocksDBException e) {
      broken = new StoreException("the store's clock could not be written: " + e.getMessage(), e);
      throw broken;
    }
  }

  private <T extends AutoCloseable> T kept(T resource) {
    natives.add(resource);
    return resource;
  }

  // ---- reads ----

  @Override
  public CompletionStage<Optional<Bytes>> get(Bytes key) {
    return read(reads -> reads.get(key));
  }

  @Override
  public CompletionStage<Map<Bytes, Bytes>> getAll(Collection<Bytes> keys) {
    if (keys.size() > SCAN_ROWS_MAX) {
      throw new IllegalArgumentException(
          "[%d] keys; at most [%d]".formatted(keys.size(), SCAN_ROWS_MAX));
    }
    return read(reads -> reads.getAll(keys));
  }

  @Override
  public CompletionStage<Page> scan(KeyRange range, int limit, Direction direction) {
    checkLimit(limit);
    return read(reads -> reads.scan(range, limit, direction));
  }

  @Override
  public CompletionStage<Page> scanFloor(
      KeyRange range, long revision, int limit, Direction direction) {
    checkLimit(limit);
    return read(reads -> reads.scanFloor(range, revision, limit, direction));
  }

  private static void checkLimit(int limit) {
    if (limit < 1 || limit > SCAN_ROWS_MAX) {
      throw new IllegalArgumentException(
          "limit is [%d]; it must be 1 to %d".formatted(limit, SCAN_ROWS_MAX));
    }
  }

  @FunctionalInterface
  private interface Read<T> {
    T from(RocksDbReads reads) throws RocksDBException;
  }

  /** Tries memory on this thread, which never waits for the disk; else the pool. */
  private <T> CompletionStage<T> read(Read<T> read) {
    try {
      return CompletableFuture.completedFuture(guarded(read, fromMemory));
    } catch (StoreException closedOrFailed) {
      return CompletableFuture.failedFuture(closedOrFailed);
    } catch (RocksDBException e) {
      if (e.getStatus() == null || e.getStatus().getCode() != Status.Code.Incomplete) {
        return CompletableFuture.failedFuture(failed(e));
      }
    }
    CompletableFuture<T> result = new CompletableFuture<>();
    try {
      readPool.execute(() -> readFromDisk(read, result));
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(
          new TransientStoreException(
              "[%d] reads wait for the disk; try again".formatted(settings.readQueueMax()), e));
    }
    return result;
  }

  private <T> void readFromDisk(Read<T> read, CompletableFuture<T> result) {
    try {
      T value = guarded(read, fromDisk);
      callbacks.execute(() -> result.complete(value));
    } catch (RocksDBException e) {
      callbacks.execute(() -> result.completeExceptionally(failed(e)));
    } catch (RuntimeException e) {
      callbacks.execute(() -> result.completeExceptionally(e));
    }
  }

  private <T> T guarded(Read<T> read, RocksDbReads reads) throws RocksDBException {
    open.readLock().lock();
    try {
      if (closed) {
        throw closedStore();
      }
      return read.from(reads);
    } finally {
      open.readLock().unlock();
    }
  }

  private static StoreException closedStore() {
    return new StoreException("the store is closed");
  }

  private StoreException failed(RocksDBException e) {
    return new StoreException(
        "reading data directory [%s] failed: %s".formatted(settings.dir(), e.getMessage()), e);
  }

  // ---- commits ----

  @Override
  public CompletionStage<Void> commit(WriteBatch batch) {
    if (batch.bytes() > BATCH_BYTES_MAX) {
      throw new IllegalArgumentException(
          "batch has [%d] bytes; at most [%d]".formatted(batch.bytes(), BATCH_BYTES_MAX));
    }
    StoreException why = broken;
    if (why != null) {
      return CompletableFuture.failedFuture(why);
    }
    open.readLock().lock();
    try {
      return closed ? CompletableFuture.failedFuture(closedStore()) : commits.add(batch);
    } finally {
      open.readLock().unlock();
    }
  }

  /** Writes a group: on the commit thread. */
  private void write(List<CommitQueue.Pending> group) {
    List<CommitQueue.Pending> written = new ArrayList<>(group.size());
    List<Runnable> completions = new ArrayList<>(group.size());
    RuntimeException failure = null;
    try (org.rocksdb.WriteBatch batch = new org.rocksdb.WriteBatch(4_096)) {
      if (broken != null || !hasSpace()) {
        throw broken != null ? broken : full();
      }
      Map<Bytes, Optional<Bytes>> before = group.size() > 1 ? new HashMap<>() : null;
      for (CommitQueue.Pending pending : group) {
        RefusedCommitException refusal = check(pending.batch(), before);
        if (refusal != null) {
          completions.add(() -> pending.done().completeExceptionally(refusal));
        } else {
          add(pending.batch(), batch, before);
          written.add(pending);
        }
      }
      if (!written.isEmpty()) {
        writeSynced(batch);
      }
    } catch (RocksDBException e) {
      failure =
          new StoreException(
              "reading data directory [%s] failed: %s".formatted(settings.dir(), e.getMessage()),
              e);
      broken = (StoreException) failure;
      written = group;
    } catch (RuntimeException e) {
      failure = e;
      written = failure instanceof UndeterminedCommitException ? written : group;
    }
    for (CommitQueue.Pending pending : written) {
      RuntimeException why = failure;
      completions.add(
          why == null
              ? () -> pending.done().complete(null)
              : () -> pending.done().completeExceptionally(why));
    }
    callbacks.execute(() -> completions.forEach(Runnable::run));
  }

  private void writeSynced(org.rocksdb.WriteBatch batch) {
    try {
      db.write(synced, batch);
    } catch (RocksDBException e) {
      broken =
          new StoreException(
              "data directory [%s] takes no more commits since a write failed: %s. Make room or mend the disk, then start again"
                  .formatted(settings.dir(), e.getMessage()),
              e);
      throw new UndeterminedCommitException(
          "writing to data directory [%s] failed, it may or may not be there after the next start: %s"
              .formatted(settings.dir(), e.getMessage()),
          e);
    }
  }

  private RefusedCommitException check(WriteBatch batch, Map<Bytes, Optional<Bytes>> before)
      throws RocksDBException {
    RefusedCommitException missing = null;
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Insert insert) {
        Optional<Bytes> found = current(insert.key(), before);
        if (found.isPresent()) {
          return RefusedCommitException.exists(insert.key(), found.get());
        }
      } else if (op instanceof WriteBatch.Require require
          && missing == null
          && current(require.key(), before).isEmpty()) {
        missing = RefusedCommitException.missing(require.key());
      }
    }
    return missing;
  }

  private Optional<Bytes> current(Bytes key, Map<Bytes, Optional<Bytes>> before)
      throws RocksDBException {
    Optional<Bytes> pending = before == null ? null : before.get(key);
    if (pending != null) {
      return pending;
    }
    byte[] value = db.get(rows, key.shared());
    return value == null ? Optional.empty() : Optional.of(Bytes.wrap(value));
  }

  private void add(WriteBatch from, org.rocksdb.WriteBatch to, Map<Bytes, Optional<Bytes>> before)
      throws RocksDBException {
    for (WriteBatch.Op op : from.ops()) {
      Bytes value = null;
      if (op instanceof WriteBatch.Insert insert) {
        value = insert.value();
      } else if (op instanceof WriteBatch.Put put) {
        value = put.value();
      } else if (op instanceof WriteBatch.Require) {
        continue;
      }
      if (value == null) {
        to.delete(rows, op.key().shared());
      } else {
        to.put(rows, op.key().shared(), value.shared());
      }
      if (before != null) {
        before.put(op.key(), Optional.ofNullable(value));
      }
    }
  }

  private boolean hasSpace() {
    long now = System.nanoTime();
    if (now - spaceCheckedAt > SPACE_CHECK_NANOS) {
      spaceCheckedAt = now;
      spaceLeft = files.freeBytes() > settings.reserveBytes();
    }
    return spaceLeft;
  }

  private TransientStoreException full() {
    return new TransientStoreException(
        "the disk of data directory [%s] has less than [%d] bytes free; nothing was written, make room"
            .formatted(settings.dir(), settings.reserveBytes()));
  }

  // ---- the rest ----

  @Override
  public CompletionStage<Long> now() {
    return clock.now();
  }

  @Override
  public StoreScope scope() {
    return StoreScope.ALL;
  }

  @Override
  public CompletionStage<Void> ping() {
    StoreException why = broken;
    return why != null
        ? CompletableFuture.failedFuture(why)
        : get(Bytes.wrap(FORMAT_KEY)).thenApply(any -> null);
  }

  @Override
  public void close() {
    open.writeLock().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
    } finally {
      open.writeLock().unlock();
    }
    commits.close();
    readPool.shutdown();
    try {
      readPool.awaitTermination(10, TimeUnit.SECONDS);
      clock.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (StoreException e) {
      // the clock's mark that is on disk is later; nothing is lost
    }
    open.writeLock().lock(); // no reader is inside any more
    try {
      closeNatives();
    } finally {
      open.writeLock().unlock();
      files.close();
    }
  }

  private void closeNatives() {
    for (int i = natives.size() - 1; i >= 0; i--) {
      try {
        natives.get(i).close();
      } catch (Exception e) {
        throw new StoreException("closing data directory [%s] failed".formatted(settings.dir()), e);
      }
    }
    natives.clear();
  }
}
