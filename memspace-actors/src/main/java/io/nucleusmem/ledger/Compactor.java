package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/**
 * Removes the rows that a committed floor has let go. What it removes follows from the log, so it
 * may run twice, be cut short and begun again, and needs no fence.
 *
 * <p>Worked example: key {@code a} has versions 2, 5, 9, and {@code b} was deleted at 4. Floor 6
 * removes {@code a@2} and all of {@code b}: at 6 and later, {@code a} is 5 or 9 and {@code b} is
 * absent, as before.
 */
final class Compactor {
  private static final int ROWS_PAGE = 512;

  private final KvStore store;
  private final LedgerId id;
  private final long floor;

  private EntryRef entry; // whose versions are being walked
  private boolean kept; // whether its version at the floor has passed
  private long removed;

  Compactor(KvStore store, LedgerId id, long floor) {
    this.store = store;
    this.id = id;
    this.floor = floor;
  }

  /** Runs to the end; the number of rows removed. */
  CompletionStage<Long> run() {
    if (store.scope() == StoreScope.REGION) {
      return CompletableFuture.completedStage(
          0L); // there the log rows hold the versions until the index has them
    }
    return removeLog()
        .thenCompose(done -> walk(LedgerKeys.allVersions(id), this::isSuperseded))
        .thenApply(done -> removed);
  }

  /** Log rows that end below the floor; the row that holds it stays, and with it the newest one. */
  private CompletionStage<Void> removeLog() {
    return new LedgerReader(store, id)
        .rowOf(floor)
        .thenCompose(
            row -> {
              long first = row.map(LogRow::first).orElse(0L);
              KeyRange anchors = LedgerKeys.times(id);
              return walk(LedgerKeys.log(id, 0, first), any -> true)
                  .thenCompose(
                      done ->
                          walk(anchors, each -> new BytesReader(each.value()).varint() < first));
            });
  }

  private boolean isSuperseded(Row row) {
    LedgerKeys.VersionKey key = LedgerKeys.parseVersion(row.key());
    if (!key.entry().equals(entry)) {
      entry = key.entry();
      kept = false;
    }
    if (key.revision() > floor) {
      return false;
    }
    if (kept) {
      return true;
    }
    kept = true;
    return Version.decode(key.entry(), key.revision(), row.value()).deleted();
  }

  private CompletionStage<Void> walk(KeyRange range, Predicate<Row> goes) {
    return store
        .scan(range, ROWS_PAGE, Direction.ASCENDING)
        .thenCompose(page -> remove(page, goes).thenApply(done -> page))
        .thenCompose(
            page ->
                page.rest().isPresent()
                    ? walk(page.rest().get(), goes)
                    : CompletableFuture.completedStage(null));
  }

  private CompletionStage<Void> remove(Page page, Predicate<Row> goes) {
    List<Bytes> keys = new ArrayList<>();
    page.rows().stream().filter(goes).forEach(row -> keys.add(row.key()));
    if (keys.isEmpty()) {
      return CompletableFuture.completedStage(null);
    }
    removed += keys.size();
    return store
        .now()
        .thenCompose(
            now -> {
              WriteBatch.Builder batch = WriteBatch.at(now);
              keys.forEach(batch::delete);
              return store.commit(batch.build());
            });
  }
}
