package io.nucleusmem.receipts;

import io.nucleusmem.ledger.Pace;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;

/**
 * Removes receipts that their retention lets go: first the floor is raised, then rounds before it
 * go, with what follows from them. It goes on where it was cut short, since the floor stays. A node
 * that has ended, and none of whose rounds is left, is forgotten with the lives that began there,
 * unless they may have gone on in a log that is still there.
 */
final class ReceiptCompactor {
  private static final int PAGE = 64; // rounds in memory
  private static final int BATCH_ROWS = 512;
  private static final long NEWEST_MILLIS = Duration.ofMinutes(1).toMillis(); // is never removed
  private static final double KEPT = 0.9; // of the bytes allowed: not each look removes a little

  private final KvStore store;
  private final ReceiptRetention retention;
  private final Pace pace;
  private final DeadLogs logs;
  private final ReceiptFloor floor;
  private volatile boolean earlier; // there are rows that earlier versions wrote

  ReceiptCompactor(KvStore store, ReceiptRetention retention, Pace pace) {
    this.store = store;
    this.retention = retention;
    this.pace = pace;
    this.logs = new DeadLogs(store);
    this.floor = new ReceiptFloor(store);
  }

  /** Raises the floor as far as the policy wants, and removes what is before it. */
  CompletionStage<Void> run(BooleanSupplier stopped) {
    if (retention.keepsAll()) {
      return floor.read().thenCompose(floor -> removeBefore(floor, stopped));
    }
    return logs.nodes()
        .thenCompose(nodes -> spans(List.copyOf(nodes.keySet())))
        .thenCombine(store.now(), (spans, now) -> wanted(spans, Timestamps.millis(now)))
        .thenCompose(wanted -> wanted)
        .thenCompose(
            millis ->
                millis <= 0
                    ? CompletableFuture.<Void>completedStage(null)
                    : floor.raise(ReceiptKeys.second(Timestamps.firstOf(millis))))
        .thenCompose(done -> floor.read())
        .thenCompose(floor -> removeBefore(floor, stopped));
  }

  // ---- where the floor is to be ----

  /** Oldest and newest round of a node. */
  private record Span(Round oldest, Round newest) {
    /** All rounds have about this many bytes; the newest one is not counted. */
    long bytes() {
      return newest.before() - oldest.before();
    }
  }

  private CompletionStage<List<Span>> spans(List<Long> nodes) {
    CompletionStage<List<Span>> all = CompletableFuture.completedStage(new ArrayList<>());
    for (long node : nodes) {
      KeyRange rounds = ReceiptKeys.roundsAfter(node, 0);
      CompletionStage<Optional<Span>> span =
          store
              .scan(rounds, 1, Direction.ASCENDING)
              .thenCombine(store.scan(rounds, 1, Direction.DESCENDING), ReceiptCompactor::span);
      all =
          all.thenCombine(
              span,
              (list, each) -> {
                each.ifPresent(list::add);
                return list;
              });
    }
    return all;
  }

  private static Optional<Span> span(Page oldest, Page newest) {
    return oldest.rows().isEmpty() || newest.rows().isEmpty()
        ? Optional.empty()
        : Optional.of(new Span(round(oldest.rows().get(0)), round(newest.rows().get(0))));
  }

  private static Round round(Row row) {
    return Round.decode(row.key(), row.value());
  }

  /** The first millisecond that is kept; 0: all are. */
  private CompletionStage<Long> wanted(List<Span> spans, long now) {
    long byAge = retention.maxAge().map(age -> now - age.toMillis()).orElse(0L);
    boolean old =
        spans.stream().anyMatch(span -> Timestamps.millis(span.oldest().timestamp()) < byAge);
    long newest = now - NEWEST_MILLIS;
    long age = old ? Math.min(byAge, newest) : 0;
    long bytes = spans.stream().mapToLong(Span::bytes).sum();
    if (retention.maxBytes().isEmpty() || bytes <= retention.maxBytes().get()) {
      return CompletableFuture.completedStage(age);
    }
    long allowed = (long) (retention.maxBytes().get() * KEPT);
    long oldest =
        spans.stream()
            .mapToLong(span -> Timestamps.millis(span.oldest().timestamp()))
            .min()
            .orElse(newest);
    return byBytes(spans, allowed, oldest, Math.max(oldest, newest))
        .thenApply(millis -> Math.max(age, millis));
  }

