package io.nucleusmem.receipts;

import akka.actor.typed.ActorSystem;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.StoreExtension;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaceSystem;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.SpaceInfo;
import io.nucleusmem.memspace.SpaceKind;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.receipts.ReceiptReader.LifeState;
import io.nucleusmem.receipts.ReceiptReader.Rounds;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.Predicate;

/** Answers about receipts, on any node. */
public final class ReceiptsClient implements Receipts {
  private static final int PAGE_MAX = 1_000;

  private final MemSpaces spaces;
  private final MemSpaceSystem system;
  private final ReceiptReader reader;
  private final VersionSource versions;
  private final int containmentMax;
  private final String inboxes; // name of their space

  /** The client of a node. */
  public static ReceiptsClient of(ActorSystem<?> system) {
    return new ReceiptsClient(
        StoreExtension.get(system).store(),
        NucleusMem.get(system),
        ReceiptSettings.from(system.settings().config()).containmentMax(),
        system.settings().config().getString("nucleusmem.agents.space"));
  }

  private ReceiptsClient(KvStore store, NucleusMem memory, int containmentMax, String inboxes) {
    this.inboxes = inboxes;
    this.spaces = memory.spaces();
    this.system = memory.system();
    this.reader = new ReceiptReader(store);
    this.versions = new VersionSource(system);
    this.containmentMax = containmentMax;
  }

  /** What reruns play back. */
  public RerunSource rerunSource() {
    return new RerunSource(this, reader, versions);
  }

  // ---- what an agent saw ----

  @Override
  public CompletionStage<Paged<Receipt>> saw(
      Principal caller,
      String agent,
      Instant from,
      Instant until,
      int limit,
      Optional<String> cursor) {
    return checked(
        () -> {
          limit(limit);
          if (from.isAfter(until)) {
            throw MemSpaceException.invalid("until", until, "an instant not before from");
          }
          ReceiptPage start =
              cursor
                  .map(ReceiptPage::decode)
                  .orElse(
                      new ReceiptPage(
                          Place.before(Timestamps.firstOf(Math.max(0, from.toEpochMilli()))), 0));
          boolean oldest = cursor.isEmpty() && from.equals(Instant.EPOCH);
          long last = Timestamps.lastOf(until.toEpochMilli());
          return mine(caller, agent)
              .thenCompose(
                  mine ->
                      new Collector(
                              limit,
                              after -> reader.ofAgent(agent, after, last),
                              (delivered, version) -> true,
                              delivery ->
                                  delivery.agent().equals(agent) && mine.contains(delivery.life()))
                          .from(start))
              .thenCombine(
                  reader.floor(), // behind what was read
                  (page, floor) -> {
                    if (!oldest) {
                      ReceiptFloor.require(start.place(), floor);
                    }
                    return page;
                  });
        });
  }

  @Override
  public CompletionStage<Optional<Instant>> oldest() {
    return reader
        .floor()
        .thenApply(
            floor -> floor == 0 ? Optional.empty() : Optional.of(ReceiptFloor.oldest(floor)));
  }

  /** The lives of an agent that the caller may ask about. */
  CompletionStage<Set<Life>> mine(Principal caller, String agent) {
    return reader
        .lives(agent)
        .thenApply(
            lives -> {
              if (lives.isEmpty()) {
                throw new MemSpaceException(
                    ErrorCode.AGENT_NOT_FOUND,
                    "no agent [%s] is known from receipts that are kept".formatted(agent),
                    Map.of("agent", agent));
              }
              Set<Life> mine = new HashSet<>();
              lives.forEach(
                  (life, began) -> {
                    if (caller.admin() || began.owner().equals(caller.name())) {
                      mine.add(life);
                    }
                  });
              if (mine.isEmpty()) {
                throw new MemSpaceException(
                    ErrorCode.FORBIDDEN,
                    "[%s] did not spawn agent [%s]; who did, or an administrator, can ask what it saw"
                        .formatted(caller.name(), agent));
              }
              return mine;
            });
  }

  // ---- who saw a version ----

  @Override
  public CompletionStage<Paged<Receipt>> whoSaw(
      Principal caller, String space, SeenVersion version, int limit, Optional<String> cursor) {
    return checked(
        () -> {
          limit(limit);
          ReceiptPage start =
              cursor.map(ReceiptPage::decode).orElse(new ReceiptPage(Place.before(0), 0));
          return owned(caller, space)
              .thenCompose(
                  id ->
                      new Collector(
                              limit,
                              after -> reader.ofVersion(id, version, after),
                              (delivered, found) -> ReceiptReader.matches(found, version),
                              delivery -> ReceiptReader.brings(delivery.record(), id, version))
                          .from(start));
        });
  }

