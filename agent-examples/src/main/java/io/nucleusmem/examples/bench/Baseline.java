package io.nucleusmem.examples.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * What RocksDB gives in this JVM with nothing around it: key and inverted version as rows, one
 * thread that commits whatever waits as one synced batch. No order per space, no conditions, no
 * signals.
 */
final class Baseline implements AutoCloseable {
  private static final int GROUP_MAX = 1_024;

  private record Item(byte[] key, byte[] value, CompletableFuture<Long> done) {}

  private final RocksDB db;
  private final WriteOptions synced = new WriteOptions().setSync(true);
  private final LinkedBlockingQueue<Item> queue = new LinkedBlockingQueue<>(100_000);
  private final AtomicLong version = new AtomicLong();
  private final Thread thread;
  private volatile boolean stopped;

  Baseline(Path dir) throws RocksDBException {
    RocksDB.loadLibrary();
    db =
        RocksDB.open(
            new Options()
                .setCreateIfMissing(true)
                .setWriteBufferSize(64L << 20)
                .setMaxWriteBufferNumber(4),
            dir.toString());
    thread = new Thread(this::commit, "baseline-commit");
    thread.setDaemon(true);
    thread.start();
  }

  private void commit() {
    List<Item> group = new ArrayList<>();
    while (!stopped) {
      try {
        Item first = queue.poll(50, TimeUnit.MILLISECONDS);
        if (first == null) {
          continue;
        }
        group.clear();
        group.add(first);
        queue.drainTo(group, GROUP_MAX - 1);
        write(group);
      } catch (InterruptedException e) {
        return;
      } catch (RocksDBException e) {
        group.forEach(item -> item.done().completeExceptionally(e));
      }
    }
  }

  private void write(List<Item> group) throws RocksDBException {
    long first = version.get() + 1;
    long next = first;
    try (WriteBatch batch = new WriteBatch(group.size() * 400)) {
      for (Item item : group) {
        batch.put(row(item.key(), next++), item.value());
      }
      db.write(synced, batch);
    }
    version.set(next - 1);
    next = first;
    for (Item item : group) {
      item.done().complete(next++);
    }
  }

  CompletableFuture<Long> put(String key, byte[] value) {
    CompletableFuture<Long> done = new CompletableFuture<>();
    queue.add(new Item(key.getBytes(StandardCharsets.UTF_8), value, done));
    return done;
  }

  private static byte[] row(byte[] key, long version) {
    return ByteBuffer.allocate(key.length + 9).put(key).put((byte) 0).putLong(~version).array();
  }

  /** The newest value at or below a version; null if there is none. */
  byte[] get(String key, long at) {
    byte[] from = row(key.getBytes(StandardCharsets.UTF_8), at);
    try (ReadOptions options = new ReadOptions();
        RocksIterator rows = db.newIterator(options)) {
      rows.seek(from);
      boolean found =
          rows.isValid() && Arrays.equals(rows.key(), 0, from.length - 8, from, 0, from.length - 8);
      return found ? rows.value() : null;
    }
  }

  @Override
  public void close() {
    stopped = true;
    try {
      thread.join(2_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    db.close();
  }
}