  /** The first millisecond from which on no more than these bytes are there, by halving. */
  private CompletionStage<Long> byBytes(List<Span> spans, long allowed, long low, long high) {
    if (low >= high) {
      return CompletableFuture.completedStage(high);
    }
    long middle = low + (high - low) / 2;
    CompletionStage<Long> bytes = CompletableFuture.completedStage(0L);
    for (Span span : spans) {
      bytes =
          bytes.thenCombine(
              first(span.oldest(), span.newest(), Timestamps.firstOf(middle)),
              (sum, first) -> sum + span.newest().before() - first.before());
    }
    return bytes.thenCompose(
        kept ->
            kept > allowed
                ? byBytes(spans, allowed, middle + 1, high)
                : byBytes(spans, allowed, low, middle));
  }

  /** The first round at or behind a timestamp, or the newest; rounds have all numbers. */
  private CompletionStage<Round> first(Round low, Round high, long timestamp) {
    if (low.timestamp() >= timestamp) {
      return CompletableFuture.completedStage(low);
    }
    if (high.number() - low.number() <= 1) {
      return CompletableFuture.completedStage(high);
    }
    long middle = low.number() + (high.number() - low.number()) / 2;
    Bytes key = ReceiptKeys.round(low.node(), middle);
    return store
        .get(key)
        .thenCompose(
            row -> {
              // one that another node removes meanwhile lies before all that is kept
              if (row.isEmpty()) {
                return CompletableFuture.completedStage(high);
              }
              Round found = Round.decode(key, row.get());
              return found.timestamp() >= timestamp
                  ? first(low, found, timestamp)
                  : first(found, high, timestamp);
            });
  }

  // ---- what is before the floor ----

  private CompletionStage<Void> removeBefore(long floor, BooleanSupplier stopped) {
    if (floor == 0) {
      return CompletableFuture.completedStage(null);
    }
    long timestamp = ReceiptKeys.second(floor); // rows list rounds of a second together
    return hasEarlier()
        .thenAccept(there -> earlier = there)
        .thenCompose(done -> logs.nodes())
        .thenCompose(
            nodes -> {
              CompletionStage<Set<Long>> gone = CompletableFuture.completedStage(new HashSet<>());
              for (Map.Entry<Long, NodeRow> each : nodes.entrySet()) {
                gone =
                    gone.thenCompose(
                        all ->
                            remove(each.getKey(), each.getValue().isOpen(), timestamp, stopped)
                                .thenApply(
                                    empty -> {
                                      if (empty && !each.getValue().isOpen()) {
                                        all.add(each.getKey());
                                      }
                                      return all;
                                    }));
              }
              return gone.thenApply(all -> withoutFollowed(all, nodes));
            })
        .thenCompose(
            gone ->
                gone.isEmpty() || stopped.getAsBoolean()
                    ? CompletableFuture.completedStage(null)
                    : lives(ReceiptKeys.began(), gone).thenCompose(done -> forget(gone)));
  }

  /** Those whose lives can't have gone on in one that stays. */
  private static Set<Long> withoutFollowed(Set<Long> gone, Map<Long, NodeRow> nodes) {
    for (Map.Entry<Long, NodeRow> each : nodes.entrySet()) {
      NodeRow stays = gone.contains(each.getKey()) ? null : each.getValue();
      while (stays != null && gone.remove(stays.follows())) {
        stays = nodes.get(stays.follows());
      }
    }
    return gone;
  }

