package io.nucleusmem.memspace;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.WriteBatch;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Closes instants for the making of spaces, as a mark closes them for the log of one. A space that
 * is being made has its time before it is there: without this, a cut could miss it that shows it
 * later.
 *
 * <pre>
 * e shard(1) timestamp(8)    a gate: who makes a space takes his time after it, and requires it
 * </pre>
 *
 * Who closes a time removes the gates from before it. A space with an earlier time was made through
 * one of those: it is there by then, or is refused and takes a later time. A gate that appears
 * late, under whatever time, does no harm: who makes a space through it takes his time when it is
 * there.
 */
final class Creations {
  /** So often one who makes a space finds that his time was closed meanwhile. */
  static final int TRIES_MAX = 100;

  /** So many spaces can be made at once without touching the same row. */
  private static final int SHARDS = 16;

  private static final int GATES_PAGE = 1_000;

  private final KvStore store;

  /** The gate was closed: nothing was made; take a new gate and a new time. */
  static final class ClosedException extends MemSpaceException {
    private static final long serialVersionUID = 1L;

    private ClosedException() {
      super(ErrorCode.BUSY, "cuts through the present leave no time to make a space; try again");
    }
  }

  /** Fails if it was the gate that was missing. */
  static void requireOpen(RefusedCommitException refused, Bytes gate) {
    if (refused.key().equals(gate)) {
      throw new ClosedException();
    }
  }

  Creations(KvStore store) {
    this.store = store;
  }

  private static KeyRange shard(int shard) {
    return KeyRange.prefix(new BytesWriter(2).u8('e').u8(shard).toBytes());
  }

  private static Bytes key(int shard, long timestamp) {
    return new BytesWriter(10).u8('e').u8(shard).i64(timestamp).toBytes();
  }

  /**
   * The gate for a name. Whoever makes a space of that name takes a timestamp now, and requires
   * this row.
   */
  CompletionStage<Bytes> open(String name) {
    int shard = Math.floorMod(name.hashCode(), SHARDS);
    return store
        .scan(shard(shard), 1, Direction.DESCENDING)
        .thenCompose(page -> page.rows().isEmpty() ? put(shard) : done(page.rows().get(0).key()));
  }

  private CompletionStage<Bytes> put(int shard) {
    return store
        .now()
        .thenCompose(
            now -> {
              Bytes key = key(shard, now);
              return Resent.commit(store, WriteBatch.at(now).put(key, Bytes.EMPTY).build())
                  .thenApply(done -> key);
            });
  }

  /**
   * Completes when no space can be made any more with a time at or before this one.
   *
   * @param timestamp lies in the past by the store's time
   */
  CompletionStage<Void> close(long timestamp) {
    return store
        .scan(KeyRange.prefix(Bytes.utf8("e")), GATES_PAGE, Direction.ASCENDING)
        .thenCompose(page -> close(timestamp, page));
  }

  private CompletionStage<Void> close(long timestamp, Page page) {
    if (page.rows().stream().noneMatch(row -> timeOf(row) <= timestamp)) {
      return done(null); // all of a page is old but for the newest of each shard
    }
    return store
        .now()
        .thenCompose(
            now -> {
              WriteBatch.Builder batch = WriteBatch.at(now);
              Set<Integer> without = new TreeSet<>();
              for (Row row : page.rows()) {
                if (timeOf(row) <= timestamp) {
                  batch.delete(row.key());
                  without.add(shardOf(row));
                }
              }
              page.rows().stream()
                  .filter(row -> timeOf(row) > timestamp)
                  .forEach(row -> without.remove(shardOf(row)));
              without.forEach(shard -> batch.put(key(shard, now), Bytes.EMPTY));
              return Resent.commit(store, batch.build());
            })
        .thenCompose(
            done -> {
              Optional<KeyRange> rest = page.rest();
              return rest.isEmpty() ? done(null) : close(timestamp);
            });
  }

  private static int shardOf(Row row) {
    return row.key().at(1) & 0xFF;
  }

  private static long timeOf(Row row) {
    return new BytesReader(row.key(), 2).i64();
  }

  private static <T> CompletionStage<T> done(T value) {
    return CompletableFuture.completedStage(value);
  }
}
