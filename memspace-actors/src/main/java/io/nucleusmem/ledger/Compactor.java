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
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

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
  private final long logSince;
  private final boolean keepsDeletions;
  private final int rowsPage;

  private EntryRef entry; // whose versions are being walked
  private Row candidate; // its newest version seen so far, if not above the floor
  private long removed;

  /**
   * A compaction up to a floor.
   *
   * @param logSince time from which on log rows stay, also below the floor
   * @param keepsDeletions true where a deletion hides what a ledger below still has
   */
  Compactor(KvStore store, LedgerId id, long floor, long logSince, boolean keepsDeletions) {
    this(store, id, floor, logSince, keepsDeletions, ROWS_PAGE);
  }

  Compactor(
      KvStore store, LedgerId id, long floor, long logSince, boolean keepsDeletions, int rowsPage) {
    this.store = store;
    this.id = id;
    this.floor = floor;
    this.logSince = logSince;
    this.keepsDeletions = keepsDeletions;
    this.rowsPage = rowsPage;
  }

  /** Runs to the end; the number of rows removed. */
  CompletionStage<Long> run() {
    return removeLog().thenCompose(done -> removeVersions()).thenApply(done -> removed);
  }

  /**
   * Log rows that end below the floor and before the time; the row that holds the floor stays, and
   * with it the newest one.
   */
  private CompletionStage<Void> removeLog() {
    LedgerReader reader = new LedgerReader(store, id);
    return reader
        .revisionAt(logSince)
        .thenCombine(indexed(reader), (since, indexed) -> Math.min(Math.max(0, since), indexed))
        .thenCompose(since -> reader.rowOf(Math.min(floor, since)))
        .thenCompose(
            row -> {
              long first = row.map(LogRow::first).orElse(0L);
              return walk(LedgerKeys.log(id, 0, first), Direction.ASCENDING, Row::key)
                  .thenCompose(
                      done ->
                          walk(
                              LedgerKeys.times(id),
                              Direction.ASCENDING,
                              each ->
                                  new BytesReader(each.value()).varint() < first
                                      ? each.key()
                                      : null));
            });
  }

  /** Rows behind the index hold versions and state that are nowhere else yet. */
  private CompletionStage<Long> indexed(LedgerReader reader) {
    return store.scope() == StoreScope.ALL
        ? CompletableFuture.completedStage(Long.MAX_VALUE)
        : reader.indexedUpTo().thenApply(LedgerReader.IndexedUpTo::last);
  }

  /**
   * Superseded versions, each entry's oldest first: a deletion must not go before what it deletes,
   * or that would be read again in between.
   */
  private CompletionStage<Void> removeVersions() {
    return walk(LedgerKeys.allVersions(id), Direction.DESCENDING, this::superseded)
        .thenCompose(
            done -> {
              Bytes last = candidateIfDeleted();
              return last == null ? CompletableFuture.completedStage(null) : delete(List.of(last));
            });
  }

  /** The key that may go now that this row, the next newer version or entry, is seen; or null. */
  private Bytes superseded(Row row) {
    LedgerKeys.VersionKey key = LedgerKeys.parseVersion(row.key());
    boolean below = key.revision() <= floor;
    Bytes goes =
        candidate == null
            ? null
            : key.entry().equals(entry) && below ? candidate.key() : candidateIfDeleted();
    entry = key.entry();
    candidate = below ? row : null;
    return goes;
  }

  /** The newest version of an entry at the floor may go if it is a deletion. */
  private Bytes candidateIfDeleted() {
    if (candidate == null || keepsDeletions) {
      return null;
    }
    LedgerKeys.VersionKey key = LedgerKeys.parseVersion(candidate.key());
    boolean deleted = Version.decode(key.entry(), key.revision(), candidate.value()).deleted();
    return deleted ? candidate.key() : null;
  }

  private CompletionStage<Void> walk(
      KeyRange range, Direction direction, Function<Row, Bytes> goes) {
    return store
        .scan(range, rowsPage, direction)
        .thenCompose(page -> remove(page, goes).thenApply(done -> page))
        .thenCompose(
            page ->
                page.rest().isPresent()
                    ? walk(page.rest().get(), direction, goes)
                    : CompletableFuture.completedStage(null));
  }

  private CompletionStage<Void> remove(Page page, Function<Row, Bytes> goes) {
    List<Bytes> keys = page.rows().stream().map(goes).filter(Objects::nonNull).toList();
    return keys.isEmpty() ? CompletableFuture.completedStage(null) : delete(keys);
  }

  private CompletionStage<Void> delete(List<Bytes> keys) {
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
