package io.nucleusmem.receipts;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaceSystem;
import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads the logs of all nodes from the store, on any node.
 *
 * <p>What follows from rounds is written behind them; those that it does not cover yet are read
 * too: first it is looked how far the rows go, then the log is read from there, then they are.
 */
final class ReceiptReader {
  static final int ROUNDS_PAGE = 64;

  private static final int SEEN_ROUNDS_MAX = 100_000; // of all versions of a key
  private static final int LIVES_PAGE = 1_024;
  private static final int LAST_ROUNDS = 8; // those that end a log have no records, and are few

  private final KvStore store;
  private final ReceiptTail tail;
  private final ReceiptFloor floor;

  ReceiptReader(KvStore store) {
    this.store = store;
    this.tail = new ReceiptTail(store);
    this.floor = new ReceiptFloor(store);
  }

  /** Before this timestamp receipts may be gone; 0: all are there. */
  CompletionStage<Long> floor() {
    return floor.read();
  }

  /**
   * Some rounds.
   *
   * @param more true if there may be others behind the last one
   */
  record Rounds(List<Round> rounds, boolean more) {}

  /** What is known of a life. */
  record LifeState(Optional<Began> began, Map<String, Long> confirmed) {
    boolean confirms(LogRecord.Delivered delivered, SeenVersion version, long seq) {
      return delivered.input()
          ? confirmed.getOrDefault(delivered.via(), 0L) >= version.revision()
          : confirmed.getOrDefault(LogRecord.Confirmed.READS, 0L) >= seq;
    }
  }

  /** The rounds that have something of an agent, behind a place and up to a timestamp. */
  CompletionStage<Rounds> ofAgent(String agent, Place after, long until) {
    return tail.read()
        .thenCompose(
            tail ->
                places(ReceiptKeys.rangeOfAgent(agent, after, until), after, ReceiptListing::places)
                    .thenCombine(
                        places(
                            ReceiptKeys.from(ReceiptKeys.agent(agent), after.timestamp()),
                            after,
                            ReceiptListing::places),
                        Places::both)
                    .thenCompose(
                        places -> {
                          places.upTo(until);
                          places.addAll(
                              tail.stream()
                                  .filter(round -> concerns(round, agent))
                                  .map(Place::of)
                                  .filter(at -> at.timestamp() <= until),
                              after);
                          return rounds(places, tail);
                        }));
  }

  private static boolean concerns(Round round, String agent) {
    return round.records().stream()
        .anyMatch(
            record -> record.agent().equals(agent) && !(record instanceof LogRecord.Confirmed));
  }

  /** The rounds in which somebody got a version, behind a place; revision 0: any of its key. */
  CompletionStage<Rounds> ofVersion(LedgerId space, SeenVersion version, Place after) {
    Bytes id = space.bytes();
    boolean any = version.revision() == 0;
    return tail.read()
        .thenCompose(
            tail ->
                (any ? anyVersion(id, version, after) : oneVersion(id, version, after))
                    .thenCompose(
                        places -> {
                          places.addAll(
                              tail.stream()
                                  .filter(round -> delivers(round, space, version))
                                  .map(Place::of),
                              after);
                          return rounds(places, tail);
                        }));
  }

  /** True if a delivery brought the version, or one of its key if the revision is 0. */
  static boolean brings(LogRecord.Delivered delivered, LedgerId space, SeenVersion wanted) {
    return MemSpaceSystem.spaceOf(delivered.mount()).equals(space)
        && delivered.versions().stream().anyMatch(version -> matches(version, wanted));
  }

  static boolean matches(SeenVersion version, SeenVersion wanted) {
    return version.code() == wanted.code()
        && version.key().equals(wanted.key())
        && version.revision() > 0
        && (wanted.revision() == 0 || wanted.revision() == version.revision());
  }

  private static boolean delivers(Round round, LedgerId space, SeenVersion version) {
    return round.records().stream()
        .anyMatch(record -> record instanceof LogRecord.Delivered it && brings(it, space, version));
  }

  /**
   * Places in their order.
   *
   * @param more true if there are others behind the last one
   */
  private record Places(TreeSet<Place> all, boolean more) {
    /** Those of both; behind the last one of those that go on, nothing is known yet. */
    static Places both(Places one, Places other) {
      TreeSet<Place> all = new TreeSet<>(one.all);
      all.addAll(other.all);
      for (Places each : List.of(one, other)) {
        if (each.more) {
          all.tailSet(each.all.last(), false).clear();
        }
      }
      return new Places(all, one.more || other.more);
    }

    /** Forgets those behind a timestamp. */
    void upTo(long until) {
      all.tailSet(Place.before(until + 1), true).clear();
    }

