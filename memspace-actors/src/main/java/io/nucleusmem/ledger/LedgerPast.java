package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.LongConsumer;

/**
 * Gives a ledger copies of its own of what it shows of others: every version and commit that it
 * shows, page by page, in ledgers that have no owner and that nobody reads before the ledger stands
 * on them. Where it is stands in the copy, written with each page, so that it may be cut short at
 * any place and begun again, on any node.
 *
 * <p>One copy takes the place of all ledgers below, but of those that compaction has taken
 * something from in the middle: what is below such a one can be read where it itself can't, so its
 * copy is a layer of its own, with its floor.
 *
 * <p>Each write requires a row, the permit: whoever removes that stops the copying, wherever it is,
 * with nothing under way. So what is erased afterwards can't be copied from before.
 */
public final class LedgerPast {
  private static final int PAGE_ROWS_FIRST = 4;
  private static final int PAGE_ROWS_MAX = 512;
  private static final long PAGE_BYTES = 1 << 20;
  private static final int ANCHOR_EVERY = 256;
  private static final int TRIES_MAX = 20;
  private static final StateKey PLACE = new StateKey((byte) 0xF2, Bytes.EMPTY);

  private final KvStore store;
  private final LedgerId id;
  private final Bytes permit;
  private final Pace pace;
  private final LongConsumer progress;
  private int rowsPerPage = PAGE_ROWS_FIRST;
  private long rows;

  /**
   * A copying.
   *
   * @param permit key of the row that each write requires
   * @param progress hears how many rows have been written by this run
   */
  public LedgerPast(KvStore store, LedgerId id, Bytes permit, Pace pace, LongConsumer progress) {
    this.store = store;
    this.id = id;
    this.permit = permit;
    this.pace = pace;
    this.progress = progress;
  }