  /**
   * Removes the rounds of a node; true if none is left.
   *
   * @param open then only those that are indexed; a log that has ended is
   */
  private CompletionStage<Boolean> remove(
      long node, boolean open, long before, BooleanSupplier stopped) {
    return store
        .get(ReceiptKeys.indexed(node))
        .thenCombine(
            store.scan(ReceiptKeys.roundsAfter(node, 0), PAGE, Direction.ASCENDING),
            (row, page) -> {
              long indexed =
                  open ? row.map(value -> new BytesReader(value).i64()).orElse(0L) : Long.MAX_VALUE;
              List<Round> old =
                  page.rows().stream()
                      .map(ReceiptCompactor::round)
                      .filter(round -> round.timestamp() < before && round.number() <= indexed)
                      .toList();
              return removed(old)
                  .thenCompose(
                      done ->
                          old.size() < page.rows().size() || stopped.getAsBoolean()
                              ? CompletableFuture.completedStage(page.rows().isEmpty())
                              : page.rest().isEmpty()
                                  ? CompletableFuture.completedStage(true)
                                  : remove(node, open, before, stopped));
            })
        .thenCompose(stage -> stage);
  }

  private CompletionStage<Boolean> hasEarlier() {
    CompletionStage<Boolean> any = CompletableFuture.completedStage(false);
    for (KeyRange range : ReceiptKeys.earlier()) {
      any =
          any.thenCombine(
              store.scan(range, 1, Direction.ASCENDING),
              (there, page) -> there || !page.rows().isEmpty());
    }
    return any;
  }

  /** Removes rounds of a node, with all rows that list them. */
  private CompletionStage<Void> removed(List<Round> rounds) {
    Set<KeyRange> listings = new LinkedHashSet<>();
    List<Bytes> keys = new ArrayList<>();
    for (Round round : rounds) {
      for (Bytes head : ReceiptListing.heads(round)) {
        listings.add(ReceiptKeys.ofSecond(head, round.timestamp()));
      }
      if (earlier) {
        keys.addAll(ReceiptListing.earlierKeys(round));
      }
    }
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (KeyRange listing : listings) {
      all = all.thenCompose(done -> listed(listing, rounds.get(0).node(), keys));
    }
    // rounds go last: what follows from them is found by them
    return all.thenCompose(done -> delete(keys, 0))
        .thenCompose(
            done -> delete(rounds.stream().map(each -> Place.of(each).roundKey()).toList(), 0));
  }

  /** Finds the rows of a range that list rounds of a node. */
  private CompletionStage<Void> listed(KeyRange range, long node, List<Bytes> keys) {
    return store
        .scan(range, BATCH_ROWS, Direction.ASCENDING)
        .thenCompose(
            page -> {
              for (Row row : page.rows()) {
                if (ReceiptKeys.placeOf(row.key()).node() == node) {
                  keys.add(row.key());
                }
              }
              return page.rest().isEmpty()
                  ? CompletableFuture.completedStage(null)
                  : listed(page.rest().get(), node, keys);
            });
  }

  private CompletionStage<Void> delete(List<Bytes> keys, int from) {
    if (from >= keys.size()) {
      return CompletableFuture.completedStage(null);
    }
    int to = Math.min(keys.size(), from + BATCH_ROWS);
    return store
        .now()
        .thenCompose(
            now -> {
              WriteBatch.Builder batch = WriteBatch.at(now);
              keys.subList(from, to).forEach(batch::delete);
              return store.commit(batch.build());
            })
        .thenCompose(done -> pace.after(to - from))
        .thenCompose(done -> delete(keys, to));
  }

  /** Removes what lives of nodes were. */
  private CompletionStage<Void> lives(KeyRange range, Set<Long> nodes) {
    return store
        .scan(range, BATCH_ROWS, Direction.ASCENDING)
        .thenCompose(
            page -> {
              List<Bytes> keys = new ArrayList<>();
              for (Row row : page.rows()) {
                if (nodes.contains(ReceiptKeys.lifeOf(row.key()).node())) {
                  keys.add(ReceiptKeys.confirmedOf(row.key()));
                  keys.add(row.key());
                }
              }
              return pace.after(page.rows().size())
                  .thenCompose(done -> delete(keys, 0))
                  .thenCompose(
                      done ->
                          page.rest().isEmpty()
                              ? CompletableFuture.completedStage(null)
                              : lives(page.rest().get(), nodes));
            });
  }

  private CompletionStage<Void> forget(Set<Long> nodes) {
    List<Bytes> keys = new ArrayList<>();
    for (long node : nodes) {
      keys.add(ReceiptKeys.node(node));
      keys.add(ReceiptKeys.indexed(node));
    }
    return delete(keys, 0);
  }
}
