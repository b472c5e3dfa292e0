package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.PastState;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/**
 * Which spaces there are, and what is to be removed.
 *
 * <pre>
 * c name     a space: its id. Inserting this row makes the name unique
 * g id(16)   a space that is gone. Inserting this row frees its name, once; see also {@link PastSpaces}
 * t id(16)   a ledger whose rows are to go, all but the newest log row and what its state was
 * i id(16)   a ledger that is being imported and belongs to no space yet
 * </pre>
 */
final class Catalogue {
  private static final int REMOVED_PAGE = 1_000;

  private final KvStore store;

  /** A space's row; what it is stands in its manifest. */
  record SpaceRow(String id) {
    LedgerId ledger() {
      return LedgerId.parse(id);
    }
  }

  /** A space in a listing. */
  record Named(String name, SpaceRow row) {}

  Catalogue(KvStore store) {
    this.store = store;
  }

  static Bytes key(String name) {
    return new BytesWriter(name.length() + 1).u8('c').raw(Bytes.utf8(name)).toBytes();
  }

  private static Bytes trashKey(LedgerId id) {
    return new BytesWriter(17).u8('t').raw(id.bytes()).toBytes();
  }

  static Bytes stagedKey(LedgerId id) {
    return new BytesWriter(17).u8('i').raw(id.bytes()).toBytes();
  }

  /** Removes the rows of imports that were begun; none may be under way. */
  CompletionStage<Void> discardStaged() {
    return store
        .scan(KeyRange.prefix(Bytes.utf8("i")), REMOVED_PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              List<LedgerId> ids =
                  page.rows().stream()
                      .map(row -> new LedgerId(new BytesReader(row.key(), 1).rest()))
                      .toList();
              return discardStaged(ids);
            });
  }

  /** Removes the rows of an import that failed. */
  CompletionStage<Void> discardStaged(List<LedgerId> ids) {
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (LedgerId id : ids) {
      all =
          all.thenCompose(done -> discard(id))
              .thenCompose(removed -> delete(List.of(stagedKey(id))));
    }
    return all;
  }

  private static Bytes goneKey(LedgerId id) {
    return new BytesWriter(17).u8('g').raw(id.bytes()).toBytes();
  }

  CompletionStage<Optional<SpaceRow>> find(String name) {
    return store
        .get(key(name))
        .thenApply(row -> row.map(bytes -> StateJson.decode(bytes, SpaceRow.class)));
  }

  /** The space's ledger; fails if there is no such space. */
  CompletionStage<LedgerId> resolve(String name) {
    return find(name).thenApply(row -> row.orElseThrow(() -> SpaceCommand.gone(name)).ledger());
  }

  /** Spaces behind a name, in the order of names. */
  CompletionStage<List<Named>> page(String after, int limit) {
    KeyRange all = KeyRange.prefix(Bytes.utf8("c"));
    Bytes from = after.isEmpty() ? all.from() : key(after).concat(Bytes.wrap(new byte[] {0}));
    return store
        .scan(all.startingAt(from), limit, Direction.ASCENDING)
        .thenApply(
            page ->
                page.rows().stream()
                    .map(
                        row ->
                            new Named(
                                row.key().slice(1, row.key().length()).utf8(),
                                StateJson.decode(row.value(), SpaceRow.class)))
                    .toList());
  }

  /**
   * Takes a space out of the catalogue, with all its ledgers; their rows go in the background. Done
   * once, however often it is tried: the name may be another space's by then.
   *
   * @param past rows of what the space was that stand in its log alone so far
   */
  CompletionStage<Void> remove(
      String name, LedgerId space, List<LedgerId> ledgers, Map<Bytes, Bytes> past) {
    return store
        .now()
        .thenCompose(
            now -> {
              WriteBatch.Builder batch = WriteBatch.at(now);
              batch.insert(goneKey(space), Bytes.EMPTY).delete(key(name));
              batch.put(PastSpaces.key(name, space), PastSpaces.row(now));
              past.forEach(batch::put);
              ledgers.forEach(id -> batch.put(trashKey(id), Bytes.EMPTY));
              return store.commit(batch.build());
            })
        .handle(
            (done, failure) -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause != null && !(cause instanceof RefusedCommitException)) {
                throw Calls.explain(cause);
              }
              return null;
            });
  }

  /**
   * Removes what is to go; the number of rows removed. Run after a deletion, and once when a node
   * starts.
   */
  CompletionStage<Long> empty() {
    return store
        .scan(KeyRange.prefix(Bytes.utf8("t")), REMOVED_PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              CompletionStage<Long> removed = CompletableFuture.completedStage(0L);
              for (Row row : page.rows()) {
                LedgerId id = new LedgerId(new BytesReader(row.key(), 1).rest());
                removed = removed.thenCompose(sum -> remove(id).thenApply(more -> sum + more));
              }
              return removed;
            });
  }

  /** True if a space was deleted. */
  CompletionStage<Boolean> isGone(LedgerId space) {
    return store.get(goneKey(space)).thenApply(Optional::isPresent);
  }

  /**
   * Takes the place of a ledger's first row, so that it can't be made any more. False if it has
   * been made.
   */
  CompletionStage<Boolean> preclude(LedgerId id, long first) {
    return store
        .now()
        .thenCompose(
            now -> {
              LogRow nothing = new LogRow(first, 0, now, List.of());
              return store.commit(
                  WriteBatch.at(now)
                      .insert(LedgerKeys.log(id, first), nothing.encode(false))
                      .build());
            })
        .handle(
            (done, failure) -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause instanceof RefusedCommitException refused) {
                return refused.found().isPresent()
                    && LogRow.decode(first, refused.found().get()).records().isEmpty();
              }
              if (cause != null) {
                throw Calls.explain(cause);
              }
              return true;
            });
  }

  /** Removes the rows of a ledger that nobody has known and nobody will. */
  CompletionStage<Long> discard(LedgerId id) {
    return removeRows(LedgerKeys.all(id), row -> false, 0);
  }

  private CompletionStage<Long> remove(LedgerId id) {
    return store
        .scan(LedgerKeys.log(id), 1, Direction.DESCENDING)
        .thenCompose(
            newest -> {
              Optional<Bytes> fence = newest.rows().stream().findFirst().map(Row::key);
              KeyRange past = PastState.kept(id);
              return removeRows(
                  LedgerKeys.all(id),
                  row -> fence.equals(Optional.of(row)) || past.contains(row),
                  0);
            })
        .thenCompose(removed -> delete(List.of(trashKey(id))).thenApply(done -> removed));
  }

  /**
   * All rows but some: the newest log row stays, so that an owner that is late can't write any
   * more, and what the space was stays for cuts through the past.
   */
  private CompletionStage<Long> removeRows(KeyRange range, Predicate<Bytes> stays, long before) {
    return store
        .scan(range, REMOVED_PAGE, Direction.ASCENDING)
        .thenCompose(
            (Page page) -> {
              List<Bytes> keys = new ArrayList<>();
              page.rows().stream().map(Row::key).filter(stays.negate()).forEach(keys::add);
              long removed = before + keys.size();
              return delete(keys)
                  .thenCompose(
                      done ->
                          page.rest().isPresent()
                              ? removeRows(page.rest().get(), stays, removed)
                              : CompletableFuture.completedStage(removed));
            });
  }

  private CompletionStage<Void> delete(List<Bytes> keys) {
    if (keys.isEmpty()) {
      return CompletableFuture.completedStage(null);
    }
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
