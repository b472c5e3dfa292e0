package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.Version;
import io.nucleusmem.ledger.VersionPage;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;

/**
 * One page of a comparison: both sides are scanned in step, by region and key. Versions of a ledger
 * that both sides stand on are told by their revision, others by what they hold.
 */
final class DiffScan {
  private static final int STEP = 500; // keys of each side read at once
  private static final int STEPS_MAX = 32;
  private static final int PAGE_BYTES_MAX = 4 << 20;
  private static final int AUTHORS_VERSIONS_MAX = 100; // versions of a key looked at for authors

  /** A side of the comparison. */
  record Side(
      LedgerId id,
      ForkReader reader,
      Base base,
      long revision,
      MountInfo mount,
      UnaryOperator<Version> show) {
    /** Newest revision that this side shows of a ledger; -1 if it does not stand on it. */
    private long shows(LedgerId ledger) {
      if (id.equals(ledger)) {
        return revision;
      }
      return base.origin(ledger).map(layer -> Math.min(layer.revision(), revision)).orElse(-1L);
    }

    /** Newest revision up to which both show the same versions; -1 if there is none. */
    static long common(Side a, Side b) {
      long common = Math.min(a.revision(), b.shows(a.id()));
      for (Base.Layer layer : a.base().origins()) {
        common = Math.max(common, Math.min(a.shows(layer.id()), b.shows(layer.id())));
      }
      return common;
    }

    private boolean covers(Version version) {
      EntryKey key = SpaceRows.key(version.entry());
      return !version.deleted() && mount.covers(key.region(), key.name());
    }
  }

  private record Both(Version before, Version after) {}

  private final Side before;
  private final Side after;
  private final int limit;
  private final long common;
  private final List<Difference> items = new ArrayList<>();
  private long bytes;

  DiffScan(Side before, Side after, int limit) {
    this.before = before;
    this.after = after;
    this.limit = limit;
    this.common = Side.common(before, after);
  }

  List<Difference> items() {
    return items;
  }

  /**
   * Fills the page.
   *
   * @param left ranges of the first side's rows, in order
   * @return where the next page begins; empty at the end
   */
  CompletionStage<Optional<Bytes>> run(List<KeyRange> left) {
    return step(left, STEPS_MAX);
  }

  private CompletionStage<Optional<Bytes>> step(List<KeyRange> left, int steps) {
    if (left.isEmpty()) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    KeyRange range = left.get(0);
    if (steps == 0 || items.size() >= limit || bytes >= PAGE_BYTES_MAX) {
      return CompletableFuture.completedStage(Optional.of(range.from()));
    }
    return scan(before, range)
        .thenCombine(scan(after, range), (a, b) -> compare(range, a, b))
        .thenCompose(
            rest ->
                rest.thenCompose(
                    from -> {
                      List<KeyRange> next = new ArrayList<>(left.subList(1, left.size()));
                      from.ifPresent(place -> next.add(0, range.startingAt(place)));
                      return step(next, steps - 1);
                    }));
  }

  private static CompletionStage<VersionPage> scan(Side side, KeyRange range) {
    return side.reader()
        .scan(LedgerKeys.ofLedger(side.id(), range), side.revision(), STEP, Direction.ASCENDING);
  }

  /** Compares what both pages have reached; tells where the next step begins. */
  private CompletionStage<Optional<Bytes>> compare(KeyRange range, VersionPage a, VersionPage b) {
    Optional<Bytes> frontier = rest(a);
    Optional<Bytes> other = rest(b);
    if (frontier.isEmpty() || other.isPresent() && other.get().compareTo(frontier.get()) < 0) {
      frontier = other;
    }
    TreeMap<Bytes, Both> keys = new TreeMap<>();
    for (Version version : a.versions()) {
      keys.put(place(version.entry()), new Both(version, null));
    }
    for (Version version : b.versions()) {
      keys.merge(
          place(version.entry()),
          new Both(null, version),
          (one, two) -> new Both(one.before(), two.after()));
    }
    if (frontier.isPresent()) {
      keys.tailMap(frontier.get(), true).clear();
    }
    keys.values().removeIf(this::isSame);
    return add(keys.entrySet().iterator(), frontier);
  }

  private Optional<Bytes> rest(VersionPage page) {
    return page.rest().map(range -> LedgerKeys.ofLedger(before.id(), range).from());
  }

  private Bytes place(EntryRef entry) {
    return LedgerKeys.versionsStart(before.id(), entry);
  }

  private boolean isSame(Both both) {
    Version one = both.before() != null && before.covers(both.before()) ? both.before() : null;
    Version two = both.after() != null && after.covers(both.after()) ? both.after() : null;
    if (one == null || two == null) {
      return one == null && two == null;
    }
    return one.revision() == two.revision() && one.revision() <= common || SameContent.of(one, two);
  }

  /** Adds one by one, as each needs its authors, until the page is full. */
  private CompletionStage<Optional<Bytes>> add(
      Iterator<Map.Entry<Bytes, Both>> keys, Optional<Bytes> frontier) {
    if (!keys.hasNext()) {
      return CompletableFuture.completedStage(frontier);
    }
    Map.Entry<Bytes, Both> next = keys.next();
    if (items.size() >= limit || bytes >= PAGE_BYTES_MAX) {
      return CompletableFuture.completedStage(Optional.of(next.getKey()));
    }
    return difference(next.getValue())
        .thenCompose(
            item -> {
              items.add(item);
              return add(keys, frontier);
            });
  }

  private CompletionStage<Difference> difference(Both both) {
    Optional<Entry> one =
        Optional.ofNullable(both.before()).filter(before::covers).map(v -> entry(before, v));
    Optional<Entry> two =
        Optional.ofNullable(both.after()).filter(after::covers).map(v -> entry(after, v));
    EntryRef ref = (both.before() != null ? both.before() : both.after()).entry();
    Difference.Kind kind =
        one.isEmpty()
            ? Difference.Kind.ADDED
            : two.isEmpty() ? Difference.Kind.REMOVED : Difference.Kind.CHANGED;
    Set<String> authors = new LinkedHashSet<>();
    return authors(after, ref, authors)
        .thenCompose(done -> authors(before, ref, authors))
        .thenApply(
            done -> new Difference(SpaceRows.key(ref), kind, one, two, List.copyOf(authors)));
  }

  private Entry entry(Side side, Version stored) {
    Version version = side.show().apply(stored);
    bytes += version.body().length();
    return ContentCodec.entry(version, true);
  }

  /** Who wrote a key on one side since both were one. */
  private CompletionStage<Void> authors(Side side, EntryRef entry, Set<String> into) {
    int versions = common < 0 ? 1 : AUTHORS_VERSIONS_MAX;
    return side.reader()
        .history(entry, side.revision(), versions)
        .thenAccept(
            page ->
                page.versions().stream()
                    .filter(version -> version.revision() > common)
                    .forEach(version -> into.add(version.author())));
  }
}
