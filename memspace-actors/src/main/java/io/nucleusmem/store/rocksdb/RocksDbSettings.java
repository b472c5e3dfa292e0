package io.nucleusmem.store.rocksdb;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The block {@code nucleusmem.store.rocksdb}.
 *
 * @param dir data directory; made if absent
 * @param blockCacheBytes memory for blocks read from files
 * @param writeBufferBytes one memory table; up to four of them
 * @param readThreads threads for reads that need the disk
 * @param readQueueMax reads that may wait for them; one more is refused as transient
 * @param groupBatchesMax batches that one synced write takes
 * @param groupBytesMax bytes that one synced write takes
 * @param queueBatchesMax batches that may wait; one more is refused as transient
 * @param spin how long the commit thread looks for work before it sleeps; zero saves processor,
 *     costs one writer alone a wake-up
 * @param clockAhead how far the clock's high-water mark is written ahead
 * @param reserveBytes free space of the disk below which commits are refused
 */
public record RocksDbSettings(
    Path dir,
    long blockCacheBytes,
    long writeBufferBytes,
    int readThreads,
    int readQueueMax,
    int groupBatchesMax,
    long groupBytesMax,
    int queueBatchesMax,
    Duration spin,
    Duration clockAhead,
    long reserveBytes) {

  private static final String PATH = "nucleusmem.store.rocksdb";

  public RocksDbSettings {
    inRange("block-cache", blockCacheBytes, 1 << 20, 1L << 40);
    inRange("write-buffer", writeBufferBytes, 1 << 20, 1L << 34);
    inRange("read-threads", readThreads, 1, 256);
    inRange("read-queue-max", readQueueMax, 1, 1_000_000);
    inRange("group-batches-max", groupBatchesMax, 1, 100_000);
    inRange("group-bytes-max", groupBytesMax, 8 << 20, 1L << 30);
    inRange("queue-batches-max", queueBatchesMax, 1, 10_000_000);
    inRange("spin", spin.toNanos(), 0, 1_000_000);
    inRange("clock-ahead", clockAhead.toMillis(), 100, 60_000);
    inRange("reserve", reserveBytes, 0, 1L << 40);
  }

  /** Reads and checks the block. */
  public static RocksDbSettings from(Config root) {
    Config config = root.getConfig(PATH);
    return new RocksDbSettings(
        Path.of(config.getString("dir")),
        config.getBytes("block-cache"),
        config.getBytes("write-buffer"),
        config.getInt("read-threads"),
        config.getInt("read-queue-max"),
        config.getInt("group-batches-max"),
        config.getBytes("group-bytes-max"),
        config.getInt("queue-batches-max"),
        config.getDuration("spin"),
        config.getDuration("clock-ahead"),
        config.getBytes("reserve"));
  }

  /** The defaults on a directory. */
  public static RocksDbSettings at(Path dir) {
    return new RocksDbSettings(
        dir,
        128L << 20,
        64L << 20,
        4,
        10_000,
        4_096,
        16L << 20,
        100_000,
        Duration.ofNanos(50_000),
        Duration.ofSeconds(1),
        64L << 20);
  }

  private static void inRange(String key, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s.%s is [%d]; it must be %d to %d".formatted(PATH, key, value, min, max));
    }
  }
}
