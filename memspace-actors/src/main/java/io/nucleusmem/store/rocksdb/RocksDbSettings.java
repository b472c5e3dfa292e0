package io.nucleusmem.store.rocksdb;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What an operator may set of the embedded store; see {@code reference.conf} for each key.
 *
 * @param dir the data directory; made if it is not there
 * @param blockCacheBytes memory for blocks read from files; at least 1 MiB
 * @param writeBufferBytes rows held in memory before they become a file; 1 MiB to 1 GiB
 * @param filesMax table files held open; 64 to 1,000,000
 * @param readThreads threads for reads that need the disk; 1 to 256
 * @param readQueueMax reads that may wait for such a thread; 1 to 1,000,000
 * @param commitQueueMax commits that may wait; 1 to 1,000,000
 * @param commitQueueBytesMax their bytes in all; at least 8 MiB, more than one batch
 * @param commitSpin how long the commit thread looks for work before it sleeps; 0 to 10 ms
 */
public record RocksDbSettings(
    Path dir,
    long blockCacheBytes,
    long writeBufferBytes,
    int filesMax,
    int readThreads,
    int readQueueMax,
    int commitQueueMax,
    long commitQueueBytesMax,
    Duration commitSpin) {

  private static final String PATH = "nucleusmem.store.rocksdb";
  private static final long MIB = 1L << 20;

  public RocksDbSettings {
    if (dir.toString().isBlank()) {
      throw new IllegalArgumentException(
          PATH + ".dir is empty; it must name a directory of the store's own");
    }
    dir = dir.toAbsolutePath().normalize();
    check("block-cache-bytes", blockCacheBytes, MIB, 1L << 50);
    check("write-buffer-bytes", writeBufferBytes, MIB, 1024 * MIB);
    check("files-max", filesMax, 64, 1_000_000);
    check("read-threads", readThreads, 1, 256);
    check("read-queue-max", readQueueMax, 1, 1_000_000);
    check("commit-queue-max", commitQueueMax, 1, 1_000_000);
    check("commit-queue-bytes-max", commitQueueBytesMax, 8 * MIB, 1L << 40);
    if (commitSpin.isNegative() || commitSpin.compareTo(Duration.ofMillis(10)) > 0) {
      throw new IllegalArgumentException(
          "%s.commit-spin is [%s]; it must be 0s to 10ms".formatted(PATH, commitSpin));
    }
  }

  /** Reads the block {@code nucleusmem.store.rocksdb} of a configuration. */
  public static RocksDbSettings from(Config config) {
    Config block = config.getConfig(PATH);
    return new RocksDbSettings(
        Path.of(block.getString("dir")),
        block.getBytes("block-cache-bytes"),
        block.getBytes("write-buffer-bytes"),
        block.getInt("files-max"),
        block.getInt("read-threads"),
        block.getInt("read-queue-max"),
        block.getInt("commit-queue-max"),
        block.getBytes("commit-queue-bytes-max"),
        block.getDuration("commit-spin"));
  }

  /** The defaults, on a directory. */
  public static RocksDbSettings at(Path dir) {
    return new RocksDbSettings(
        dir, 256 * MIB, 64 * MIB, 1_024, 4, 4_096, 16_384, 64 * MIB, Duration.ofNanos(50_000));
  }

  private static void check(String key, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s.%s is [%d]; it must be %d to %d".formatted(PATH, key, value, min, max));
    }
  }
}
