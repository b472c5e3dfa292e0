package io.nucleusmem.store.memory;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A store in memory: for unit tests. */
public final class MemoryStore implements KvStore {
  private final NavigableMap<Bytes, Bytes> rows = new TreeMap<>();
  private final StoreScope scope;
  private long last;

  public MemoryStore(StoreScope scope) {
    this.scope = scope;
  }

  @Override
  public synchronized CompletionStage<Optional<Bytes>> get(Bytes key) {
    return done(Optional.ofNullable(rows.get(key)));
  }

  @Override
  public synchronized CompletionStage<Map<Bytes, Bytes>> getAll(Collection<Bytes> keys) {
    Map<Bytes, Bytes> found = new HashMap<>();
    keys.forEach(
        key -> Optional.ofNullable(rows.get(key)).ifPresent(value -> found.put(key, value)));
    return done(found);
  }

  @Override
  public synchronized CompletionStage<Page> scan(KeyRange range, int limit, Direction direction) {
    boolean up = direction == Direction.ASCENDING;
    List<Row> page = new ArrayList<>();
    for (Map.Entry<Bytes, Bytes> each :
        (up ? within(range) : within(range).descendingMap()).entrySet()) {
      if (page.size() == limit) {
        Bytes end = page.get(limit - 1).key();
        return done(
            new Page(
                page,
                Optional.of(
                    up
                        ? range.startingAt(end.concat(Bytes.wrap(new byte[1])))
                        : range.endingAt(end))));
      }
      page.add(new Row(each.getKey(), each.getValue()));
    }
    return done(new Page(page, Optional.empty()));
  }

  @Override
  public synchronized CompletionStage<Page> scanFloor(
      KeyRange range, long revision, int limit, Direction direction) {
    boolean up = direction == Direction.ASCENDING;
    TreeMap<Bytes, Row> newest = new TreeMap<>();
    for (Map.Entry<Bytes, Bytes> each : within(range).entrySet()) {
      Bytes key = each.getKey();
      Bytes prefix = key.slice(0, key.length() - VERSION_BYTES);
      newest.putIfAbsent(prefix, null);
      long version = 0;
      for (int i = prefix.length(); i < key.length(); i++) {
        version = version << 8 | key.at(i) & 0xFF;
      }
      if (~version <= revision && newest.get(prefix) == null) {
        newest.put(prefix, new Row(key, each.getValue()));
      }
    }
    List<Row> page = new ArrayList<>();
    int looked = 0;
    Bytes end = null;
    for (Map.Entry<Bytes, Row> each : (up ? newest : newest.descendingMap()).entrySet()) {
      if (looked++ == limit) {
        return done(
            new Page(
                page,
                Optional.of(up ? range.startingAt(KeyRange.after(end)) : range.endingAt(end))));
      }
      end = each.getKey();
      if (each.getValue() != null) {
        page.add(each.getValue());
      }
    }
    return done(new Page(page, Optional.empty()));
  }

  private NavigableMap<Bytes, Bytes> within(KeyRange range) {
    if (range.isEmpty()) {
      return new TreeMap<>();
    }
    return range.to().isEmpty()
        ? rows.tailMap(range.from(), true)
        : rows.subMap(range.from(), true, range.to(), false);
  }

  @Override
  public synchronized CompletionStage<Void> commit(WriteBatch batch) {
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Insert insert && rows.containsKey(insert.key())) {
        return CompletableFuture.failedFuture(
            RefusedCommitException.exists(insert.key(), rows.get(insert.key())));
      }
    }
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Require require && !rows.containsKey(require.key())) {
        return CompletableFuture.failedFuture(RefusedCommitException.missing(require.key()));
      }
    }
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Insert insert) {
        rows.put(insert.key(), insert.value());
      } else if (op instanceof WriteBatch.Put put) {
        rows.put(put.key(), put.value());
      } else if (op instanceof WriteBatch.Delete delete) {
        rows.remove(delete.key());
      }
    }
    return done(null);
  }

  @Override
  public synchronized CompletionStage<Long> now() {
    last = Math.max(last + 1, Timestamps.firstOf(System.currentTimeMillis()));
    return done(last);
  }

  @Override
  public StoreScope scope() {
    return scope;
  }

  @Override
  public CompletionStage<Void> ping() {
    return done(null);
  }

  @Override
  public void close() {}

  private static <T> CompletionStage<T> done(T value) {
    return CompletableFuture.completedFuture(value);
  }
}
