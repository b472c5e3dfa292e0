package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Cuts through all spaces of one node's client. */
final class CutClient implements Cuts {
  private static final int ROUNDS_MAX = 10; // catalogue pages that one page may look through
  private static final int SPACES_PAGE = 100;

  private final MemSpaceClient client;

  CutClient(MemSpaceClient client) {
    this.client = client;
  }

  /** A space at the instant. */
  private record Seen(SpaceInfo info, List<MountInfo> mounts, boolean owned) {}

  private interface Taker {
    /** False if the page is full. */
    boolean take(Seen space);
  }

  @Override
  public CompletionStage<Paged<SpaceInfo>> spaces(
      Principal caller, Instant at, int limit, Optional<String> cursor) {
    String scope = "spaces-at/" + at;
    List<SpaceInfo> found = new ArrayList<>();
    return run(
            caller,
            at,
            limit,
            cursor.map(text -> Cursor.decode(text, scope).at().utf8()).orElse(""),
            space -> found.size() < limit && found.add(space.info()))
        .thenApply(next -> new Paged<>(found, 0, next.map(name -> cursor(scope, name))));
  }

  @Override
  public CompletionStage<Paged<MountInfo>> mounts(
      Principal caller, Instant at, int limit, Optional<String> cursor) {
    String scope = "mounts-at/" + at;
    // the last space that was done, and behind a blank the last mount of the next one
    String[] from =
        cursor.map(text -> Cursor.decode(text, scope).at().utf8()).orElse(" ").split(" ", 2);
    String[] last = {from.length > 1 ? from[1] : ""};
    List<MountInfo> found = new ArrayList<>();
    return run(
            caller,
            at,
            limit,
            from[0],
            space -> {
              for (MountInfo mount : space.mounts()) {
                boolean told =
                    space.owned()
                        || mount.holder().equals(caller.name())
                        || mount.grantedBy().equals(caller.name());
                if (told && mount.id().compareTo(last[0]) > 0) {
                  if (found.size() == limit) {
                    return false;
                  }
                  found.add(mount);
                  last[0] = mount.id();
                }
              }
              last[0] = "";
              return true;
            })
        .thenApply(
            next -> new Paged<>(found, 0, next.map(name -> cursor(scope, name + " " + last[0]))));
  }

  private static String cursor(String scope, String at) {
    return new Cursor(scope, 0, Bytes.utf8(at)).encode();
  }

  /** Takes spaces behind a name; tells the last one that was taken if there may be more. */
  private CompletionStage<Optional<String>> run(
      Principal caller, Instant at, int limit, String after, Taker taker) {
    try {
      Limits.page(limit);
    } catch (MemSpaceException refused) {
      return CompletableFuture.failedStage(refused);
    }
    return client
        .node()
        .store()
        .now()
        .thenCompose(
            now -> {
              if (at.toEpochMilli() > Timestamps.millis(now)) {
                throw MemSpaceClient.inFuture(at, now);
              }
              return round(caller, at, after, taker, ROUNDS_MAX);
            });
  }

  private CompletionStage<Optional<String>> round(
      Principal caller, Instant at, String after, Taker taker, int rounds) {
    if (rounds == 0) {
      return CompletableFuture.completedStage(Optional.of(after));
    }
    return client
        .catalogue()
        .page(after, SPACES_PAGE)
        .thenCompose(
            page -> {
              List<CompletionStage<Optional<Seen>>> all = new ArrayList<>();
              page.forEach(each -> all.add(seen(caller, at, each.row().ledger())));
              CompletionStage<List<Optional<Seen>>> seen =
                  CompletableFuture.completedStage(new ArrayList<>());
              for (CompletionStage<Optional<Seen>> each : all) {
                seen =
                    seen.thenCombine(
                        each,
                        (list, one) -> {
                          list.add(one);
                          return list;
                        });
              }
              return seen.thenCompose(
                  spaces -> {
                    String last = after;
                    for (int i = 0; i < spaces.size(); i++) {
                      if (spaces.get(i).isPresent() && !taker.take(spaces.get(i).get())) {
                        return CompletableFuture.completedStage(Optional.of(last));
                      }
                      last = page.get(i).name();
                    }
                    return page.size() < SPACES_PAGE
                        ? CompletableFuture.completedStage(Optional.empty())
                        : round(caller, at, last, taker, rounds - 1);
                  });
            });
  }

  /** Empty if it was not there, or is not the caller's to see. */
  private CompletionStage<Optional<Seen>> seen(Principal caller, Instant at, LedgerId id) {
    return client
        .node()
        .reader(id)
        .own()
        .state(SpaceRows.MANIFEST_KEY)
        .thenCompose(
            row -> {
              Optional<SpaceRows.Manifest> now =
                  row.map(bytes -> StateJson.decode(bytes, SpaceRows.Manifest.class))
                      .filter(manifest -> !manifest.state().equals(SpaceRows.Manifest.DELETED))
                      .filter(manifest -> manifest.wasThere(at.toEpochMilli()))
                      .filter(
                          manifest ->
                              MemSpaceClient.maySee(caller, manifest.info(0, Optional.empty())));
              return now.isEmpty()
                  ? CompletableFuture.completedStage(Optional.empty())
                  : seen(caller, at, id, now.get());
            });
  }

  private CompletionStage<Optional<Seen>> seen(
      Principal caller, Instant at, LedgerId id, SpaceRows.Manifest now) {
    boolean owned = caller.admin() || now.owner().equals(caller.name());
    return client
        .node()
        .reader(id)
        .own()
        .state(ForkRows.FORKED_FROM_KEY)
        .thenCombine(
            client.revisionAt(id, at),
            (forkedFrom, revision) -> {
              long first =
                  forkedFrom
                      .map(row -> StateJson.decode(row, ForkRows.ForkedFrom.class).revision())
                      .orElse(0L);
              return new StateAt(client.node().reader(id).own(), first, revision)
                  .read()
                  .thenApply(rows -> Optional.of(seen(rows, revision, forkedFrom, owned)));
            })
        .thenCompose(seen -> seen);
  }

  private static Seen seen(
      Map<StateKey, Bytes> rows, long revision, Optional<Bytes> forkedFrom, boolean owned) {
    Bytes row = rows.get(SpaceRows.MANIFEST_KEY);
    if (row == null) {
      throw new CompactedException(revision, revision + 1);
    }
    SpaceRows.Manifest manifest = StateJson.decode(row, SpaceRows.Manifest.class);
    List<MountInfo> mounts = new ArrayList<>();
    rows.forEach(
        (key, value) -> {
          if (key.table() == SpaceRows.MOUNTS) {
            mounts.add(
                StateJson.decode(value, SpaceRows.Mount.class)
                    .info(key.key().utf8(), manifest.name()));
          }
        });
    mounts.sort((a, b) -> a.id().compareTo(b.id()));
    return new Seen(manifest.info(revision, forkedFrom), mounts, owned);
  }
}
