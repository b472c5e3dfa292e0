package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.KeyRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A comparison: which sides at which revisions, then a page of it, under both mounts. */
final class ForkDiff {
  private static final List<Region> REGIONS =
      List.of(Region.MEMORY, Region.TASK, Region.SUMMARY, Region.TOOL);

  private final MemSpaceClient client;
  private final ForkClient forks;
  private final DiffRequest request;
  private final MountedSpaceClient before;
  private final MountedSpaceClient after;

  ForkDiff(
      MemSpaceClient client,
      ForkClient forks,
      DiffRequest request,
      MountedSpaceClient before,
      MountedSpaceClient after) {
    this.client = client;
    this.forks = forks;
    this.request = request;
    this.before = before;
    this.after = after;
  }

  CompletionStage<Diff> run() {
    return base(before)
        .thenCombine(
            base(after),
            (one, two) -> {
              boolean swap = one.origin(id(after)).isPresent();
              return swap
                  ? new ForkDiff(client, forks, request.swapped(), after, before).page(two, one)
                  : page(one, two);
            })
        .thenCompose(diff -> diff);
  }

  private static LedgerId id(MountedSpaceClient side) {
    return side.grant().space();
  }

  private CompletionStage<Base> base(MountedSpaceClient side) {
    return client.node().bases().of(id(side));
  }

  private CompletionStage<Diff> page(Base one, Base two) {
    String scope =
        "diff/%s/%s/%s/%s"
            .formatted(
                id(before),
                id(after),
                request.region().map(Region::label).orElse(""),
                request.prefix());
    Optional<Cursor> cursor = request.cursor().map(text -> Cursor.decode(text, scope));
    BytesReader at = cursor.map(found -> new BytesReader(found.at())).orElse(null);
    CompletionStage<Long> from =
        cursor.isPresent()
            ? CompletableFuture.completedStage(cursor.get().revision())
            : revision(before, request.beforeAt());
    CompletionStage<Long> until =
        at != null
            ? CompletableFuture.completedStage(at.varint())
            : revision(after, request.afterAt());
    Optional<Bytes> place = at == null ? Optional.empty() : Optional.of(at.rest());
    return from.thenCombine(
            until,
            (first, second) ->
                page(side(before, one, first), side(after, two, second), place, scope))
        .thenCompose(page -> page);
  }

  private CompletionStage<Long> revision(MountedSpaceClient side, ReadAt at) {
    return at instanceof ReadAt.Latest
        ? side.newest()
        : forks.point(id(side), at).thenApply(ForkClient.Point::revision);
  }

  private DiffScan.Side side(MountedSpaceClient side, Base base, long revision) {
    return new DiffScan.Side(
        id(side), client.node().reader(id(side)), base, revision, side.mount(), side::show);
  }

  private CompletionStage<Diff> page(
      DiffScan.Side one, DiffScan.Side two, Optional<Bytes> place, String scope) {
    DiffScan scan = new DiffScan(one, two, request.limit());
    return before.guarded(
        () ->
            after.guarded(
                () ->
                    scan.run(ranges(place))
                        .thenCompose(rest -> readable(one).thenApply(done -> rest))
                        .thenCompose(rest -> readable(two).thenApply(done -> rest))
                        .thenApply(
                            rest ->
                                new Diff(
                                    scan.items(),
                                    new Diff.State(one.mount().space(), one.revision()),
                                    new Diff.State(two.mount().space(), two.revision()),
                                    rest.map(
                                        next ->
                                            new Cursor(
                                                    scope,
                                                    one.revision(),
                                                    new BytesWriter(16 + next.length())
                                                        .varint(two.revision())
                                                        .raw(next)
                                                        .toBytes())
                                                .encode())))));
  }

  /** What was compacted before the page had been read may be missing in it. */
  private static CompletionStage<Void> readable(DiffScan.Side side) {
    ForkReader reader = side.reader();
    return reader
        .floor(side.revision())
        .thenAccept(
            floor -> {
              if (side.revision() < floor) {
                throw new CompactedException(side.revision(), floor);
              }
            });
  }

  private List<KeyRange> ranges(Optional<Bytes> place) {
    List<KeyRange> ranges = new ArrayList<>();
    for (Region region : request.region().map(List::of).orElse(REGIONS)) {
      KeyRange range = LedgerKeys.versions(id(before), region.code(), Bytes.utf8(request.prefix()));
      KeyRange cut =
          place.isPresent() && place.get().compareTo(range.from()) > 0
              ? range.startingAt(place.get())
              : range;
      if (!cut.isEmpty()) {
        ranges.add(cut);
      }
    }
    return ranges;
  }
}
