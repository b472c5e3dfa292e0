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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Reads a ledger from its store, on any thread and any node. Knows no owner: the store is the point
 * of linearization.
 *
 * <p>What is read at or below a revision never changes, so there are no views to hold; but
 * compaction may remove it: who reads the past checks {@link #floor()} <em>after</em> the read.
 */
public final class LedgerReader {
  /** Log rows that one page of {@link #log} takes. */
  public static final int LOG_ROWS_MAX = 256;

  private static final int STATE_ROWS_PAGE = 1_024;
  private static final int TAIL_TRIES_MAX = 5;
  private static final int TAIL_ROWS_FEW = 8; // of a tail that is read without a look at the index

  private final KvStore store;
  private final LedgerId id;
  private volatile long indexedKnown = -1; // a revision up to which versions are known to be rows

  public LedgerReader(KvStore store, LedgerId id) {
    this.store = store;
    this.id = id;
  }

  /** A page of the log. */
  public record LogPage(List<LogRow> rows, boolean more) {
    public LogPage {
      rows = List.copyOf(rows);
    }
  }

  /** The newest commit; empty if there is no such ledger. */
  public CompletionStage<Optional<LogRow>> newestRow() {
    return rowOf(Long.MAX_VALUE - 1);
  }

  /** The commit that holds a revision, or the newest one before it. */
  public CompletionStage<Optional<LogRow>> rowOf(long revision) {
    return store
        .scan(LedgerKeys.log(id, 0, revision + 1), 1, Direction.DESCENDING)
        .thenApply(page -> page.rows().stream().findFirst().map(LedgerReader::decodeLog));
  }

  /** The commits from the one that holds a revision on, oldest first. */
  public CompletionStage<LogPage> log(long from, int rowsMax) {
    return rowOf(from)
        .thenCompose(
            row -> {
              long start = row.isPresent() && row.get().last() >= from ? row.get().first() : from;
              return store.scan(
                  LedgerKeys.log(id, start, Long.MAX_VALUE), rowsMax, Direction.ASCENDING);
            })
        .thenApply(
            page ->
                new LogPage(
                    page.rows().stream().map(LedgerReader::decodeLog).toList(),
                    page.rest().isPresent()));
  }

  /** The commits that begin at or before a revision, newest first. */
  CompletionStage<LogPage> logBackFrom(long revision, int rowsMax) {
    return store
        .scan(LedgerKeys.log(id, 0, revision + 1), rowsMax, Direction.DESCENDING)
        .thenApply(
            page ->
                new LogPage(
                    page.rows().stream().map(LedgerReader::decodeLog).toList(),
                    page.rest().isPresent()));
  }

  /**
   * The newest version of an entry at or below a revision; a deletion shows as a deleted version.
   */
  public CompletionStage<Optional<Version>> version(EntryRef entry, long revision) {
    KeyRange range = LedgerKeys.versionsFrom(id, entry, revision);
    return withTail(
        revision,
        () -> indexed(entry, revision),
        (tail, row) -> {
          Optional<Version> late = tail.first(range);
          return late.isPresent() ? late : row;
        });
  }

  /** As {@link #version}, among what is written behind the log. */
  CompletionStage<Optional<Version>> indexed(EntryRef entry, long revision) {
    return store
        .scan(LedgerKeys.versionsFrom(id, entry, revision), 1, Direction.ASCENDING)
        .thenApply(page -> page.rows().stream().findFirst().map(LedgerReader::decode));
  }

  /** The version of an entry that was made by a revision. */
  public CompletionStage<Optional<Version>> exact(EntryRef entry, long revision) {
    Bytes key = LedgerKeys.version(id, entry, revision);
    return withTail(
        revision,
        () -> store.get(key),
        (tail, row) -> {
          Optional<Version> late = tail.first(new KeyRange(key, KeyRange.after(key)));
          return late.isPresent() ? late : row.map(value -> Version.decode(entry, revision, value));
        });
  }

  /**
   * For each entry of a range its newest version at or below a revision.
   *
   * @param range from {@link LedgerKeys#versions}, or the rest of a page before
   * @param limit entries looked at; the page may hold fewer
   */
  public CompletionStage<VersionPage> scan(
      KeyRange range, long revision, int limit, Direction direction) {
    return withTail(
        revision,
        () -> store.scanFloor(range, revision, limit, direction),
        (tail, page) -> tail.over(page, range, revision, limit, direction));
  }

  /** Versions of an entry at or below a revision, newest first. */
  public CompletionStage<VersionPage> history(EntryRef entry, long revision, int limit) {
    KeyRange range = LedgerKeys.versionsFrom(id, entry, revision);
    return withTail(
        revision,
        () -> store.scan(range, limit, Direction.ASCENDING),
        (tail, page) -> {
          List<Version> versions = tail.over(page, range);
          if (versions.size() <= limit) {
            return new VersionPage(versions, page.rest());
          }
          List<Version> cut = versions.subList(0, limit);
          long last = cut.get(limit - 1).revision();
          return new VersionPage(cut, Optional.of(LedgerKeys.versionsFrom(id, entry, last - 1)));
        });
  }

  /** All rows of state. */
  public CompletionStage<TreeMap<StateKey, Bytes>> state() {
    TreeMap<StateKey, Bytes> into = new TreeMap<>();
    return tail(() -> stateRows(into))
        .thenApply(
            tail -> {
              tail.rows().forEach(row -> row.applyState(into));
              return into;
            });
  }

  /** The rows of one table of state. */
  public CompletionStage<TreeMap<StateKey, Bytes>> table(byte table) {
    TreeMap<StateKey, Bytes> into = new TreeMap<>();
    KeyRange range = KeyRange.prefix(LedgerKeys.state(id, new StateKey(table, Bytes.EMPTY)));
    return tail(() -> {
          into.clear();
          return state(range, into);
        })
        .thenApply(
            tail -> {
              tail.rows().forEach(row -> row.applyState(into));
              into.keySet().removeIf(key -> key.table() != table);
              return into;
            });
  }

  private CompletionStage<?> stateRows(TreeMap<StateKey, Bytes> into) {
    into.clear();
    return state(LedgerKeys.state(id), into);
  }

  /**
   * What a new owner has to know.
   *
   * @param newest the newest commit
   * @param state as it left it
   * @param tail commits whose derived rows are not written yet
   * @param index how far they are written
   */
  record Recovered(
      LogRow newest, TreeMap<StateKey, Bytes> state, List<LogRow> tail, IndexedUpTo index) {}

  /** Reads it; empty if there is no such ledger. */
  CompletionStage<Optional<Recovered>> recover() {
    TreeMap<StateKey, Bytes> into = new TreeMap<>();
    // the newest commit first: state that is newer than it does no harm, such an owner is fenced
    return newestRow()
        .thenCompose(
            newest ->
                newest.isEmpty()
                    ? CompletableFuture.completedStage(Optional.<Recovered>empty())
                    : tail(() -> stateRows(into))
                        .thenApply(tail -> Optional.of(recovered(newest.get(), into, tail))));
  }

  private static Recovered recovered(LogRow newest, TreeMap<StateKey, Bytes> state, TailRows tail) {
    List<LogRow> rows = tail.rows();
    rows.forEach(row -> row.applyState(state));
    LogRow last = rows.isEmpty() ? newest : rows.get(rows.size() - 1);
    return new Recovered(last, state, rows, tail.index());
  }

  /** The oldest revision that can be read; 0 if nothing was compacted. */
  public CompletionStage<Long> floor() {
    return state(StateKey.FLOOR).thenApply(row -> row.map(Floor::decode).orElse(0L));
  }

  /** A row of state, as it is now. */
  public CompletionStage<Optional<Bytes>> state(StateKey key) {
    if (store.scope() == StoreScope.ALL) {
      return store.get(LedgerKeys.state(id, key));
    }
    TreeMap<StateKey, Bytes> into = new TreeMap<>();
    return tail(() -> {
          into.clear();
          return store
              .get(LedgerKeys.state(id, key))
              .thenAccept(row -> row.ifPresent(value -> into.put(key, value)));
        })
        .thenApply(
            tail -> {
              tail.rows().forEach(row -> row.applyState(into));
              return Optional.ofNullable(into.get(key));
            });
  }

  /** The oldest commit that is left; empty if there is no such ledger. */
  public CompletionStage<Optional<LogRow>> oldestRow() {
    return store
        .scan(LedgerKeys.log(id), 1, Direction.ASCENDING)
        .thenApply(page -> page.rows().stream().findFirst().map(LedgerReader::decodeLog));
  }

  /** What rows of state were, of those whose past is kept. */
  public PastState past() {
    return new PastState(store, id, rows -> tail(rows).thenApply(TailRows::rows));
  }

  /**
   * The newest revision of a time that is closed (no commit at or before it can follow).
   *
   * @return -1 if the ledger did not exist then
   */
  public CompletionStage<Long> revisionAt(long timestamp) {
    CompletionStage<Long> low =
        anchor(LedgerKeys.timesUpTo(id, timestamp), Direction.DESCENDING, 0);
    CompletionStage<Long> high =
        anchor(LedgerKeys.timesAfter(id, timestamp), Direction.ASCENDING, Long.MAX_VALUE - 1);
    return low.thenCombine(high, (from, to) -> search(from, to, timestamp))
        .thenCompose(stage -> stage);
  }

  /**
   * A log row with the bodies of those changes that are wanted and small; the others stay without.
   *
   * @param sizeMax bytes of the largest value wanted
   */
  public CompletionStage<LogRow> withBodies(
      LogRow row, Predicate<Change.OfEntry> wanted, int sizeMax) {
    CompletionStage<List<LogRecord>> records = CompletableFuture.completedStage(new ArrayList<>());
    for (int i = 0; i < row.records().size(); i++) {
      CompletionStage<LogRecord> full =
          withBodies(row.records().get(i), row.first() + i, wanted, sizeMax);
      records = append(records, full);
    }
    return records.thenApply(list -> new LogRow(row.first(), row.owner(), row.timestamp(), list));
  }

  /** A record with the bodies of the changes that are wanted and small. */
  CompletionStage<LogRecord> withBodies(
      LogRecord record, long revision, Predicate<Change.OfEntry> wanted, int sizeMax) {
    CompletionStage<List<Change>> changes = CompletableFuture.completedStage(new ArrayList<>());
    for (Change change : record.changes()) {
      boolean bare =
          change instanceof Change.OfEntry entry
              && !entry.deleted()
              && entry.body() == null
              && entry.size() <= sizeMax
              && wanted.test(entry);
      changes =
          append(
              changes,
              bare
                  ? withBody((Change.OfEntry) change, revision)
                  : CompletableFuture.completedStage(change));
    }
    return changes.thenApply(list -> new LogRecord(record.author(), record.request(), list));
  }

  private CompletionStage<Change> withBody(Change.OfEntry entry, long revision) {
    return exact(entry.entry(), revision)
        .thenApply(
            version ->
                new Change.OfEntry(
                    entry.entry(),
                    false,
                    version.map(Version::body).orElse(null),
                    entry.size(),
                    entry.to()));
  }

  private static <T> CompletionStage<List<T>> append(
      CompletionStage<List<T>> list, CompletionStage<T> item) {
    return list.thenCombine(
        item,
        (all, each) -> {
          all.add(each);
          return all;
        });
  }

  // ---- what is not written behind the log yet ----

  /**
   * How far derived rows are written.
   *
   * @param first key of the newest row that says so
   * @param before key of the one before it; -1 if there is none
   * @param last newest revision whose versions and state are rows of their own
   */
  record IndexedUpTo(long first, long before, long last) {}

  /** Commits behind what was known to be indexed, and what was read beside them. */
  private record Late<R>(List<LogRow> tail, R read) {}

  /** Commits behind the index, without a gap. */
  private record TailRows(IndexedUpTo index, List<LogRow> rows) {}

  /**
   * Takes the tail over rows of versions. Both are read at once, behind what is known to be
   * indexed: the rows hold all of that, whenever they are read, and the tail what follows. A
   * revision that is known to be indexed has no tail.
   *
   * @param merge gets the tail and what was read
   */
  private <R, T> CompletionStage<T> withTail(
      long revision, Supplier<CompletionStage<R>> rows, BiFunction<Tail, R, T> merge) {
    long indexed = indexedKnown;
    if (store.scope() == StoreScope.ALL || revision <= indexed) {
      return rows.get().thenApply(read -> merge.apply(Tail.EMPTY, read));
    }
    if (indexed < 0) {
      return withFreshTail(rows, merge, TAIL_TRIES_MAX);
    }
    CompletionStage<R> read = rows.get();
    return store
        .scan(LedgerKeys.log(id, indexed + 1, Long.MAX_VALUE), TAIL_ROWS_FEW, Direction.ASCENDING)
        .thenCombine(
            read,
            (page, found) ->
                page.rest().isPresent()
                    ? Optional.<Late<R>>empty()
                    : inOrder(page, indexed + 1, new ArrayList<>())
                        .map(late -> new Late<>(late, found)))
        .thenCompose(
            late -> {
              if (late.isEmpty()) {
                return withFreshTail(rows, merge, TAIL_TRIES_MAX);
              }
              T merged = merge.apply(tailOf(late.get().tail()), late.get().read());
              if (late.get().tail().isEmpty()) {
                return CompletableFuture.completedStage(merged);
              }
              // of what is indexed by now, compaction may have removed rows that the log still has
              return indexedUpTo()
                  .thenCompose(
                      index ->
                          index.last() == indexed
                              ? CompletableFuture.completedStage(merged)
                              : withFreshTail(rows, merge, TAIL_TRIES_MAX));
            });
  }

  private <R, T> CompletionStage<T> withFreshTail(
      Supplier<CompletionStage<R>> rows, BiFunction<Tail, R, T> merge, int tries) {
    return indexedUpTo()
        .thenCompose(
            index -> {
              CompletionStage<R> read = rows.get();
              return tailBehind(index)
                  .thenCombine(
                      read, (late, found) -> late.map(each -> merge.apply(tailOf(each), found)));
            })
        .thenCompose(
            merged -> {
              if (merged.isPresent()) {
                return CompletableFuture.completedStage(merged.get());
              }
              return tries > 1
                  ? withFreshTail(rows, merge, tries - 1)
                  : CompletableFuture.failedStage(overtaken());
            });
  }

  private Tail tailOf(List<LogRow> rows) {
    Tail tail = new Tail();
    rows.forEach(row -> tail.add(id, row));
    return tail;
  }

  /**
   * The newest revision whose versions and state are rows of their own; whatever is newer stands in
   * the log alone, and follows. {@link Long#MAX_VALUE} where they ride in the commit.
   */
  public CompletionStage<Long> indexed() {
    return store.scope() == StoreScope.ALL
        ? CompletableFuture.completedStage(Long.MAX_VALUE)
        : indexedUpTo().thenApply(IndexedUpTo::last);
  }

  CompletionStage<IndexedUpTo> indexedUpTo() {
    return store
        .scan(LedgerKeys.index(id), 2, Direction.DESCENDING)
        .thenApply(
            page -> {
              List<Row> rows = page.rows();
              if (rows.isEmpty()) {
                return new IndexedUpTo(-1, -1, -1);
              }
              long last = new BytesReader(rows.get(0).value()).varint();
              indexedKnown = Math.max(indexedKnown, last); // of two at once either may be kept
              return new IndexedUpTo(
                  LedgerKeys.firstOf(rows.get(0).key()),
                  rows.size() < 2 ? -1 : LedgerKeys.firstOf(rows.get(1).key()),
                  last);
            });
  }

  /**
   * The commits behind the index.
   *
   * @param before a read of derived rows that the tail is to be taken over: it comes after the look
   *     at the index and before the tail, so that nothing lies between the two
   */
  private CompletionStage<TailRows> tail(Supplier<CompletionStage<?>> before) {
    return store.scope() == StoreScope.ALL
        ? before.get().thenApply(done -> new TailRows(new IndexedUpTo(-1, -1, -1), List.of()))
        : tail(before, TAIL_TRIES_MAX);
  }

  private CompletionStage<TailRows> tail(Supplier<CompletionStage<?>> before, int tries) {
    return indexedUpTo()
        .thenCompose(
            index ->
                before
                    .get()
                    .thenCompose(done -> tailBehind(index))
                    .thenApply(rows -> rows.map(all -> new TailRows(index, all))))
        .thenCompose(
            rows -> {
              if (rows.isPresent()) {
                return CompletableFuture.completedStage(rows.get());
              }
              return tries > 1
                  ? tail(before, tries - 1)
                  : CompletableFuture.failedStage(overtaken());
            });
  }

  private TransientStoreException overtaken() {
    return new TransientStoreException(
        "compaction of ledger [%s] was faster than a read, [%d] times; try again"
            .formatted(id, TAIL_TRIES_MAX));
  }

  private CompletionStage<Optional<List<LogRow>>> tailBehind(IndexedUpTo index) {
    long next = index.last() + 1;
    return tailRows(LedgerKeys.log(id, next, Long.MAX_VALUE), next, new ArrayList<>());
  }

  /** Empty if a row is missing: it was indexed and compacted after the look at the index. */
  private CompletionStage<Optional<List<LogRow>>> tailRows(
      KeyRange range, long next, List<LogRow> into) {
    return store
        .scan(range, LOG_ROWS_MAX, Direction.ASCENDING)
        .thenCompose(
            page -> {
              Optional<List<LogRow>> rows = inOrder(page, next, into);
              return rows.isPresent() && page.rest().isPresent()
                  ? tailRows(page.rest().get(), into.get(into.size() - 1).last() + 1, into)
                  : CompletableFuture.completedStage(rows);
            });
  }

  /** Adds a page of the log to what came before it; empty if a row is missing. */
  private static Optional<List<LogRow>> inOrder(Page page, long first, List<LogRow> into) {
    long expected = first;
    for (Row each : page.rows()) {
      LogRow row = decodeLog(each);
      if (row.first() != expected) {
        return Optional.empty();
      }
      into.add(row);
      expected = row.last() + 1;
    }
    return Optional.of(into);
  }

  private CompletionStage<TreeMap<StateKey, Bytes>> state(
      KeyRange range, TreeMap<StateKey, Bytes> into) {
    return store
        .scan(range, STATE_ROWS_PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              page.rows().forEach(row -> into.put(LedgerKeys.parseState(row.key()), row.value()));
              return page.rest().isPresent()
                  ? state(page.rest().get(), into)
                  : CompletableFuture.completedStage(into);
            });
  }

  private CompletionStage<Long> anchor(KeyRange range, Direction direction, long otherwise) {
    return store
        .scan(range, 1, direction)
        .thenApply(
            page ->
                page.rows().isEmpty()
                    ? otherwise
                    : new BytesReader(page.rows().get(0).value()).varint());
  }

  /** Binary search over log rows between two revisions; each step is one seek. */
  private CompletionStage<Long> search(long from, long to, long timestamp) {
    return rowOf(to)
        .thenCompose(
            newest -> {
              if (newest.isEmpty()) {
                return CompletableFuture.completedStage(-1L);
              }
              if (newest.get().timestamp() <= timestamp) {
                return CompletableFuture.completedStage(newest.get().last());
              }
              return bisect(from, newest.get().first(), timestamp);
            });
  }

  /**
   * {@code high} is the first revision of a row later than the time; the answer lies below it, at
   * or behind {@code low}.
   */
  private CompletionStage<Long> bisect(long low, long high, long timestamp) {
    if (high <= low) {
      return CompletableFuture.completedStage(high - 1);
    }
    long middle = low + (high - 1 - low) / 2;
    return rowOf(middle)
        .thenCompose(
            row -> {
              if (row.isEmpty()) {
                return bisect(middle + 1, high, timestamp); // what lies before was compacted
              }
              return row.get().timestamp() <= timestamp
                  ? bisect(row.get().last() + 1, high, timestamp)
                  : bisect(low, row.get().first(), timestamp);
            });
  }

  static LogRow decodeLog(Row row) {
    return LogRow.decode(LedgerKeys.firstOf(row.key()), row.value());
  }

  static Version decode(Row row) {
    LedgerKeys.VersionKey key = LedgerKeys.parseVersion(row.key());
    return Version.decode(key.entry(), key.revision(), row.value());
  }
}