  /** The permit is gone: something was erased, another run has begun, or the ledger is deleted. */
  public static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Stopped(LedgerId id, Throwable cause) {
      super("the copying of what ledger [%s] stands on was stopped".formatted(id), cause);
    }
  }

  /** A part of a ledger below: the revisions behind {@code above}, up to {@code upTo}. */
  private record Part(Base.Layer layer, long above, long upTo) {}

  /**
   * Parts that one copy holds, newest first.
   *
   * @param floor of the oldest; all of the others can be read
   */
  private record Group(List<Part> parts, long floor, boolean deepest) {
    long upTo() {
      return parts.get(0).upTo();
    }

    Part last() {
      return parts.get(parts.size() - 1);
    }

    /** Names what is copied: a copy of something else is begun anew. */
    Bytes signature() {
      BytesWriter out = new BytesWriter(parts.size() * 32);
      parts.forEach(
          part -> out.raw(part.layer().id().bytes()).varint(part.above() + 1).varint(part.upTo()));
      return out.u8(deepest ? 1 : 0).toBytes();
    }
  }

  /**
   * Where a copy is: part by part, first commits and then versions.
   *
   * @param step twice the number of the part, and one more for its versions
   * @param from key of the next row; empty for the first
   */
  private record Place(Bytes signature, int step, Bytes from) {
    Bytes encode() {
      return new BytesWriter(32 + signature.length() + from.length())
          .bytes(signature)
          .varint(step)
          .bytes(from)
          .toBytes();
    }

    static Place decode(Bytes row) {
      BytesReader in = new BytesReader(row);
      return new Place(in.bytes(), (int) in.varint(), in.bytes());
    }
  }

  // ---- which ledgers these are ----

  /** The copies that a ledger has, or has begun; the rows of each are its own. */
  public static CompletionStage<List<LedgerId>> of(KvStore store, LedgerId id) {
    return store
        .get(Base.key(id))
        .thenCompose(
            row ->
                row.isEmpty()
                    ? CompletableFuture.completedStage(List.of())
                    : of(store, id, new ArrayList<>()));
  }

  private static CompletionStage<List<LedgerId>> of(
      KvStore store, LedgerId id, List<LedgerId> found) {
    if (found.size() == Base.LAYERS_MAX) {
      return CompletableFuture.completedStage(found);
    }
    LedgerId next = copy(id, found.size());
    return store
        .scan(LedgerKeys.all(next), 1, Direction.ASCENDING)
        .thenCompose(
            page -> {
              if (page.rows().isEmpty()) {
                return CompletableFuture.completedStage(found);
              }
              found.add(next);
              return of(store, id, found);
            });
  }

  private static LedgerId copy(LedgerId id, int number) {
    return id.child("past/" + number, 0);
  }

  /**
   * Lets go of what a copy has before a revision, for all that stand on it; then its rows may go.
   */
  public static CompletionStage<Void> raiseFloor(KvStore store, LedgerId copy, long floor) {
    return new LedgerReader(store, copy)
        .floor()
        .thenCombine(
            store.now(),
            (now, timestamp) -> {
              WriteBatch.Builder batch = WriteBatch.at(timestamp);
              LedgerCopy.floor(batch, copy, floor);
              return now >= floor
                  ? CompletableFuture.<Void>completedStage(null)
                  : store.commit(batch.build());
            })
        .thenCompose(done -> done);
  }

  // ---- copying ----

  /**
   * Copies, and tells what the ledger may stand on from then on; what it stands on now if that is
   * nothing of others'. All below must be indexed as far as it shows.
   *
   * @return fails with {@link Stopped}, or with {@link TransientStoreException} if it should be
   *     begun again
   */
  public CompletionStage<Base> run() {
    return Base.find(store, id)
        .thenCompose(
            base ->
                base.isOwn()
                    ? CompletableFuture.completedStage(base)
                    : groups(base).thenCompose(this::copy));
  }

  private CompletionStage<Base> copy(List<Group> groups) {
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (int i = 0; i < groups.size(); i++) {
      LedgerId copy = copy(id, i);
      Group group = groups.get(i);
      all = all.thenCompose(done -> copy(copy, group));
    }
    return all.thenCompose(done -> Base.find(store, id))
        .thenCompose(this::groups)
        .thenCompose(
            now -> {
              if (!signatures(now).equals(signatures(groups))) {
                throw new TransientStoreException(
                    "what ledger [%s] stands on was compacted while it was copied; begin again"
                        .formatted(id));
              }
              return complete(now); // with the floors as they are now
            });
  }

  private static List<Bytes> signatures(List<Group> groups) {
    return groups.stream().map(Group::signature).toList();
  }

  private CompletionStage<List<Group>> groups(Base base) {
    CompletionStage<List<Group>> groups = CompletableFuture.completedStage(new ArrayList<>());
    List<Part> open = new ArrayList<>();
    for (int i = 0; i < base.layers().size(); i++) {
      boolean deepest = i == base.layers().size() - 1;
      Base.Layer layer = base.layers().get(i);
      Part part =
          new Part(layer, deepest ? -1 : base.layers().get(i + 1).revision(), layer.revision());
      groups =
          groups.thenCombine(
              new LedgerReader(store, layer.id()).floor(),
              (all, floor) -> {
                open.add(part);
                // its first revision and all behind it can be read: the next one can join
                if (deepest || floor > part.above() + 1) {
                  all.add(new Group(List.copyOf(open), floor, deepest));
                  open.clear();
                }
                return all;
              });
    }
    return groups;
  }

  private CompletionStage<Void> copy(LedgerId copy, Group group) {
    return store
        .get(LedgerKeys.state(copy, PLACE))
        .thenCompose(
            row -> {
              Optional<Place> place = row.map(Place::decode);
              Place start = new Place(group.signature(), 0, Bytes.EMPTY);
              return place.isPresent() && place.get().signature().equals(group.signature())
                  ? copy(copy, group, place.get())
                  : discard(LedgerKeys.all(copy))
                      .thenCompose(done -> write(copy, start, List.of()))
                      .thenCompose(done -> copy(copy, group, start));
            });
  }

  private CompletionStage<Void> discard(KeyRange range) {
    return store
        .scan(range, PAGE_ROWS_MAX, Direction.ASCENDING)
        .thenCompose(
            page ->
                (page.rows().isEmpty()
                        ? CompletableFuture.<Void>completedStage(null)
                        : commit(batch -> page.rows().forEach(row -> batch.delete(row.key()))))
                    .thenCompose(done -> pace.after(page.rows().size()))
                    .thenCompose(
                        done ->
                            page.rest().isPresent()
                                ? discard(page.rest().get())
                                : CompletableFuture.completedStage(null)));
  }

  private CompletionStage<Void> copy(LedgerId copy, Group group, Place place) {
    if (place.step() == 2 * group.parts().size()) {
      return CompletableFuture.completedStage(null);
    }
    Part part = group.parts().get(place.step() / 2);
    boolean commits = place.step() % 2 == 0;
    LedgerId source = part.layer().id();
    KeyRange all =
        commits
            ? LedgerKeys.log(source, Math.max(0, part.above()), part.upTo() + 1)
            : LedgerKeys.allVersions(source);
    KeyRange range = place.from().isEmpty() ? all : all.startingAt(place.from());
    return store
        .scan(range, rowsPerPage, Direction.ASCENDING)
        .thenCompose(
            page -> {
              List<Row> made =
                  commits ? commits(copy, group, part, page) : versions(copy, part, page);
              adapt(page);
              Place next =
                  page.rest().isPresent()
                      ? new Place(place.signature(), place.step(), page.rest().get().from())
                      : new Place(place.signature(), place.step() + 1, Bytes.EMPTY);
              boolean still = made.isEmpty() && page.rest().isPresent();
              return (still
                      ? CompletableFuture.<Void>completedStage(null)
                      : write(copy, next, made))
                  .thenCompose(done -> pace.after(page.rows().size() + made.size()))
                  .thenApply(done -> next);
            })
        .thenCompose(next -> copy(copy, group, next));
  }

  private void adapt(Page page) {
    long size = 1;
    for (Row row : page.rows()) {
      size += row.key().length() + row.value().length();
    }
    long fitting = Math.max(1, page.rows().size() * PAGE_BYTES / size);
    rowsPerPage = (int) Math.min(Math.min(fitting, rowsPerPage * 2L), PAGE_ROWS_MAX);
  }

  /**
   * Commits without what means nothing here. The one that made a layer lies at the revision that it
   * goes on from: of the oldest layer in a copy it stays, as instants before it belong to the copy
   * below.
   */
  private List<Row> commits(LedgerId copy, Group group, Part part, Page page) {
    boolean keepsFirst = part == group.last() && !group.deepest();
    List<Row> made = new ArrayList<>();
    for (Row row : page.rows()) {
      long first = LedgerKeys.firstOf(row.key());
      if (first <= part.above() && !(keepsFirst && first == part.above())) {
        continue;
      }
      LogRow bare = LedgerCopy.bare(LogRow.decode(first, row.value())).upTo(part.upTo());
      made.add(new Row(LedgerKeys.log(copy, first), bare.encode(false)));
      if (first % ANCHOR_EVERY == 0) {
        made.add(
            new Row(
                LedgerKeys.time(copy, bare.timestamp()),
                new BytesWriter(10).varint(first).toBytes()));
      }
    }
    return made;
  }

  private static List<Row> versions(LedgerId copy, Part part, Page page) {
    List<Row> made = new ArrayList<>();
    for (Row row : page.rows()) {
      LedgerKeys.VersionKey key = LedgerKeys.parseVersion(row.key());
      if (key.revision() > part.above() && key.revision() <= part.upTo()) {
        made.add(new Row(LedgerKeys.version(copy, key.entry(), key.revision()), row.value()));
      }
    }
    return made;
  }

  private CompletionStage<Void> write(LedgerId copy, Place place, List<Row> made) {
    rows += made.size();
    return commit(
            batch -> {
              made.forEach(row -> batch.put(row.key(), row.value()));
              batch.put(LedgerKeys.state(copy, PLACE), place.encode());
            })
        .thenAccept(done -> progress.accept(rows));
  }

  /** Makes ledgers of the copies. */
  private CompletionStage<Base> complete(List<Group> groups) {
    List<Base.Layer> layers = new ArrayList<>();
    for (int i = 0; i < groups.size(); i++) {
      Group group = groups.get(i);
      List<Base.Layer> copyOf = new ArrayList<>();
      group.parts().forEach(part -> copyOf.addAll(part.layer().origins()));
      layers.add(new Base.Layer(copy(id, i), group.upTo(), copyOf));
    }
    return commit(
            batch -> {
              for (int i = 0; i < groups.size(); i++) {
                Group group = groups.get(i);
                LedgerCopy.complete(batch, store, copy(id, i), group.upTo(), group.floor());
                if (i + 1 < groups.size()) { // a deletion here hides what is below
                  batch.put(
                      Base.key(copy(id, i)),
                      new Base(layers.subList(i + 1, layers.size())).encode());
                }
              }
            })
        .thenApply(done -> new Base(layers));
  }

  // ---- writing ----

  private interface Fill {
    void into(WriteBatch.Builder batch);
  }

  private CompletionStage<Void> commit(Fill fill) {
    return store
        .now()
        .thenCompose(
            now -> {
              WriteBatch.Builder batch = WriteBatch.at(now).require(permit);
              fill.into(batch);
              return commit(batch.build(), TRIES_MAX);
            });
  }

  private CompletionStage<Void> commit(WriteBatch batch, int tries) {
    return store
        .commit(batch)
        .handle((done, failure) -> failure)
        .thenCompose(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause == null) {
                return CompletableFuture.<Void>completedStage(null);
              }
              boolean again =
                  cause instanceof TransientStoreException
                      || cause instanceof UndeterminedCommitException;
              if (again && tries > 1) {
                return pace.after(batch.ops().size()).thenCompose(done -> commit(batch, tries - 1));
              }
              return CompletableFuture.failedStage(
                  cause instanceof RefusedCommitException ? new Stopped(id, cause) : cause);
            });
  }
}
