package io.nucleusmem.persistence;

import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.WriteBatch;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/**
 * The snapshots' rows on a {@link KvStore}; {@link PersistenceKeys} says where they lie. One per
 * sequence number: another one with the same number takes its place.
 *
 * <p>Snapshots need no fence: a stale writer's snapshot is of events that the journal accepted.
 */
final class SnapshotDao {
  private final KvStore store;
  private final SnapshotSettings settings;

  SnapshotDao(KvStore store, SnapshotSettings settings) {
    this.store = store;
    this.settings = settings;
  }

  /** Bounds of sequence numbers and timestamps, both ends included. */
  record Bounds(long minSequenceNr, long maxSequenceNr, long minTimestamp, long maxTimestamp) {
    boolean includes(SnapshotRow row) {
      return row.sequenceNr() >= minSequenceNr
          && row.sequenceNr() <= maxSequenceNr
          && row.timestamp() >= minTimestamp
          && row.timestamp() <= maxTimestamp;
    }

    KeyRange range(String persistenceId) {
      return PersistenceKeys.snapshots(
          persistenceId, Math.max(0, minSequenceNr), Math.max(0, maxSequenceNr));
    }
  }

  /**
   * Stores a snapshot.
   *
   * @throws IllegalArgumentException if it is larger than the limit
   */
  CompletionStage<Void> save(String persistenceId, SnapshotRow row) {
    var value = row.encode();
    if (value.length() > settings.snapshotBytesMax()) {
      throw new IllegalArgumentException(
          "snapshot [%d] of [%s] takes [%d] bytes; %s allows [%d]"
              .formatted(
                  row.sequenceNr(),
                  persistenceId,
                  value.length(),
                  SnapshotSettings.SNAPSHOT_BYTES_MAX_PATH,
                  settings.snapshotBytesMax()));
    }
    var key = PersistenceKeys.snapshot(persistenceId, row.sequenceNr());
    return store
        .now()
        .thenCompose(time -> store.commit(WriteBatch.at(time).put(key, value).build()));
  }

  /** The snapshot with the highest sequence number within the bounds. */
  CompletionStage<Optional<SnapshotRow>> load(String persistenceId, Bounds bounds) {
    var found = new AtomicReference<Optional<SnapshotRow>>(Optional.empty());
    return walk(
            bounds.range(persistenceId),
            Direction.DESCENDING,
            rows -> {
              found.set(rows.stream().filter(bounds::includes).findFirst());
              return Stages.value(found.get().isEmpty());
            })
        .thenApply(ignored -> found.get());
  }

  /** Deletes the snapshots within the bounds. */
  CompletionStage<Void> delete(String persistenceId, Bounds bounds) {
    return walk(
        bounds.range(persistenceId),
        Direction.ASCENDING,
        rows -> remove(persistenceId, rows.stream().filter(bounds::includes).toList()));
  }

  private CompletionStage<Boolean> remove(String persistenceId, List<SnapshotRow> rows) {
    if (rows.isEmpty()) {
      return Stages.value(true);
    }
    return store
        .now()
        .thenCompose(
            time -> {
              var batch = WriteBatch.at(time);
              for (SnapshotRow row : rows) {
                batch.delete(PersistenceKeys.snapshot(persistenceId, row.sequenceNr()));
              }
              return store.commit(batch.build());
            })
        .thenApply(ignored -> true);
  }

  /** Visits the rows of a range page by page, until the visitor says false. */
  private CompletionStage<Void> walk(
      KeyRange range,
      Direction direction,
      Function<List<SnapshotRow>, CompletionStage<Boolean>> visitor) {
    var left = new AtomicReference<>(range);
    return Stages.repeat(
        () ->
            store
                .scan(left.get(), settings.pageRowsMax(), direction)
                .thenCompose(
                    page -> {
                      page.rest().ifPresent(left::set);
                      return visitor
                          .apply(page.rows().stream().map(SnapshotRow::decode).toList())
                          .thenApply(again -> again && page.rest().isPresent());
                    }));
  }
}
