package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Snapshot;

/** The reads themselves, blocking or memory only, as the options they are given say. */
final class Reads {
  private static final int STEPS_MAX = 8; // rows walked before a seek is cheaper
  private static final int SEEKS_MAX = 16; // without a try by steps

  private final RocksDB db;

  Reads(RocksDB db) {
    this.db = db;
  }

  /** A read that fails with the status {@code Incomplete} if memory alone cannot answer it. */
  @FunctionalInterface
  interface Read<T> {
    T run(ReadContext context, boolean memoryOnly) throws RocksDBException;
  }

  Read<Optional<Bytes>> get(Bytes key) {
    return (context, memoryOnly) ->
        Optional.ofNullable(db.get(context.options(memoryOnly), key.shared())).map(Bytes::wrap);
  }

  Read<Map<Bytes, Bytes>> getAll(Collection<Bytes> keys) {
    return (context, memoryOnly) -> {
      ReadOptions options = context.options(memoryOnly);
      Map<Bytes, Bytes> found = new LinkedHashMap<>();
      // Not multiGet: its Java form shows a row that memory does not have as one that is missing.
      Snapshot moment = db.getSnapshot();
      try {
        options.setSnapshot(moment);
        for (Bytes key : keys) {
          byte[] value = db.get(options, key.shared());
          if (value != null) {
            found.put(key, Bytes.wrap(value));
          }
        }
        return found;
      } finally {
        options.setSnapshot(null);
        db.releaseSnapshot(moment);
      }
    };
  }

  Read<Page> scan(KeyRange range, int limit, Direction direction) {
    boolean up = direction == Direction.ASCENDING;
    return (context, memoryOnly) -> {
      if (range.isEmpty()) {
        return new Page(List.of(), Optional.empty());
      }
      RocksIterator rows = context.rows(db, range, memoryOnly);
      List<Row> page = new ArrayList<>(Math.min(limit, 64));
      start(rows, up);
      while (valid(rows)) {
        if (page.size() == limit) {
          return page(page, range, up);
        }
        page.add(row(rows));
        if (limit == 1) {
          return page(page, range, up); // without a look at the next, which may need the disk
        }
        step(rows, up);
      }
      return new Page(page, Optional.empty());
    };
  }

  private static Page page(List<Row> rows, KeyRange range, boolean up) {
    Bytes last = rows.get(rows.size() - 1).key();
    KeyRange rest =
        up ? range.startingAt(last.concat(Bytes.wrap(new byte[1]))) : range.endingAt(last);
    return new Page(rows, Optional.of(rest).filter(left -> !left.isEmpty()));
  }

  Read<Page> scanFloor(KeyRange range, long revision, int limit, Direction direction) {
    return (context, memoryOnly) -> {
      if (range.isEmpty()) {
        return new Page(List.of(), Optional.empty());
      }
      RocksIterator rows = context.rows(db, range, memoryOnly);
      return direction == Direction.ASCENDING
          ? floorsUp(rows, range, revision, limit)
          : floorsDown(rows, range, revision, limit);
    };
  }

  /** The iterator meets the newest version of each prefix first. */
  private static Page floorsUp(RocksIterator rows, KeyRange range, long revision, int limit)
      throws RocksDBException {
    List<Row> page = new ArrayList<>(Math.min(limit, 64));
    start(rows, true);
    Walk walk = new Walk(rows);
    for (int prefixes = 1; walk.key != null; prefixes++) {
      byte[] prefix = prefixOf(walk.key);
      walk.forward(versionKey(prefix, revision));
      if (walk.key != null && startsWith(walk.key, prefix)) {
        page.add(new Row(Bytes.wrap(walk.key), Bytes.wrap(rows.value())));
      }
      Bytes behind = KeyRange.after(Bytes.wrap(prefix));
      KeyRange rest = range.startingAt(behind);
      if (behind.isEmpty() || rest.isEmpty()) {
        return new Page(page, Optional.empty());
      }
      if (prefixes == limit && limit == 1) {
        return new Page(page, Optional.of(rest));
      }
      walk.forward(behind.shared());
      if (prefixes == limit) {
        return new Page(page, walk.key != null ? Optional.of(rest) : Optional.empty());
      }
    }
    return new Page(page, Optional.empty());
  }

