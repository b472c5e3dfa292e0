package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Reads a ledger and, where it stands on others, those through it: its own versions over the base's
 * at the revision of the fork, a deletion of its own over an entry of the base. For a ledger that
 * stands on nothing it costs what {@link LedgerReader} does.
 *
 * <p>Layer by layer, newest first; each holds the revisions between the next one's and its own
 * last, so a version by its revision, and a commit, lie in exactly one.
 *
 * <p>What a ledger stands on may be replaced by copies of its own, and what it stood on may go
 * {@link #RELEASED_AFTER} later. So it is asked for again after {@link #TRUSTED_FOR}, and what was
 * read through layers that had become older than that is read again.
 */
public final class ForkReader {
  /** How long what a ledger stands on is used without asking again. */
  public static final Duration TRUSTED_FOR = Duration.ofMinutes(4);

  /** How long a ledger is kept that another no longer stands on: more than twice as long. */
  public static final Duration RELEASED_AFTER = Duration.ofMinutes(10);

  private static final int TRIES_MAX = 3;

  // one for the process: what happens rarely, and costs each reader one look, needs no register
  private static final AtomicLong CHANGES = new AtomicLong();

  private final KvStore store;
  private final LedgerId id;
  private final Supplier<CompletionStage<Base>> find;
  private volatile Known known; // null until the base is known

  /**
   * Layers, and when they were asked for, by both clocks: a suspended machine stops the first.
   *
   * @param own all are the ledger's, so they stay
   */
  private record Known(List<Layer> layers, boolean own, long change, long nanos, long millis) {
    boolean isTrusted() {
      return own
          || change == CHANGES.get()
              && System.nanoTime() - nanos < TRUSTED_FOR.toNanos()
              && Math.abs(System.currentTimeMillis() - millis) < TRUSTED_FOR.toMillis();
    }
  }

  /**
   * A ledger whose revisions show through.
   *
   * @param above newest revision of the layer below; 0 if there is none
   * @param upTo newest revision that shows
   */
  private record Layer(LedgerId id, LedgerReader reader, long above, long upTo) {}

  /**
   * A reader that finds out, when it is first used, what the ledger stands on.
   *
   * @param find tells it; asked again after a failure
   */
  public ForkReader(KvStore store, LedgerId id, Supplier<CompletionStage<Base>> find) {
    this.store = store;
    this.id = id;
    this.find = find;
  }

  /** Some ledger stands on copies from now on: the readers of this process ask again. */
  public static void askAgain() {
    CHANGES.incrementAndGet();
  }

  private <T> CompletionStage<T> with(Function<List<Layer>, CompletionStage<T>> read) {
    Known now = known;
    return now != null && now.own() ? read.apply(now.layers()) : with(read, TRIES_MAX);
  }

  private <T> CompletionStage<T> with(Function<List<Layer>, CompletionStage<T>> read, int tries) {
    return known()
        .thenCompose(
            now ->
                read.apply(now.layers())
                    .thenCompose(
                        found -> {
                          if (now.isTrusted()) {
                            return CompletableFuture.completedStage(found);
                          }
                          return tries > 1
                              ? with(read, tries - 1)
                              : CompletableFuture.failedStage(tooSlow());
                        }));
  }

  private CompletionStage<Known> known() {
    Known now = known;
    if (now != null && now.isTrusted()) {
      return CompletableFuture.completedStage(now);
    }
    long change = CHANGES.get();
    long nanos = System.nanoTime();
    long millis = System.currentTimeMillis();
    return find.get()
        .thenApply(base -> known = new Known(layers(base), base.isOwn(), change, nanos, millis));
  }

  private TransientStoreException tooSlow() {
    return new TransientStoreException(
        "a read through what ledger [%s] stands on took longer than [%d] minutes, [%d] times; try again"
            .formatted(id, TimeUnit.MILLISECONDS.toMinutes(TRUSTED_FOR.toMillis()), TRIES_MAX));
  }

  private List<Layer> layers(Base base) {
    List<Layer> all = new ArrayList<>(base.layers().size() + 1);
    LedgerId top = id;
    long upTo = Long.MAX_VALUE;
    for (Base.Layer below : base.layers()) {
      all.add(new Layer(top, new LedgerReader(store, top), below.revision(), upTo));
      top = below.id();
      upTo = below.revision();
    }
    all.add(new Layer(top, new LedgerReader(store, top), -1, upTo));
    return all;
  }

  private static Layer holding(List<Layer> layers, long revision) {
    int at = 0;
    while (revision <= layers.get(at).above()) {
      at++;
    }
    return layers.get(at);
  }

  /** The ledger's own rows. */
  public LedgerReader own() {
    return new LedgerReader(store, id);
  }

  // ---- entries ----

  /** As {@link LedgerReader#version}. */
  public CompletionStage<Optional<Version>> version(EntryRef entry, long revision) {
    return with(layers -> version(layers, 0, entry, revision));
  }

  private static CompletionStage<Optional<Version>> version(
      List<Layer> layers, int from, EntryRef entry, long revision) {
    int at = from;
    while (revision <= layers.get(at).above()) {
      at++; // nothing that old is in this one
    }
    Layer layer = layers.get(at);
    CompletionStage<Optional<Version>> read =
        layer.reader().version(entry, Math.min(revision, layer.upTo()));
    if (at == layers.size() - 1) {
      return read;
    }
    int next = at + 1;
    return read.thenCompose(
        found ->
            found.isPresent()
                ? CompletableFuture.completedStage(found)
                : version(layers, next, entry, revision));
  }

  /** As {@link LedgerReader#exact}. */
  public CompletionStage<Optional<Version>> exact(EntryRef entry, long revision) {
    return with(layers -> holding(layers, revision).reader().exact(entry, revision));
  }

  /** As {@link LedgerReader#history}. */
  public CompletionStage<VersionPage> history(EntryRef entry, long revision, int limit) {
    return with(layers -> history(layers, 0, entry, revision, limit, new ArrayList<>()));
  }

  private CompletionStage<VersionPage> history(
      List<Layer> layers, int at, EntryRef entry, long revision, int limit, List<Version> found) {
    Layer layer = layers.get(at);
    boolean last = at == layers.size() - 1;
    if (!last && revision <= layer.above()) {
      return history(layers, at + 1, entry, revision, limit, found);
    }
    return layer
        .reader()
        .history(entry, Math.min(revision, layer.upTo()), limit - found.size())
        .thenCompose(
            page -> {
              found.addAll(page.versions());
              boolean more = page.rest().isPresent() || !last;
              if (found.size() >= limit && more) {
                long before = found.get(found.size() - 1).revision() - 1;
                return CompletableFuture.completedStage(
                    new VersionPage(
                        found, Optional.of(LedgerKeys.versionsFrom(id, entry, before))));
              }
              return last
                  ? CompletableFuture.completedStage(new VersionPage(found, Optional.empty()))
                  : history(layers, at + 1, entry, revision, limit, found);
            });
  }

  /**
   * As {@link LedgerReader#scan}.
   *
   * @param range of this ledger's rows
   */
  public CompletionStage<VersionPage> scan(
      KeyRange range, long revision, int limit, Direction direction) {
    return with(layers -> scan(layers, range, revision, limit, direction));
  }

  private CompletionStage<VersionPage> scan(
      List<Layer> layers, KeyRange range, long revision, int limit, Direction direction) {
    if (layers.size() == 1) {
      return layers.get(0).reader().scan(range, revision, limit, direction);
    }
    CompletionStage<List<VersionPage>> pages =
        CompletableFuture.completedStage(new ArrayList<>(layers.size()));
    for (Layer layer : layers) {
      if (revision > layer.above()) {
        CompletionStage<VersionPage> page =
            layer
                .reader()
                .scan(
                    LedgerKeys.ofLedger(layer.id(), range),
                    Math.min(revision, layer.upTo()),
                    limit,
                    direction);
        pages =
            pages.thenCombine(
                page,
                (all, each) -> {
                  all.add(each);
                  return all;
                });
      }
    }
    return pages.thenApply(all -> merged(all, range, limit, direction));
  }

  /**
   * Pages of the same range, those of upper layers first, as one: what lies behind the place that
   * one of them has reached waits for the next page.
   */
  private VersionPage merged(
      List<VersionPage> pages, KeyRange range, int limit, Direction direction) {
    boolean ascending = direction == Direction.ASCENDING;
    KeyRange covered = range;
    boolean whole = true;
    for (VersionPage page : pages) {
      if (page.rest().isPresent()) {
        KeyRange rest = LedgerKeys.ofLedger(id, page.rest().get());
        covered =
            ascending
                ? covered.endingAt(least(covered.to(), rest.from()))
                : covered.startingAt(greatest(covered.from(), rest.to()));
        whole = false;
      }
    }
    TreeMap<Bytes, Version> entries = new TreeMap<>();
    for (VersionPage page : pages) {
      for (Version version : page.versions()) {
        Bytes place = LedgerKeys.versionsStart(id, version.entry());
        if (isReached(covered, place, ascending, whole)) {
          entries.putIfAbsent(place, version);
        }
      }
    }
    List<Version> ordered =
        new ArrayList<>((ascending ? entries : entries.descendingMap()).values());
    if (ordered.size() > limit) {
      Bytes last = LedgerKeys.versionsStart(id, ordered.get(limit - 1).entry());
      return new VersionPage(
          ordered.subList(0, limit),
          Optional.of(ascending ? range.startingAt(KeyRange.after(last)) : range.endingAt(last)));
    }
    return new VersionPage(
        ordered,
        whole
            ? Optional.empty()
            : Optional.of(
                ascending ? range.startingAt(covered.to()) : range.endingAt(covered.from())));
  }

  private static boolean isReached(
      KeyRange covered, Bytes place, boolean ascending, boolean whole) {
    return whole
        || (ascending ? place.compareTo(covered.to()) < 0 : place.compareTo(covered.from()) >= 0);
  }

  private static Bytes least(Bytes a, Bytes b) {
    return a.compareTo(b) <= 0 ? a : b;
  }

  private static Bytes greatest(Bytes a, Bytes b) {
    return a.compareTo(b) >= 0 ? a : b;
  }

  // ---- commits and times ----

  /**
   * As {@link LedgerReader#log}; what a base did up to the fork is among it, so that a watcher can
   * begin before. A commit of the base that reaches beyond the fork is cut.
   */
  public CompletionStage<LedgerReader.LogPage> log(long from, int rowsMax) {
    return with(
        layers -> {
          Layer layer = holding(layers, from);
          CompletionStage<LedgerReader.LogPage> page = layer.reader().log(from, rowsMax);
          return layer == layers.get(0) ? page : page.thenApply(rows -> upTo(rows, layer.upTo()));
        });
  }

  private static LedgerReader.LogPage upTo(LedgerReader.LogPage page, long revision) {
    List<LogRow> rows =
        page.rows().stream()
            .filter(row -> row.first() <= revision)
            .map(row -> row.upTo(revision))
            .toList();
    return new LedgerReader.LogPage(rows, true); // the layer above goes on
  }

  /** As {@link LedgerReader#withBodies}. */
  public CompletionStage<LogRow> withBodies(
      LogRow row, Predicate<Change.OfEntry> wanted, int sizeMax) {
    return with(layers -> holding(layers, row.first()).reader().withBodies(row, wanted, sizeMax));
  }

  /** As {@link LedgerReader#rowOf}: of the ledger that holds the revision. */
  public CompletionStage<Optional<LogRow>> rowOf(long revision) {
    return with(layers -> holding(layers, revision).reader().rowOf(revision));
  }

  /** As {@link LedgerReader#revisionAt}: before a fork was made, its past is its base's. */
  public CompletionStage<Long> revisionAt(long timestamp) {
    return with(layers -> revisionAt(layers, 0, timestamp));
  }

  private static CompletionStage<Long> revisionAt(List<Layer> layers, int at, long timestamp) {
    Layer layer = layers.get(at);
    return layer
        .reader()
        .revisionAt(timestamp)
        .thenCompose(
            revision ->
                revision >= layer.above() && revision >= 0 || at == layers.size() - 1
                    ? CompletableFuture.completedStage(Math.min(revision, layer.upTo()))
                    : revisionAt(layers, at + 1, timestamp));
  }

  /**
   * The oldest revision that can be read, as far as a read at the given one is concerned: its own
   * floor, and that of the base that holds the revision. Reads look at it after they have read.
   */
  public CompletionStage<Long> floor(long revision) {
    return with(
        layers -> {
          Layer layer = holding(layers, revision);
          CompletionStage<Long> own = layers.get(0).reader().floor();
          return layer == layers.get(0) ? own : own.thenCombine(layer.reader().floor(), Math::max);
        });
  }
}
