package io.nucleusmem.persistence;

import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.WriteBatch;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * The durable states' rows on a {@link KvStore}; {@link PersistenceKeys} says where they lie.
 *
 * <p><b>Fence.</b> The write of revision n inserts the fence row n and requires n-1. Rows 0
 * (written with revision 1), n-1 and n stay; so a writer of any older revision is refused, however
 * late, and the state row is always that of the newest revision. A deleted state keeps its
 * revision.
 *
 * <p>Worked example, after revisions 1, 2, 3 and a delete as 4: fence rows 0, 3, 4; the state row
 * has revision 4 and no state. The next write is revision 5.
 */
final class DurableStateDao {
  private final KvStore store;

  DurableStateDao(KvStore store) {
    this.store = store;
  }

  /** The newest state, also one that was deleted; empty if there never was one. */
  CompletionStage<Optional<StateRow>> get(String persistenceId) {
    var key = PersistenceKeys.state(persistenceId);
    return store
        .get(key)
        .thenApply(value -> value.map(found -> StateRow.decode(new Row(key, found))));
  }

  /**
   * Writes the next revision.
   *
   * @param row with a revision one above the newest; the first is 1
   * @return fails with {@link StaleWriterException} if the revision is not the next one
   */
  CompletionStage<Void> write(String persistenceId, StateRow row) {
    long revision = row.revision();
    if (revision < 1) {
      throw new IllegalArgumentException(
          "durable state [%s] has revision [%d]; the first is 1"
              .formatted(persistenceId, revision));
    }
    return store
        .now()
        .thenCompose(
            time -> Fence.commit(store, batch(persistenceId, row, time), persistenceId, revision));
  }

  private static WriteBatch batch(String persistenceId, StateRow row, long timestamp) {
    long revision = row.revision();
    var fence = new RowWriter(Long.BYTES).int64(timestamp).toBytes();
    var batch = WriteBatch.at(timestamp);
    batch.insert(PersistenceKeys.stateFence(persistenceId, revision), fence);
    if (revision == 1) {
      batch.insert(PersistenceKeys.stateFence(persistenceId, 0), fence);
    } else {
      batch.require(PersistenceKeys.stateFence(persistenceId, revision - 1));
    }
    if (revision > 2) {
      batch.delete(PersistenceKeys.stateFence(persistenceId, revision - 2));
    }
    return batch.put(PersistenceKeys.state(persistenceId), row.encode(timestamp)).build();
  }
}
