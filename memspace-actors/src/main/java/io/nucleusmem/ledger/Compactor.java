package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * Removes the rows that a committed floor has let go, or only counts them. What it removes follows
 * from the log, so it may run twice, on any node, be cut short and begun again, and needs no fence.
 *
 * <p>Worked example: key {@code a} has versions 2, 5, 9, and {@code b} was deleted at 4. Floor 6
 * removes {@code a@2} and all of {@code b}: at 6 and later, {@code a} is 5 or 9 and {@code b} is
 * absent, as before.
 */
public final class Compactor {
  private static final int ROWS_PAGE = 512;
  private static final int TRIES_MAX = 20; // of a removal that the store could not do

  /**
   * What goes.
   *
   * @param floor oldest revision that can be read afterwards
   * @param all a version superseded at or before this revision goes whatever else
   * @param keep newest versions of a key that stay if they were superseded after {@code all}
   * @param messages true for a topic, whose messages supersede nothing: those before the floor go
   */
  public record Cut(long floor, long all, long keep, boolean messages) {
    /** What was superseded at or before a revision. */
    public static Cut at(long floor) {
      return new Cut(floor, floor, 1, false);
    }
  }

  private final KvStore store;
  private final LedgerId id;
  private final Cut cut;
  private final long logSince;
  private final Pace pace;
  private final boolean dry;

  private EntryRef entry; // whose versions are being walked, newest first
  private long seen; // versions of it so far
  private long newer; // revision of the version before, which superseded this one
  private boolean headSeen; // its newest version at the floor was passed
  private Row head; // that version, if it is a deletion: goes last, when all behind it has gone
  private boolean kept; // something behind the head stays
  private boolean hides; // a deletion here hides what a ledger below still has
  private volatile long versions;
  private volatile long bytes;
  private volatile long logRows;
  private volatile long looked;

  /**
   * A compaction.
   *
   * @param logSince time from which on log rows stay, also below the floor
   * @param dry true to count only
   */
  public Compactor(KvStore store, LedgerId id, Cut cut, long logSince, Pace pace, boolean dry) {
    this.store = store;
    this.id = id;
    this.cut = cut;
    this.logSince = logSince;
    this.pace = pace;
    this.dry = dry;
  }

  /** Runs to the end; the number of rows removed. */
  public CompletionStage<Long> run() {
    return Base.find(store, id)
        .thenCompose(
            base -> {
              hides = !base.isNone();
              return removeLog();
            })
        .thenCompose(done -> removeVersions())
        .thenApply(done -> versions + logRows);
  }

  /** Versions that went so far, or would. */
  public long versions() {
    return versions;
  }

  /** Bytes of these versions' rows. */
  public long bytes() {
    return bytes;
  }

  /** Log rows and anchors that went so far, or would. */
  public long logRows() {
    return logRows;
  }

  /** Rows looked at so far. */
  public long looked() {
    return looked;
  }

  /**
   * Log rows that end below the floor and before the time; the row that holds the floor stays, and
   * with it the newest one. What state was before the oldest that is left is told by nobody then.
   */
  private CompletionStage<Void> removeLog() {
    LedgerReader reader = new LedgerReader(store, id);
    return reader
        .revisionAt(logSince)
        .thenCombine(indexed(reader), (since, indexed) -> Math.min(Math.max(0, since), indexed))
        .thenCompose(since -> reader.rowOf(Math.min(cut.floor(), since)))
        .thenCompose(
            row -> {
              long first = row.map(LogRow::first).orElse(0L);
              PastCut past = new PastCut(row.map(LogRow::timestamp).orElse(0L));
              return walk(LedgerKeys.log(id, 0, first), each -> log(List.of(each)))
                  .thenCompose(
                      done ->
                          walk(
                              LedgerKeys.times(id),
                              each ->
                                  new BytesReader(each.value()).varint() < first
                                      ? log(List.of(each))
                                      : List.of()))
                  .thenCompose(done -> walk(LedgerKeys.past(id), past::goes))
                  .thenCompose(done -> remove(past.rest()));
            });
  }

