package io.nucleusmem.receipts;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.memspace.MemSpaceSystem;
import io.nucleusmem.receipts.Containment.Derived;
import io.nucleusmem.receipts.Containment.Edge;
import io.nucleusmem.receipts.Containment.Reader;
import io.nucleusmem.receipts.Containment.Version;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.Timestamps;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/**
 * Follows a version through receipts: breadth first, each version and each agent once. An agent
 * counts from the first receipt on, in all its later lives: what it wrote it may have read again.
 */
final class Containments {
  private final ReceiptReader reader;
  private final LateWrites late;
  private final BiFunction<String, Set<LedgerId>, CompletionStage<Predicate<SeenVersion>>> visible;
  private final int max;

  /** A version in the space with an id. */
  private record Found(LedgerId space, Version version) {}

  private final Deque<Found> left = new ArrayDeque<>();
  private final Set<Found> versions = new HashSet<>();
  private final Map<String, Place> since = new HashMap<>(); // first receipt by agent
  private final Map<String, Place> followed = new HashMap<>(); // its writes are known from here on
  private final Map<String, Set<LedgerId>> spaces = new HashMap<>(); // all that had a name
  private final List<Reader> readers = new ArrayList<>();
  private final List<Derived> derived = new ArrayList<>();
  private final List<Edge> edges = new ArrayList<>();
  private final Set<Edge> edgesKnown = new HashSet<>();
  private boolean complete = true;

  /**
   * @param visible what the caller may be told of a space by its name, given all ids that were
   *     found under it: another space may have had the name before
   * @param max versions and agents that are looked at
   */
  Containments(
      ReceiptReader reader,
      LateWrites late,
      BiFunction<String, Set<LedgerId>, CompletionStage<Predicate<SeenVersion>>> visible,
      int max) {
    this.reader = reader;
    this.late = late;
    this.visible = visible;
    this.max = max;
  }

  CompletionStage<Containment> of(LedgerId space, Version start) {
    Found first = new Found(space, start);
    found(first);
    versions.add(first);
    left.add(first);
    return next()
        .thenCompose(
            done -> {
              Map<String, Predicate<SeenVersion>> told = new HashMap<>();
              CompletionStage<Void> all = CompletableFuture.completedStage(null);
              for (Map.Entry<String, Set<LedgerId>> each : spaces.entrySet()) {
                all =
                    all.thenCombine(
                        visible.apply(each.getKey(), each.getValue()),
                        (none, covered) -> {
                          told.put(each.getKey(), covered);
                          return null;
                        });
              }
              return all.thenApply(
                  none ->
                      shown(start, version -> told.get(version.space()).test(version.version())));
            });
  }

  private Containment shown(Version start, Predicate<Version> told) {
    List<Reader> someReaders = readers.stream().filter(each -> told.test(each.first())).toList();
    List<Derived> someDerived = derived.stream().filter(each -> told.test(each.version())).toList();
    List<Edge> someEdges = edges.stream().filter(each -> told.test(each.version())).toList();
    boolean all =
        someReaders.size() == readers.size()
            && someDerived.size() == derived.size()
            && someEdges.size() == edges.size();
    return new Containment(start, someReaders, someDerived, someEdges, complete && all);
  }

  private void found(Found version) {
    spaces.computeIfAbsent(version.version().space(), name -> new HashSet<>()).add(version.space());
  }

  private CompletionStage<Void> next() {
    Found version = left.poll();
    if (version == null) {
      return CompletableFuture.completedStage(null);
    }
    if (versions.size() + since.size() > max) {
      complete = false;
      return CompletableFuture.completedStage(null);
    }
    return readersOf(version, Place.before(0))
        .thenCompose(
            agents -> {
              CompletionStage<Void> all = CompletableFuture.completedStage(null);
              for (String agent : agents) {
                all = all.thenCompose(done -> follow(agent));
              }
              return all;
            })
        .thenCompose(done -> next());
  }