  /** The iterator meets the oldest version of each prefix first. */
  private static Page floorsDown(RocksIterator rows, KeyRange range, long revision, int limit)
      throws RocksDBException {
    List<Row> page = new ArrayList<>(Math.min(limit, 64));
    start(rows, false);
    Walk walk = new Walk(rows);
    for (int prefixes = 1; walk.key != null; prefixes++) {
      byte[] prefix = prefixOf(walk.key);
      byte[] floor = versionKey(prefix, revision);
      if (Arrays.compareUnsigned(walk.key, floor) >= 0) {
        walk.seek(floor);
        if (walk.key != null) {
          page.add(new Row(Bytes.wrap(walk.key), Bytes.wrap(rows.value())));
        }
      }
      KeyRange rest = range.endingAt(Bytes.wrap(prefix));
      if (prefix.length == 0 || rest.isEmpty()) {
        return new Page(page, Optional.empty());
      }
      if (prefixes == limit && limit == 1) {
        return new Page(page, Optional.of(rest));
      }
      walk.backward(prefix);
      if (prefixes == limit) {
        return new Page(page, walk.key != null ? Optional.of(rest) : Optional.empty());
      }
    }
    return new Page(page, Optional.empty());
  }

  /**
   * An iterator that steps or seeks, whichever is cheaper here: where a way was too long for steps,
   * the next ones probably are.
   */
  private static final class Walk {
    private final RocksIterator rows;
    private int seeksLeft; // that come next without a try by steps
    private int seeks; // twice as many after each try in vain
    byte[] key; // of the row it is at; null at the end

    Walk(RocksIterator rows) throws RocksDBException {
      this.rows = rows;
      look();
    }

    private void look() throws RocksDBException {
      key = valid(rows) ? rows.key() : null;
    }

    /** Moves to the first row at or behind a key. */
    void seek(byte[] to) throws RocksDBException {
      rows.seek(to);
      look();
    }

    /** Moves to the first row at or behind a key; stays if it is there. */
    void forward(byte[] to) throws RocksDBException {
      if (key == null || Arrays.compareUnsigned(key, to) >= 0) {
        return;
      }
      for (int left = steps(); left > 0; left--) {
        rows.next();
        look();
        if (key == null || Arrays.compareUnsigned(key, to) >= 0) {
          seeks = 0;
          seeksLeft = 0;
          return;
        }
      }
      seek(to);
    }

    /** Moves to the last row before a key, from one at or behind it. */
    void backward(byte[] to) throws RocksDBException {
      for (int left = steps(); left > 0; left--) {
        rows.prev();
        look();
        if (key == null || Arrays.compareUnsigned(key, to) < 0) {
          seeks = 0;
          seeksLeft = 0;
          return;
        }
      }
      rows.seekForPrev(to); // no row's key is a prefix alone
      look();
    }

    /** How many steps to try before a seek. */
    private int steps() {
      if (seeksLeft > 0) {
        seeksLeft--;
        return 0;
      }
      seeks = Math.min(SEEKS_MAX, 2 * seeks + 1); // taken back if steps do
      seeksLeft = seeks;
      return STEPS_MAX;
    }
  }

  private static void start(RocksIterator rows, boolean up) {
    if (up) {
      rows.seekToFirst(); // of what the bounds show
    } else {
      rows.seekToLast();
    }
  }

  private static void step(RocksIterator rows, boolean up) {
    if (up) {
      rows.next();
    } else {
      rows.prev();
    }
  }

  /** False at the end; an iterator that could not go on is at no end, and throws. */
  private static boolean valid(RocksIterator rows) throws RocksDBException {
    if (rows.isValid()) {
      return true;
    }
    rows.status();
    return false;
  }

  private static Row row(RocksIterator rows) {
    return new Row(Bytes.wrap(rows.key()), Bytes.wrap(rows.value()));
  }

  private static byte[] prefixOf(byte[] key) {
    if (key.length < KvStore.VERSION_BYTES) {
      throw new StoreException(
          "key [%s] in a floor scan is shorter than a version's %d bytes"
              .formatted(Bytes.wrap(key), KvStore.VERSION_BYTES));
    }
    return Arrays.copyOf(key, key.length - KvStore.VERSION_BYTES);
  }

  private static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length == prefix.length + KvStore.VERSION_BYTES
        && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
  }

  private static byte[] versionKey(byte[] prefix, long revision) {
    byte[] key = Arrays.copyOf(prefix, prefix.length + KvStore.VERSION_BYTES);
    for (int i = 0; i < KvStore.VERSION_BYTES; i++) {
      key[prefix.length + i] = (byte) (~revision >>> (56 - 8 * i));
    }
    return key;
  }
}