  private List<Row> log(List<Row> rows) {
    logRows += rows.size();
    return rows;
  }

  /** Rows behind the index hold versions and state that are nowhere else yet. */
  private CompletionStage<Long> indexed(LedgerReader reader) {
    return store.scope() == StoreScope.ALL
        ? CompletableFuture.completedStage(Long.MAX_VALUE)
        : reader.indexedUpTo().thenApply(LedgerReader.IndexedUpTo::last);
  }

  /**
   * Superseded versions. The newest version at the floor hides those behind it, so these may go in
   * any order; a deletion goes after all that it deletes, or that would be read again in between.
   */
  private CompletionStage<Void> removeVersions() {
    return walk(LedgerKeys.allVersions(id), this::goes)
        .thenCompose(done -> remove(version(hiddenHead())));
  }

  /** What may go now that this row is seen. */
  private List<Row> goes(Row row) {
    LedgerKeys.VersionKey key = LedgerKeys.parseVersion(row.key());
    List<Row> gone = List.of();
    if (!key.entry().equals(entry)) {
      gone = version(hiddenHead());
      entry = key.entry();
      seen = 0;
      headSeen = false;
      kept = false;
    }
    seen++;
    long supersededAt = newer;
    newer = key.revision();
    if (cut.messages()) {
      return key.revision() < cut.floor() ? version(List.of(row)) : List.of();
    }
    if (key.revision() > cut.floor()) {
      return gone;
    }
    if (!headSeen) {
      headSeen = true;
      boolean deleted = Version.decode(key.entry(), key.revision(), row.value()).deleted();
      head = deleted && !hides && key.revision() <= cut.all() ? row : null;
      return gone;
    }
    if (seen <= cut.keep() && supersededAt > cut.all()) {
      kept = true;
      return gone;
    }
    List<Row> all = new ArrayList<>(gone);
    all.addAll(version(List.of(row)));
    return all;
  }

  private List<Row> hiddenHead() {
    List<Row> goes = head == null || kept ? List.of() : List.of(head);
    head = null;
    return goes;
  }

  private List<Row> version(List<Row> rows) {
    versions += rows.size();
    rows.forEach(row -> bytes += row.key().length() + row.value().length());
    return rows;
  }

  private CompletionStage<Void> walk(KeyRange range, Function<Row, List<Row>> goes) {
    return store
        .scan(range, ROWS_PAGE, Direction.ASCENDING)
        .thenCompose(page -> remove(page, goes).thenApply(done -> page))
        .thenCompose(page -> pace.after(page.rows().size()).thenApply(done -> page))
        .thenCompose(
            page ->
                page.rest().isPresent()
                    ? walk(page.rest().get(), goes)
                    : CompletableFuture.completedStage(null));
  }

  private CompletionStage<Void> remove(Page page, Function<Row, List<Row>> goes) {
    List<Row> rows = new ArrayList<>();
    page.rows().forEach(row -> rows.addAll(goes.apply(row)));
    looked += page.rows().size();
    return remove(rows);
  }

  private CompletionStage<Void> remove(List<Row> rows) {
    return rows.isEmpty() || dry
        ? CompletableFuture.completedStage(null)
        : pace.after(rows.size())
            .thenCompose(done -> delete(rows.stream().map(Row::key).toList(), TRIES_MAX));
  }

  /** Removing twice is removing once, so whatever may not have been done is done again. */
  private CompletionStage<Void> delete(List<Bytes> keys, int tries) {
    return store
        .now()
        .thenCompose(
            now -> {
              WriteBatch.Builder batch = WriteBatch.at(now);
              keys.forEach(batch::delete);
              return store.commit(batch.build());
            })
        .handle((done, failure) -> failure)
        .thenCompose(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              boolean again =
                  cause instanceof TransientStoreException
                      || cause instanceof UndeterminedCommitException;
              if (again && tries > 1) {
                return pace.after(keys.size()).thenCompose(done -> delete(keys, tries - 1));
              }
              return cause == null
                  ? CompletableFuture.<Void>completedStage(null)
                  : CompletableFuture.failedStage(cause);
            });
  }
}