    /**
     * Adds those of the log's tail; where the rows go on, only up to the last one that is known.
     */
    void addAll(Stream<Place> tail, Place after) {
      Place last = more && !all.isEmpty() ? all.last() : null;
      tail.filter(place -> place.compareTo(after) > 0)
          .filter(place -> last == null || place.compareTo(last) < 0)
          .forEach(all::add);
    }
  }

  /** Those that rows list behind a place; if there are more, some of them. */
  private CompletionStage<Places> places(
      KeyRange range, Place after, Function<Row, List<Place>> listed) {
    return places(range, after, listed, new TreeSet<>());
  }

  private CompletionStage<Places> places(
      KeyRange range, Place after, Function<Row, List<Place>> listed, TreeSet<Place> found) {
    if (range.isEmpty()) {
      return CompletableFuture.completedStage(new Places(found, false));
    }
    return store
        .scan(range, ROUNDS_PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              add(page, after, listed, found);
              if (page.rest().isEmpty()) {
                return CompletableFuture.completedStage(new Places(found, false));
              }
              // what other rows list lies behind the begin of the last one
              Row last = page.rows().get(page.rows().size() - 1);
              TreeSet<Place> all =
                  new TreeSet<>(found.headSet(ReceiptKeys.placeOf(last.key()), true));
              return all.isEmpty()
                  ? places(page.rest().get(), after, listed, found)
                  : CompletableFuture.completedStage(new Places(all, true));
            });
  }

  private static void add(
      Page page, Place after, Function<Row, List<Place>> listed, TreeSet<Place> found) {
    for (Row row : page.rows()) {
      for (Place place : listed.apply(row)) {
        if (place.compareTo(after) > 0) {
          found.add(place);
        }
      }
    }
  }

  private CompletionStage<Places> oneVersion(Bytes space, SeenVersion version, Place after) {
    return places(ReceiptKeys.rangeOfVersion(space, version, after), after, ReceiptListing::places)
        .thenCombine(
            places(
                ReceiptKeys.from(ReceiptKeys.block(space, version), after.timestamp()),
                after,
                row -> ReceiptListing.places(row, version)),
            Places::both);
  }

  private CompletionStage<Places> anyVersion(Bytes space, SeenVersion version, Place after) {
    TreeSet<Place> found = new TreeSet<>();
    return allPlaces(ReceiptKeys.rangeOfKey(space, version), after, ReceiptListing::places, found)
        .thenCompose(
            done ->
                allPlaces(
                    ReceiptKeys.rangeOfBucket(space, version),
                    after,
                    row -> ReceiptListing.places(row, version),
                    found));
  }

  /** The places of all versions of a key: they lie by revision, not by time. */
  private CompletionStage<Places> allPlaces(
      KeyRange range, Place after, Function<Row, List<Place>> listed, TreeSet<Place> found) {
    return store
        .scan(range, KvStore.SCAN_ROWS_MAX, Direction.ASCENDING)
        .thenCompose(
            page -> {
              add(page, after, listed, found);
              if (page.rest().isEmpty()) {
                return CompletableFuture.completedStage(new Places(found, false));
              }
              if (found.size() > SEEN_ROUNDS_MAX) {
                throw MemSpaceException.tooLarge(
                    "the history of who saw this key; name a revision, it",
                    found.size(),
                    SEEN_ROUNDS_MAX,
                    "rounds");
              }
              return allPlaces(page.rest().get(), after, listed, found);
            });
  }

  /** The first rounds at these places. */
  private CompletionStage<Rounds> rounds(Places places, List<Round> tail) {
    List<Place> wanted = places.all().stream().limit(ROUNDS_PAGE).toList();
    // behind the last row of a page that has a rest nothing is known yet
    boolean more = places.more() || wanted.size() < places.all().size();
    Map<Bytes, Round> found = new HashMap<>();
    tail.forEach(round -> found.put(Place.of(round).roundKey(), round));
    List<Bytes> keys =
        wanted.stream().map(Place::roundKey).filter(key -> !found.containsKey(key)).toList();
    return store
        .getAll(keys)
        .thenApply(
            rows -> {
              rows.forEach((key, value) -> found.put(key, Round.decode(key, value)));
              List<Round> rounds = new ArrayList<>();
              for (Place place : wanted) {
                Round round = found.get(place.roundKey());
                if (round != null) {
                  rounds.add(round);
                }
              }
              return new Rounds(rounds, more);
            });
  }

  // ---- lives ----

  /** What is known of lives of an agent. */
  CompletionStage<Map<Life, LifeState>> lives(String agent, Set<Life> lives) {
    Set<Bytes> keys = new LinkedHashSet<>();
    for (Life life : lives) {
      keys.add(ReceiptKeys.began(agent, life));
      keys.add(ReceiptKeys.confirmed(agent, life));
    }
    return store
        .getAll(keys)
        .thenCombine(
            tail.read(),
            (rows, tail) -> {
              Map<Life, LifeState> states = new HashMap<>();
              for (Life life : lives) {
                states.put(life, state(agent, life, rows, tail));
              }
              return states;
            });
  }

  private static LifeState state(
      String agent, Life life, Map<Bytes, Bytes> rows, List<Round> tail) {
    Began began =
        Optional.ofNullable(rows.get(ReceiptKeys.began(agent, life)))
            .map(row -> StateJson.decode(row, Began.class))
            .orElse(null);
    Map<String, Long> confirmed = new TreeMap<>();
    Bytes row = rows.get(ReceiptKeys.confirmed(agent, life));
    if (row != null) {
      confirmed.putAll(StateJson.decode(row, ReceiptIndex.ConfirmedRow.class).upTo());
    }
    for (Round round : tail) {
      for (LogRecord record : round.records()) {
        if (!record.life().equals(life) || !record.agent().equals(agent)) {
          continue;
        }
        if (record instanceof LogRecord.LifeBegan it) {
          began = it.what();
        } else if (record instanceof LogRecord.Confirmed it) {
          it.upTo().forEach((watch, upTo) -> confirmed.merge(watch, upTo, Math::max));
        }
      }
    }
    return new LifeState(Optional.ofNullable(began), confirmed);
  }

  /** All lives of an agent, with what it was in each. */
  CompletionStage<Map<Life, Began>> lives(String agent) {
    return livesIn(ReceiptKeys.began(agent))
        .thenCombine(
            tail.read(),
            (lives, tail) -> {
              for (Round round : tail) {
                for (LogRecord record : round.records()) {
                  if (record instanceof LogRecord.LifeBegan it && it.agent().equals(agent)) {
                    lives.put(it.life(), it.what());
                  }
                }
              }
              return lives;
            });
  }

  private CompletionStage<Map<Life, Began>> livesIn(KeyRange range) {
    return store
        .scan(range, LIVES_PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              Map<Life, Began> lives = new HashMap<>();
              page.rows()
                  .forEach(
                      row ->
                          lives.put(
                              ReceiptKeys.lifeOf(row.key()),
                              StateJson.decode(row.value(), Began.class)));
              return page.rest().isEmpty()
                  ? CompletableFuture.completedStage(lives)
                  : livesIn(page.rest().get())
                      .thenApply(
                          rest -> {
                            lives.putAll(rest);
                            return lives;
                          });
            });
  }

  // ---- what no receipt tells ----

  /** By node the one in which its lives went on, since it had been taken for dead. */
  CompletionStage<Map<Long, Long>> followers() {
    return new DeadLogs(store)
        .nodes()
        .thenApply(
            nodes -> {
              Map<Long, Long> followers = new HashMap<>();
              nodes.forEach(
                  (node, row) -> {
                    if (row.follows() != 0) {
                      followers.put(row.follows(), node);
                    }
                  });
              return followers;
            });
  }

  /** Those lives whose node has stopped or died: they go on nowhere. */
  CompletionStage<Set<Life>> ended(Set<Life> lives) {
    return new DeadLogs(store)
        .nodes()
        .thenApply(
            nodes ->
                lives.stream()
                    .filter(life -> isEnded(life.node(), nodes))
                    .collect(Collectors.toSet()));
  }

  private static boolean isEnded(long node, Map<Long, NodeRow> nodes) {
    Optional<Long> follower =
        nodes.entrySet().stream()
            .filter(each -> each.getValue().follows() == node)
            .map(Map.Entry::getKey)
            .findFirst();
    if (follower.isPresent()) {
      return isEnded(follower.get(), nodes);
    }
    NodeRow row = nodes.get(node);
    return row == null
        || !row.isOpen()
        || nodes.entrySet().stream() // of a process that was killed and began again
            .anyMatch(
                each -> each.getKey() > node && each.getValue().address().equals(row.address()));
  }

  /**
   * A time in which a node may have done something that is not recorded: timestamps.
   *
   * @param until the largest while the node may be alive
   */
  record Unrecorded(long after, long until) {}

  /** When that was; empty for a node that stopped in good order, or of which nothing is known. */
  CompletionStage<Optional<Unrecorded>> unrecorded(long node) {
    return store
        .get(ReceiptKeys.node(node))
        .thenCombine(
            store.scan(ReceiptKeys.roundsAfter(node, 0), LAST_ROUNDS, Direction.DESCENDING),
            (row, last) -> {
              int state = row.map(NodeRow::decode).map(NodeRow::state).orElse(NodeRow.CLOSED);
              if (state == NodeRow.CLOSED) {
                return Optional.empty();
              }
              long until = Long.MAX_VALUE - 1;
              for (Row each : last.rows()) {
                Round round = Round.decode(each.key(), each.value());
                if (!round.records().isEmpty()) {
                  return Optional.of(new Unrecorded(round.timestamp(), until));
                }
                until = round.timestamp(); // another node ended the log then
              }
              return Optional.of(new Unrecorded(node, until));
            });
  }
}
