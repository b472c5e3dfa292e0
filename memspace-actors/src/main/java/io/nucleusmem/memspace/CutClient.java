package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.PastState;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Cuts through all spaces of one node's client. */
final class CutClient implements Cuts {
  private static final int ROUNDS_MAX = 10; // pages of spaces that one page may look through

  private final MemSpaceClient client;
  private final PastSpaces spaces;

  CutClient(MemSpaceClient client) {
    this.client = client;
    this.spaces = new PastSpaces(client.node().store(), client.catalogue());
  }

  private interface Taker {
    /** False if the page is full. */
    boolean take(SpaceThen.Seen space);
  }

  @Override
  public CompletionStage<Paged<SpaceAt>> spaces(
      Principal caller, Instant at, int limit, Optional<String> cursor) {
    String scope = "spaces-at/" + at;
    List<SpaceAt> found = new ArrayList<>();
    return checked(
        () -> {
          Limits.page(limit);
          Optional<PastSpaces.Candidate> after =
              cursor.flatMap(text -> place(Cursor.decode(text, scope).at().utf8()));
          return closed(at)
              .thenCompose(
                  done ->
                      round(
                          new SpaceThen(client, caller, at, false),
                          after,
                          space -> found.size() < limit && found.add(space.space()),
                          ROUNDS_MAX))
              .thenApply(next -> new Paged<>(found, 0, next.map(last -> cursor(scope, last))));
        });
  }

  @Override
  public CompletionStage<Paged<MountAt>> mounts(
      Principal caller, Instant at, int limit, Optional<String> cursor) {
    String scope = "mounts-at/" + at;
    List<MountAt> found = new ArrayList<>();
    return checked(
        () -> {
          Limits.page(limit);
          // the last space that was done, and behind a blank the last mount of the next one
          String[] from =
              cursor.map(text -> Cursor.decode(text, scope).at().utf8()).orElse(" ").split(" ", 2);
          String[] last = {from.length > 1 ? from[1] : ""};
          return closed(at)
              .thenCompose(
                  done ->
                      round(
                          new SpaceThen(client, caller, at, true),
                          place(from[0]),
                          space -> take(caller, space, limit, last, found),
                          ROUNDS_MAX))
              .thenApply(
                  next ->
                      new Paged<>(
                          found, 0, next.map(place -> cursor(scope, place + " " + last[0]))));
        });
  }

  private static boolean take(
      Principal caller, SpaceThen.Seen space, int limit, String[] last, List<MountAt> found) {
    if (space.space().info().isEmpty()) {
      return found.size() < limit
          && found.add(
              new MountAt(space.space().name(), Optional.empty(), space.space().oldestRevision()));
    }
    for (MountInfo mount : space.mounts()) {
      boolean told =
          space.owned()
              || mount.holder().equals(caller.name())
              || mount.grantedBy().equals(caller.name());
      if (told && mount.id().compareTo(last[0]) > 0) {
        if (found.size() == limit) {
          return false;
        }
        found.add(new MountAt(mount.space(), Optional.of(mount), 0));
        last[0] = mount.id();
      }
    }
    last[0] = "";
    return true;
  }

  @Override
  public CompletionStage<Optional<SpaceAt>> space(Principal caller, String name, Instant at) {
    SpaceThen then = new SpaceThen(client, caller, at, false);
    return closed(at)
        .thenCompose(done -> spaces.named(name, MountedSpaceClient.timestampOf(at)))
        .thenCompose(candidates -> all(candidates.stream().map(then::look).toList()))
        .thenApply(
            seen -> seen.stream().flatMap(Optional::stream).findFirst().map(SpaceThen.Seen::space));
  }

  @Override
  public CompletionStage<List<MountInfo>> held(Collection<String> mountIds, Instant at) {
    return closed(at)
        .thenCompose(
            done -> {
              Map<LedgerId, CompletionStage<Boolean>> closing = new HashMap<>();
              List<CompletionStage<Optional<MountInfo>>> held = new ArrayList<>();
              for (String mount : mountIds) {
                LedgerId space = SpaceRows.spaceOf(mount);
                held.add(
                    closing
                        .computeIfAbsent(space, id -> isThere(id, at))
                        .thenCompose(there -> held(space, mount, at, there)));
              }
              return all(held);
            })
        .thenApply(found -> found.stream().flatMap(Optional::stream).toList());
  }

