package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.TransientStoreException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** One space at one instant, which lies in the past and includes all of its millisecond. */
final class SpaceThen {
  private final MemSpaceClient client;
  private final Principal caller;
  private final Instant at;
  private final long timestamp;
  private final boolean withMounts;

  /**
   * @param withMounts whether mounts are asked for, too
   */
  SpaceThen(MemSpaceClient client, Principal caller, Instant at, boolean withMounts) {
    this.client = client;
    this.caller = caller;
    this.at = at;
    this.timestamp = MountedSpaceClient.timestampOf(at);
    this.withMounts = withMounts;
  }

  /** The last timestamp that belongs to the instant. */
  long timestamp() {
    return timestamp;
  }

  /**
   * What was found.
   *
   * @param owned true if all its mounts are the caller's to see
   */
  record Seen(SpaceAt space, List<MountInfo> mounts, boolean owned) {}

  /** Reads a table as it was. */
  private interface Past {
    CompletionStage<TreeMap<StateKey, Bytes>> table(byte table, long timestamp);
  }

  /** Empty if it was not there, or is not the caller's to see. */
  CompletionStage<Optional<Seen>> look(PastSpaces.Candidate candidate) {
    return candidate.deleted() ? deleted(candidate.id()) : there(candidate.id());
  }

  private CompletionStage<Optional<Seen>> there(LedgerId id) {
    LedgerReader reader = client.node().reader(id).own();
    CompletionStage<Optional<Seen>> seen =
        reader
            .state(SpaceRows.MANIFEST_KEY)
            .thenCompose(
                row -> {
                  SpaceRows.Manifest now =
                      row.map(bytes -> StateJson.decode(bytes, SpaceRows.Manifest.class))
                          .orElse(null);
                  if (now == null) {
                    return deleted(id); // since the catalogue was read
                  }
                  if (now.state().equals(SpaceRows.Manifest.DELETED)) {
                    return past(reader.past()::table); // its rows go next
                  }
                  return now.wasThere(at.toEpochMilli()) && maySee(now)
                      ? alive(id, reader, now)
                      : CompletableFuture.completedStage(Optional.empty());
                });
    return seen.exceptionallyCompose(
        failure -> {
          Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
          boolean mayBeGone =
              cause instanceof TransientStoreException
                  || cause instanceof MemSpaceException refused
                      && refused.code() == ErrorCode.SPACE_NOT_FOUND;
          return mayBeGone
              ? client
                  .catalogue()
                  .isGone(id)
                  .thenCompose(gone -> gone ? deleted(id) : CompletableFuture.failedStage(cause))
              : CompletableFuture.failedStage(cause);
        });
  }

  private boolean maySee(SpaceRows.Manifest manifest) {
    return MemSpaceClient.maySee(caller, manifest.info(0, Optional.empty()));
  }

  private boolean owns(SpaceRows.Manifest manifest) {
    return caller.admin() || manifest.owner().equals(caller.name());
  }

  // ---- a space that is there ----

  private record Found(
      TreeMap<StateKey, Bytes> manifest,
      TreeMap<StateKey, Bytes> mounts,
      Optional<Bytes> forkedFrom) {}

  private CompletionStage<Optional<Seen>> alive(
      LedgerId id, LedgerReader reader, SpaceRows.Manifest now) {
    return client
        .revisionAt(id, at)
        .thenCompose(
            revision ->
                found(reader.past()::table)
                    .thenCompose(
                        found ->
                            // at last: what was compacted meanwhile is known by it
                            reader
                                .oldestRow()
                                .thenCombine(
                                    client.node().reader(id).floor(Math.max(0, revision)),
                                    (oldest, floor) -> seen(now, found, revision, oldest, floor))));
  }

  private CompletionStage<Found> found(Past past) {
    CompletionStage<TreeMap<StateKey, Bytes>> mounts =
        withMounts
            ? past.table(SpaceRows.MOUNTS, timestamp)
            : CompletableFuture.completedStage(new TreeMap<>());
    return past.table(SpaceRows.MANIFEST, timestamp)
        .thenCombine(mounts, (manifest, held) -> new Found(manifest, held, Optional.empty()))
        .thenCombine(
            past.table(SpaceRows.FORKED_FROM, timestamp),
            (found, from) ->
                new Found(
                    found.manifest(),
                    found.mounts(),
                    Optional.ofNullable(from.get(ForkRows.FORKED_FROM_KEY))));
  }

  private Optional<Seen> seen(
      SpaceRows.Manifest now, Found found, long revision, Optional<LogRow> oldest, long floor) {
    Bytes row = found.manifest().get(SpaceRows.MANIFEST_KEY);
    if (oldest.isEmpty() || oldest.get().timestamp() > timestamp || row == null) {
      long readable = Math.max(floor, oldest.map(LogRow::first).orElse(0L));
      SpaceAt unknown =
          new SpaceAt(now.name(), Optional.empty(), SpaceAt.Content.COMPACTED, readable);
      return Optional.of(new Seen(unknown, List.of(), owns(now)));
    }
    SpaceRows.Manifest then = StateJson.decode(row, SpaceRows.Manifest.class);
    if (then.state().equals(SpaceRows.Manifest.DELETED)) {
      return Optional.empty(); // since its manifest was read
    }
    boolean compacted = revision < floor;
    SpaceAt space =
        new SpaceAt(
            then.name(),
            Optional.of(then.info(revision, found.forkedFrom())),
            compacted ? SpaceAt.Content.COMPACTED : SpaceAt.Content.PRESENT,
            compacted ? floor : 0);
    return Optional.of(new Seen(space, mounts(found.mounts(), then.name()), owns(now)));
  }

  // ---- a space that is not there any more ----

  private CompletionStage<Optional<Seen>> deleted(LedgerId id) {
    return past(client.node().reader(id).own().past()::tableOfDeleted);
  }

  private CompletionStage<Optional<Seen>> past(Past past) {
    return past.table(SpaceRows.MANIFEST, Long.MAX_VALUE - 1)
        .thenCompose(
            rows -> {
              Bytes row = rows.get(SpaceRows.MANIFEST_KEY);
              if (row == null) {
                return CompletableFuture.completedStage(Optional.empty());
              }
              SpaceRows.Manifest last = StateJson.decode(row, SpaceRows.Manifest.class);
              return last.wasThere(at.toEpochMilli()) && maySee(last)
                  ? past(past, last)
                  : CompletableFuture.completedStage(Optional.empty());
            });
  }

  private CompletionStage<Optional<Seen>> past(Past past, SpaceRows.Manifest last) {
    return found(past)
        .thenApply(
            found -> {
              Bytes row = found.manifest().get(SpaceRows.MANIFEST_KEY);
              if (row == null) {
                return Optional.empty();
              }
              SpaceRows.Manifest then = StateJson.decode(row, SpaceRows.Manifest.class);
              if (then.state().equals(SpaceRows.Manifest.DELETED)) {
                return Optional.empty();
              }
              SpaceAt space =
                  new SpaceAt(
                      then.name(),
                      Optional.of(then.info(0, found.forkedFrom())),
                      SpaceAt.Content.SPACE_DELETED,
                      0);
              return Optional.of(new Seen(space, mounts(found.mounts(), then.name()), owns(last)));
            });
  }

  private static List<MountInfo> mounts(TreeMap<StateKey, Bytes> rows, String space) {
    return rows.entrySet().stream()
        .map(
            each ->
                StateJson.decode(each.getValue(), SpaceRows.Mount.class)
                    .info(each.getKey().key().utf8(), space))
        .sorted((a, b) -> a.id().compareTo(b.id()))
        .toList();
  }
}