  /** Agents that got the version, where that was earlier than anything known of them. */
  private CompletionStage<Set<String>> readersOf(Found wanted, Place after) {
    return reader
        .ofVersion(wanted.space(), wanted.version().version(), after)
        .thenCompose(
            page -> {
              Set<String> agents = new HashSet<>();
              Place last = after;
              CompletionStage<Void> confirmed = CompletableFuture.completedStage(null);
              for (Round round : page.rounds()) {
                last = Place.of(round);
                for (LogRecord record : round.records()) {
                  if (record instanceof LogRecord.Delivered it
                      && ReceiptReader.brings(it, wanted.space(), wanted.version().version())
                      && got(it, wanted, round)) {
                    agents.add(it.agent());
                    confirmed = confirmed.thenCompose(done -> tell(it, wanted, round));
                  }
                }
              }
              Place behind = last;
              return confirmed.thenCompose(
                  done ->
                      page.more()
                          ? readersOf(wanted, behind)
                              .thenApply(
                                  rest -> {
                                    agents.addAll(rest);
                                    return agents;
                                  })
                          : CompletableFuture.completedStage(agents));
            });
  }

  /** True if the agent's writes have to be looked at from here on. */
  private boolean got(LogRecord.Delivered it, Found wanted, Round round) {
    edge(new Edge(it.agent(), wanted.version(), false));
    Place place = Place.of(round);
    Place known = since.get(it.agent());
    if (known != null && known.compareTo(place) <= 0) {
      return false;
    }
    since.put(it.agent(), place);
    return true;
  }

  private void edge(Edge edge) {
    if (edgesKnown.add(edge)) {
      edges.add(edge);
    }
  }

  private CompletionStage<Void> tell(LogRecord.Delivered it, Found wanted, Round round) {
    Life life = it.life();
    return reader
        .lives(it.agent(), Set.of(life))
        .thenAccept(
            states -> {
              int at = it.versions().indexOf(wanted.version().version());
              readers.removeIf(each -> each.agent().equals(it.agent()));
              readers.add(
                  new Reader(
                      it.agent(),
                      wanted.version(),
                      Timestamps.instant(round.timestamp()),
                      it.how(),
                      states.get(life).confirms(it, wanted.version().version(), it.seq() + at)));
            });
  }

  /** What the agent wrote since its first receipt, as far as it is not known yet. */
  private CompletionStage<Void> follow(String agent) {
    Place from = since.get(agent);
    Place until = followed.put(agent, from);
    CompletionStage<Void> recorded =
        writes(
            agent,
            new Place(from.timestamp(), from.node(), from.round() - 1),
            until == null ? Long.MAX_VALUE - 1 : until.timestamp());
    // behind the receipts: what is recorded meanwhile is found twice, and told once
    return recorded
        .thenCompose(done -> late.of(agent, from.timestamp()))
        .thenAccept(
            found -> {
              complete &= found.complete();
              found
                  .writes()
                  .forEach(it -> wrote(agent, it.space(), it.id(), it.version(), it.timestamp()));
            });
  }

  private CompletionStage<Void> writes(String agent, Place after, long until) {
    return reader
        .ofAgent(agent, after, until)
        .thenCompose(
            page -> {
              Place last = after;
              for (Round round : page.rounds()) {
                last = Place.of(round);
                boolean got = !last.equals(since.get(agent));
                for (LogRecord record : round.records()) {
                  if (record.agent().equals(agent)) {
                    // in the round of the first receipt, what stands before it came before it
                    got |= record instanceof LogRecord.Delivered it && isKnown(it);
                    if (got && record instanceof LogRecord.Acted it) {
                      wrote(it, round);
                    }
                  }
                }
              }
              Place behind = last;
              return page.more() && versions.size() + since.size() <= max
                  ? writes(agent, behind, until)
                  : CompletableFuture.completedStage(null);
            });
  }

  private boolean isKnown(LogRecord.Delivered it) {
    LedgerId space = MemSpaceSystem.spaceOf(it.mount());
    return it.versions().stream()
        .anyMatch(seen -> versions.contains(new Found(space, new Version(it.space(), seen))));
  }

  private void wrote(LogRecord.Acted it, Round round) {
    for (SeenVersion version : it.versions()) {
      LedgerId id = MemSpaceSystem.spaceOf(it.mount());
      wrote(it.agent(), it.space(), id, version, round.timestamp());
    }
  }

  private void wrote(String agent, String space, LedgerId id, SeenVersion version, long timestamp) {
    Version made = new Version(space, version);
    edge(new Edge(agent, made, true));
    Found found = new Found(id, made);
    found(found);
    if (versions.add(found)) {
      left.add(found);
      derived.add(new Derived(made, agent, Timestamps.instant(timestamp)));
    }
  }
}