  /** The id of a space that the caller may ask about. */
  CompletionStage<LedgerId> owned(Principal caller, String space) {
    return spaces
        .describe(caller, space)
        .thenCompose(
            info -> {
              if (!caller.admin() && !info.owner().equals(caller.name())) {
                throw new MemSpaceException(
                    ErrorCode.FORBIDDEN,
                    "[%s] does not own space [%s]; its owner, or an administrator, can ask who saw what is in it"
                        .formatted(caller.name(), space));
              }
              return system.idOf(space);
            });
  }

  // ---- with content ----

  @Override
  public CompletionStage<Paged<Replayed>> replay(
      Principal caller,
      String agent,
      Instant from,
      Instant until,
      int limit,
      Optional<String> cursor) {
    return saw(caller, agent, from, until, limit, cursor)
        .thenCompose(
            page -> {
              CompletionStage<List<Replayed>> all =
                  CompletableFuture.completedStage(new ArrayList<>());
              for (Receipt receipt : page.items()) {
                all =
                    all.thenCombine(
                        versions.replayed(receipt),
                        (list, replayed) -> {
                          list.add(replayed);
                          return list;
                        });
              }
              return all.thenApply(list -> new Paged<>(list, 0, page.next()));
            });
  }

  // ---- what came of a version ----

  @Override
  public CompletionStage<Containment> containment(
      Principal caller, String space, SeenVersion version) {
    return checked(
        () -> {
          if (version.revision() < 1) {
            throw MemSpaceException.invalid(
                "revision", version.revision(), "a revision, 1 or more");
          }
          return owned(caller, space)
              .thenCompose(
                  id ->
                      new Containments(
                              reader,
                              new LateWrites(reader, system, inboxes),
                              (name, ids) -> told(caller, name, ids),
                              containmentMax)
                          .of(id, new Containment.Version(space, version))
                          .thenCompose(found -> ofSomething(found, id, version))
                          .thenCombine(allKept(id, version), Containment::completeIf));
        });
  }

  /** That nobody got a version is told only of one that is there, or was. */
  private CompletionStage<Containment> ofSomething(
      Containment found, LedgerId space, SeenVersion version) {
    return found.readers().isEmpty()
        ? versions
            .isUnknown(space, version)
            .thenApply(
                unknown -> {
                  if (unknown) {
                    throw new MemSpaceException(
                        version.topic() ? ErrorCode.MESSAGE_NOT_FOUND : ErrorCode.ENTRY_NOT_FOUND,
                        "revision [%d] wrote nothing at [%s]"
                            .formatted(version.revision(), version.key()));
                  }
                  return found;
                })
        : CompletableFuture.completedStage(found);
  }

  /** False where receipts of a version may have been let go. */
  private CompletionStage<Boolean> allKept(LedgerId space, SeenVersion version) {
    return reader
        .floor()
        .thenCompose(
            floor ->
                floor == 0
                    ? CompletableFuture.completedStage(true)
                    : versions
                        .writtenAt(space, version)
                        .handle(
                            (at, gone) ->
                                gone == null
                                    && at.isPresent()
                                    && !at.get().isBefore(ReceiptFloor.oldest(floor))));
  }

