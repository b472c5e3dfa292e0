package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.rocksdb.CompactRangeOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * Gets what was overwritten or removed out of the files: the write buffer becomes a table file and
 * with that its log goes, the table files that hold something of the ranges are written anew, down
 * to the last level, and the old ones are awaited to be gone. What the file system does with the
 * blocks of a file that was deleted is its own.
 */
final class Reclaim {
  private static final Duration WAIT_MAX = Duration.ofMinutes(2);
  private static final Duration LOOK = Duration.ofMillis(20);

  private final RocksDB db;
  private final Path dir;
  private final Runnable letGo;

  /**
   * @param letGo drops what idle readers hold of old files
   */
  Reclaim(RocksDB db, Path dir, Runnable letGo) {
    this.db = db;
    this.dir = dir;
    this.letGo = letGo;
  }

  /** Does it. Blocks; something must have been written since what is to go was. */
  void run(List<KeyRange> ranges) {
    try (FlushOptions flush = new FlushOptions().setWaitForFlush(true);
        CompactRangeOptions options =
            new CompactRangeOptions()
                .setBottommostLevelCompaction(CompactRangeOptions.BottommostLevelCompaction.kForce)
                .setExclusiveManualCompaction(false)) {
      Set<String> logs = files(".log");
      db.flush(flush);
      Set<String> tables = files(".sst");
      for (KeyRange range : ranges) {
        db.compactRange(
            db.getDefaultColumnFamily(),
            range.from().toArray(),
            range.to().isEmpty() ? null : range.to().toArray(),
            options);
      }
      awaitGone(logs, tables);
    } catch (RocksDBException | IOException e) {
      throw new StoreException(
          "files in [%s] could not be written anew (%s); try again".formatted(dir, e.getMessage()),
          e);
    }
  }

  private void awaitGone(Set<String> logs, Set<String> tables)
      throws RocksDBException, IOException {
    long until = System.nanoTime() + WAIT_MAX.toNanos();
    while (true) {
      letGo.run();
      Set<String> there = files("");
      Set<String> live =
          db.getLiveFiles(false).files.stream()
              .map(name -> name.startsWith("/") ? name.substring(1) : name)
              .collect(Collectors.toSet());
      Set<String> old = new HashSet<>(tables);
      old.removeAll(live);
      old.addAll(logs);
      old.retainAll(there);
      if (old.isEmpty()) {
        return;
      }
      if (System.nanoTime() - until > 0) {
        throw new StoreException(
            "old files %s in [%s] are still there after [%s]; try again"
                .formatted(old, dir, WAIT_MAX));
      }
      try {
        Thread.sleep(LOOK.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StoreException("interrupted while old files were to go; try again", e);
      }
    }
  }

  private Set<String> files(String suffix) throws IOException {
    try (Stream<Path> all = Files.list(dir)) {
      return all.map(path -> path.getFileName().toString())
          .filter(name -> name.endsWith(suffix))
          .collect(Collectors.toSet());
    }
  }
}
