package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * The reads of the engine under one set of options. With those that read memory only, each fails
 * with {@code Incomplete} where it would have to wait for the disk.
 */
final class RocksDbReads {
  private static final int STEPS_BEFORE_SEEK =
      4; // versions walked before seeking past the rest: a seek costs about as much

  private final RocksDB db;
  private final ColumnFamilyHandle rows;
  private final ReadOptions options;

  RocksDbReads(RocksDB db, ColumnFamilyHandle rows, ReadOptions options) {
    this.db = db;
    this.rows = rows;
    this.options = options;
  }

  Optional<Bytes> get(Bytes key) throws RocksDBException {
    return Optional.ofNullable(db.get(rows, options, key.shared())).map(Bytes::wrap);
  }

  /** At one moment: an iterator is a view. */
  Map<Bytes, Bytes> getAll(Collection<Bytes> keys) throws RocksDBException {
    Map<Bytes, Bytes> found = new HashMap<>();
    try (RocksIterator at = db.newIterator(rows, options)) {
      for (Bytes key : keys) {
        at.seek(key.shared());
        if (!at.isValid()) {
          at.status();
        } else if (Arrays.equals(at.key(), key.shared())) {
          found.put(key, Bytes.wrap(at.value()));
        }
      }
    }
    return found;
  }

  Page scan(KeyRange range, int limit, Direction direction) throws RocksDBException {
    boolean up = direction == Direction.ASCENDING;
    if (range.isEmpty()) {
      return new Page(List.of(), Optional.empty());
    }
    List<Row> page = new ArrayList<>(Math.min(limit, 64));
    try (RocksIterator at = db.newIterator(rows, options)) {
      start(at, range, up);
      while (at.isValid()) {
        Bytes key = Bytes.wrap(at.key());
        if (!inside(range, key, up)) {
          return new Page(page, Optional.empty());
        }
        if (page.size() == limit) {
          Bytes last = page.get(limit - 1).key();
          return new Page(page, Optional.of(up ? range.startingAt(key) : range.endingAt(last)));
        }
        page.add(new Row(key, Bytes.wrap(at.value())));
        if (limit == 1) {
          // who asks for one row wants that one: whether there are more is not worth another step
          return new Page(
              page, Optional.of(up ? range.startingAt(successor(key)) : range.endingAt(key)));
        }
        step(at, up);
      }
      at.status();
    }
    return new Page(page, Optional.empty());
  }

  Page scanFloor(KeyRange range, long revision, int limit, Direction direction)
      throws RocksDBException {
    boolean up = direction == Direction.ASCENDING;
    if (range.isEmpty()) {
      return new Page(List.of(), Optional.empty());
    }
    List<Row> page = new ArrayList<>(Math.min(limit, 64));
    int looked = 0;
    try (RocksIterator at = db.newIterator(rows, options)) {
      start(at, range, up);
      while (at.isValid()) {
        byte[] key = at.key();
        if (!inside(range, Bytes.wrap(key), up)) {
          break;
        }
        byte[] prefix = Arrays.copyOf(key, key.length - KvStore.VERSION_BYTES);
        if (looked++ == limit) {
          KeyRange rest =
              up
                  ? range.startingAt(Bytes.wrap(key))
                  : range.endingAt(KeyRange.after(Bytes.wrap(prefix)));
          return new Page(page, Optional.of(rest));
        }
        toFloor(at, prefix, revision, up);
        if (at.isValid() && hasPrefix(at.key(), prefix)) {
          page.add(new Row(Bytes.wrap(at.key()), Bytes.wrap(at.value())));
        }
        at.status();
        pastPrefix(at, prefix, up);
      }
      at.status();
    }
    return new Page(page, Optional.empty());
  }

  /** From somewhere among the versions of a prefix to the first one at or below the revision. */
  private static void toFloor(RocksIterator at, byte[] prefix, long revision, boolean up) {
    byte[] floor =
        ByteBuffer.allocate(prefix.length + KvStore.VERSION_BYTES)
            .put(prefix)
            .putLong(~revision)
            .array();
    if (up) {
      for (int i = 0; i < STEPS_BEFORE_SEEK; i++) {
        if (!at.isValid() || Arrays.compareUnsigned(at.key(), floor) >= 0) {
          return;
        }
        at.next();
      }
    }
    at.seek(floor);
  }

  private static void pastPrefix(RocksIterator at, byte[] prefix, boolean up) {
    if (!up) {
      at.seekForPrev(prefix); // no row is the prefix itself, so this is the row before its versions
      return;
    }
    for (int i = 0; i < STEPS_BEFORE_SEEK; i++) {
      if (!at.isValid() || !hasPrefix(at.key(), prefix)) {
        return;
      }
      at.next();
    }
    if (at.isValid() && hasPrefix(at.key(), prefix)) {
      byte[] last = Arrays.copyOf(prefix, prefix.length + KvStore.VERSION_BYTES + 1);
      Arrays.fill(last, prefix.length, last.length - 1, (byte) 0xFF);
      at.seek(last);
    }
  }

  private static boolean hasPrefix(byte[] key, byte[] prefix) {
    return key.length == prefix.length + KvStore.VERSION_BYTES
        && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
  }

  private static void start(RocksIterator at, KeyRange range, boolean up) {
    if (up) {
      at.seek(range.from().shared());
    } else if (range.to().isEmpty()) {
      at.seekToLast();
    } else {
      at.seekForPrev(range.to().shared());
      if (at.isValid() && Arrays.equals(at.key(), range.to().shared())) {
        at.prev(); // the upper end does not belong to the range
      }
    }
  }

  private static boolean inside(KeyRange range, Bytes key, boolean up) {
    return up
        ? range.to().isEmpty() || key.compareTo(range.to()) < 0
        : key.compareTo(range.from()) >= 0;
  }

  private static void step(RocksIterator at, boolean up) {
    if (up) {
      at.next();
    } else {
      at.prev();
    }
  }

  private static Bytes successor(Bytes key) {
    return key.concat(Bytes.wrap(new byte[1]));
  }
}
