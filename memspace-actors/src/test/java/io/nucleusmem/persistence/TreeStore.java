package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** A sorted map as a store: answers at once, forgets at the end. */
final class TreeStore implements KvStore {
  private final TreeMap<Bytes, Bytes> rows = new TreeMap<>();
  private long time;

  @Override
  public CompletionStage<Optional<Bytes>> get(Bytes key) {
    return answer(() -> Optional.ofNullable(rows.get(key)));
  }

  @Override
  public CompletionStage<Map<Bytes, Bytes>> getAll(Collection<Bytes> keys) {
    return answer(
        () -> {
          var found = new LinkedHashMap<Bytes, Bytes>();
          keys.stream().filter(rows::containsKey).forEach(k -> found.put(k, rows.get(k)));
          return found;
        });
  }

  @Override
  public CompletionStage<Page> scan(KeyRange range, int limit, Direction direction) {
    return answer(
        () -> {
          NavigableMap<Bytes, Bytes> all = rows.tailMap(range.from(), true);
          if (!range.to().isEmpty()) {
            all = all.headMap(range.to(), false);
          }
          if (direction == Direction.DESCENDING) {
            all = all.descendingMap();
          }
          var found = new ArrayList<Row>();
          for (var row : all.entrySet()) {
            if (found.size() == limit) {
              return new Page(
                  found,
                  Optional.of(
                      direction == Direction.ASCENDING
                          ? range.startingAt(row.getKey())
                          : range.endingAt(row.getKey().concat(Bytes.wrap(new byte[1])))));
            }
            found.add(new Row(row.getKey(), row.getValue()));
          }
          return new Page(found, Optional.empty());
        });
  }

  @Override
  public CompletionStage<Page> scanFloor(
      KeyRange range, long revision, int limit, Direction direction) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Void> commit(WriteBatch batch) {
    return answer(
        () -> {
          for (var op : batch.ops()) {
            if (op instanceof WriteBatch.Insert insert && rows.containsKey(insert.key())) {
              throw RefusedCommitException.exists(insert.key(), rows.get(insert.key()));
            }
          }
          for (var op : batch.ops()) {
            if (op instanceof WriteBatch.Require require && !rows.containsKey(require.key())) {
              throw RefusedCommitException.missing(require.key());
            }
          }
          for (var op : batch.ops()) {
            if (op instanceof WriteBatch.Insert insert) {
              rows.put(insert.key(), insert.value());
            } else if (op instanceof WriteBatch.Put put) {
              rows.put(put.key(), put.value());
            } else if (op instanceof WriteBatch.Delete delete) {
              rows.remove(delete.key());
            }
          }
          return null;
        });
  }

  @Override
  public CompletionStage<Long> now() {
    return answer(() -> time = Math.max(time + 1, System.currentTimeMillis() << 18));
  }

  @Override
  public StoreScope scope() {
    return StoreScope.ALL;
  }

  @Override
  public CompletionStage<Void> ping() {
    return answer(() -> null);
  }

  @Override
  public void close() {}

  private synchronized <T> CompletionStage<T> answer(Supplier<T> call) {
    try {
      return CompletableFuture.completedFuture(call.get());
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }
}