  /**
   * What a caller may be told of a space: all where he owns it, or could mount all of it; else what
   * his mounts cover. Of a space that is gone, whoever has its name now, nothing.
   */
  private CompletionStage<Predicate<SeenVersion>> told(
      Principal caller, String space, Set<LedgerId> ids) {
    if (caller.admin()) {
      return CompletableFuture.completedStage(version -> true);
    }
    return system
        .idOf(space)
        .thenCombine(
            spaces.describe(caller, space),
            (id, info) ->
                !ids.equals(Set.of(id))
                    ? CompletableFuture.<Predicate<SeenVersion>>completedStage(version -> false)
                    : told(caller, info))
        .thenCompose(stage -> stage)
        .exceptionally(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause instanceof MemSpaceException refused
                  && refused.code() == ErrorCode.SPACE_NOT_FOUND) {
                return version -> false;
              }
              throw new CompletionException(cause);
            });
  }

  private CompletionStage<Predicate<SeenVersion>> told(Principal caller, SpaceInfo space) {
    if (space.kind() == SpaceKind.SHARED || space.owner().equals(caller.name())) {
      return CompletableFuture.completedStage(version -> true);
    }
    return spaces
        .mounts(caller, space.name())
        .thenApply(
            mounts ->
                version ->
                    mounts.stream()
                        .filter(mount -> mount.holder().equals(caller.name()))
                        .anyMatch(
                            mount ->
                                version.topic()
                                    ? mount.coversTopic(version.key())
                                    : mount.covers(version.region(), version.key())));
  }

  // ---- collecting ----

  private static void limit(int limit) {
    if (limit < 1 || limit > PAGE_MAX) {
      throw MemSpaceException.invalid("limit", limit, "1 to " + PAGE_MAX);
    }
  }

  private static <T> CompletionStage<T> checked(
      java.util.function.Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (MemSpaceException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }

  /** A delivery and the life that got it. */
  private record Delivery(Round round, LogRecord.Delivered record) {
    String agent() {
      return record.agent();
    }

    Life life() {
      return record.life();
    }
  }

  /** One line of a page, before it is known whether it is confirmed. */
  private record Line(Delivery delivery, SeenVersion version, long seq) {
    Receipt receipt(LifeState state) {
      LogRecord.Delivered it = delivery.record();
      return new Receipt(
          Timestamps.instant(delivery.round().timestamp()),
          it.agent(),
          delivery.life().toString(),
          seq,
          it.space(),
          version,
          it.how(),
          it.mount(),
          state.confirms(it, version, seq));
    }
  }

  /** Goes through rounds until a page is full. */
  private final class Collector {
    private final int limit;
    private final Function<Place, CompletionStage<Rounds>> rounds;
    private final BiPredicate<LogRecord.Delivered, SeenVersion> wanted;
    private final Predicate<Delivery> deliveries;
    private final List<Line> lines = new ArrayList<>();
    private ReceiptPage last;

    Collector(
        int limit,
        Function<Place, CompletionStage<Rounds>> rounds,
        BiPredicate<LogRecord.Delivered, SeenVersion> wanted,
        Predicate<Delivery> deliveries) {
      this.limit = limit;
      this.rounds = rounds;
      this.wanted = wanted;
      this.deliveries = deliveries;
    }

    /** The page behind a place: first what is left of that round. */
    CompletionStage<Paged<Receipt>> from(ReceiptPage start) {
      last = start;
      Place after =
          start.taken() == 0
              ? start.place()
              : new Place(
                  start.place().timestamp(), start.place().node(), start.place().round() - 1);
      return more(after);
    }

    private CompletionStage<Paged<Receipt>> more(Place after) {
      return rounds
          .apply(after)
          .thenCompose(
              page -> {
                Place place = after;
                for (Round round : page.rounds()) {
                  place = Place.of(round);
                  if (!take(round, place)) {
                    return page(Optional.of(last.encode()));
                  }
                }
                return page.more() ? more(place) : page(Optional.empty());
              });
    }

    /** False if the page is full and there is more. */
    private boolean take(Round round, Place place) {
      int skip = place.equals(last.place()) ? last.taken() : 0;
      int at = 0;
      for (LogRecord record : round.records()) {
        if (!(record instanceof LogRecord.Delivered it)
            || !deliveries.test(new Delivery(round, it))) {
          continue;
        }
        Delivery delivery = new Delivery(round, it);
        for (int i = 0; i < it.versions().size(); i++) {
          SeenVersion version = it.versions().get(i);
          if (version.revision() == 0 || !wanted.test(it, version) || at++ < skip) {
            continue;
          }
          if (lines.size() == limit) {
            return false;
          }
          lines.add(new Line(delivery, version, it.seq() + i));
          last = new ReceiptPage(place, at);
        }
      }
      return true;
    }

    private CompletionStage<Paged<Receipt>> page(Optional<String> next) {
      Map<String, Set<Life>> lives = new HashMap<>();
      for (Line line : lines) {
        lives
            .computeIfAbsent(line.delivery().agent(), agent -> new HashSet<>())
            .add(line.delivery().life());
      }
      CompletionStage<Map<String, Map<Life, LifeState>>> states =
          CompletableFuture.completedStage(new HashMap<>());
      for (Map.Entry<String, Set<Life>> each : lives.entrySet()) {
        states =
            states.thenCombine(
                reader.lives(each.getKey(), each.getValue()),
                (all, some) -> {
                  all.put(each.getKey(), some);
                  return all;
                });
      }
      return states.thenApply(
          all ->
              new Paged<>(
                  lines.stream()
                      .map(
                          line ->
                              line.receipt(
                                  all.get(line.delivery().agent()).get(line.delivery().life())))
                      .toList(),
                  0,
                  next));
    }
  }
}
