package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.StoreException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.CompressionType;
import org.rocksdb.DataBlockIndexType;
import org.rocksdb.HyperClockCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.util.SizeUnit;

/** RocksDB with the options we run it with, and the native objects that must outlive it. */
final class Database implements AutoCloseable {
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private final RocksDB db;

  private Database(Path dir, RocksDbSettings settings, boolean create) throws RocksDBException {
    try {
      db = own(RocksDB.open(options(settings, create), dir.toString()));
    } catch (RocksDBException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Opens the database of a data directory.
   *
   * @throws StoreException if it is damaged, not there, or cannot be read
   */
  static Database open(DataDir dir, RocksDbSettings settings) {
    try {
      return new Database(dir.db(), settings, dir.fresh());
    } catch (RocksDBException e) {
      throw new StoreException(
          ("data directory [%s] cannot be opened (%s); if its disk is full or its rights are wrong,"
                  + " mend that, else restore it from a backup")
              .formatted(dir.path(), e.getMessage()),
          e);
    }
  }

  RocksDB rocks() {
    return db;
  }

  @Override
  public void close() {
    while (!owned.isEmpty()) {
      try {
        owned.pop().close();
      } catch (Exception e) {
        throw new StoreException("a native object could not be closed", e);
      }
    }
  }

  private Options options(RocksDbSettings settings, boolean create) {
    Options options = own(new Options());
    options
        .setCreateIfMissing(create) // a database that has been there and is not is lost, not new
        .setParanoidChecks(true)

        // Log. A write that nobody was told of may end torn: replay stops at the first record that
        // does not check, which PointInTimeRecovery takes as the end. Stricter modes refuse to open
        // after a power loss that tore a record; what this one would hide in the middle, LogCheck
        // and the sequence number in the mark find.
        .setWalRecoveryMode(WALRecoveryMode.PointInTimeRecovery)
        .setRecycleLogFileNum(0) // no gain measured, and old records behind the end to tell apart
        .setMaxTotalWalSize(4 * settings.writeBufferBytes())

        // One thread writes: nothing to merge or to insert side by side.
        .setAllowConcurrentMemtableWrite(false)
        .setEnableWriteThreadAdaptiveYield(false)

        // Files and background work. Deleting a file may block; not on a reader's thread.
        .setMaxOpenFiles(settings.filesMax())
        .setMaxBackgroundJobs(Math.max(2, Math.min(4, Runtime.getRuntime().availableProcessors())))
        .setAvoidUnnecessaryBlockingIO(true)
        .setBytesPerSync(SizeUnit.MB) // spreads the writing of tables, so flushes do not queue

        // RocksDB's own text log, bounded.
        .setKeepLogFileNum(4)
        .setMaxLogFileSize(4 * SizeUnit.MB)
        .setStatsDumpPeriodSec(0)
        .setStatsPersistPeriodSec(0);
    options
        .setWriteBufferSize(settings.writeBufferBytes())
        .setMaxWriteBufferNumber(4)
        .setLevelCompactionDynamicLevelBytes(true)
        .setTargetFileSizeBase(64 * SizeUnit.MB)
        .setCompressionType(CompressionType.LZ4_COMPRESSION)
        .setBottommostCompressionType(CompressionType.ZSTD_COMPRESSION)

        // Most inserts are of keys that are not there: a filter over the write buffer says so.
        .setMemtablePrefixBloomSizeRatio(0.05)
        .setMemtableWholeKeyFiltering(true)
        .setTableFormatConfig(tables(settings));
    return options;
  }

  private BlockBasedTableConfig tables(RocksDbSettings settings) {
    return new BlockBasedTableConfig()
        .setBlockCache(own(new HyperClockCache(settings.blockCacheBytes(), 0, -1, false)))
        .setBlockSize(8 * SizeUnit.KB)
        .setDataBlockIndexType(DataBlockIndexType.kDataBlockBinaryAndHash)
        .setFilterPolicy(own(new BloomFilter(10, false)))
        // Indexes and filters count against the cache, so that it bounds the memory of all reads.
        .setCacheIndexAndFilterBlocks(true)
        .setCacheIndexAndFilterBlocksWithHighPriority(true)
        .setPinL0FilterAndIndexBlocksInCache(true)
        .setOptimizeFiltersForMemory(true);
  }

  private <T extends AutoCloseable> T own(T object) {
    owned.push(object);
    return object;
  }
}