  /** Closes the instant for a space; false if that was deleted. */
  private CompletionStage<Boolean> isThere(LedgerId space, Instant at) {
    return client
        .catalogue()
        .isGone(space)
        .thenCompose(
            gone ->
                gone
                    ? CompletableFuture.completedStage(false)
                    : client.revisionAt(space, at).thenApply(revision -> true))
        .exceptionallyCompose(
            failure ->
                Calls.explain(failure).code() == ErrorCode.SPACE_NOT_FOUND
                    ? CompletableFuture.completedStage(false)
                    : CompletableFuture.failedStage(failure));
  }

  private CompletionStage<Optional<MountInfo>> held(
      LedgerId space, String mount, Instant at, boolean there) {
    PastState past = client.node().reader(space).own().past();
    long timestamp = MountedSpaceClient.timestampOf(at);
    StateKey key = SpaceRows.mountKey(mount);
    CompletionStage<TreeMap<StateKey, Bytes>> manifests =
        there
            ? past.table(SpaceRows.MANIFEST, timestamp)
            : past.tableOfDeleted(SpaceRows.MANIFEST, timestamp);
    return (there ? past.row(key, timestamp) : past.tableOfDeleted(SpaceRows.MOUNTS, timestamp))
        .thenCombine(
            manifests,
            (rows, manifest) -> {
              Bytes row = rows.get(key);
              Bytes its = manifest.get(SpaceRows.MANIFEST_KEY);
              return row == null || its == null
                  ? Optional.empty()
                  : Optional.of(
                      StateJson.decode(row, SpaceRows.Mount.class)
                          .info(mount, StateJson.decode(its, SpaceRows.Manifest.class).name()));
            });
  }

  // ---- all spaces, page after page ----

  private static Optional<PastSpaces.Candidate> place(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(PastSpaces.Candidate.at(text));
  }

  private static String cursor(String scope, String at) {
    return new Cursor(scope, 0, Bytes.utf8(at)).encode();
  }

  /** Completes when the instant is past, and no space can be made any more at or before it. */
  private CompletionStage<Void> closed(Instant at) {
    long timestamp = MountedSpaceClient.timestampOf(at);
    return client
        .node()
        .store()
        .now()
        .thenCompose(
            now -> {
              if (at.toEpochMilli() > Timestamps.millis(now)) {
                throw MemSpaceClient.inFuture(at, now);
              }
              return now > timestamp
                  ? client.creations().close(timestamp)
                  : CompletableFuture.runAsync(
                          () -> {}, CompletableFuture.delayedExecutor(1, TimeUnit.MILLISECONDS))
                      .thenCompose(done -> closed(at)); // the millisecond is not over yet
            });
  }

  /** Takes spaces behind a place; tells the last one that was taken if there may be more. */
  private CompletionStage<Optional<String>> round(
      SpaceThen then, Optional<PastSpaces.Candidate> after, Taker taker, int rounds) {
    if (rounds == 0) {
      return CompletableFuture.completedStage(after.map(PastSpaces.Candidate::place));
    }
    return spaces
        .page(after, then.timestamp())
        .thenCompose(
            page ->
                all(page.candidates().stream().map(then::look).toList())
                    .thenCompose(
                        seen -> {
                          Optional<PastSpaces.Candidate> last = after;
                          for (int i = 0; i < seen.size(); i++) {
                            if (seen.get(i).isPresent() && !taker.take(seen.get(i).get())) {
                              return CompletableFuture.completedStage(
                                  Optional.of(last.map(PastSpaces.Candidate::place).orElse("")));
                            }
                            last = Optional.of(page.candidates().get(i));
                          }
                          return page.last().isEmpty()
                              ? CompletableFuture.completedStage(Optional.empty())
                              : round(then, page.last(), taker, rounds - 1);
                        }));
  }

  private static <T> CompletionStage<List<T>> all(List<CompletionStage<T>> stages) {
    CompletionStage<List<T>> all = CompletableFuture.completedStage(new ArrayList<>());
    for (CompletionStage<T> each : stages) {
      all =
          all.thenCombine(
              each,
              (list, one) -> {
                list.add(one);
                return list;
              });
    }
    return all;
  }

  private static <T> CompletionStage<T> checked(Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (MemSpaceException refused) {
      return CompletableFuture.failedStage(refused);
    }
  }
}
