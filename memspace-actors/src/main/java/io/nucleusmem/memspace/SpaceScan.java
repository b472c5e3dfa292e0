package io.nucleusmem.memspace;

import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.Version;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;

/**
 * One page of a scan at a revision: store pages without the deleted and what the mount does not
 * cover.
 */
final class SpaceScan {
  private final ForkReader reader;
  private final MountInfo mount;
  private final ScanRequest request;
  private final long revision;
  private final String scope;
  private final boolean ascending;
  private final UnaryOperator<Version> show;
  private final List<Entry> items = new ArrayList<>();

  SpaceScan(
      ForkReader reader,
      MountInfo mount,
      ScanRequest request,
      long revision,
      String scope,
      UnaryOperator<Version> show) {
    this.reader = reader;
    this.mount = mount;
    this.request = request;
    this.revision = revision;
    this.scope = scope;
    this.show = show;
    this.ascending = request.direction() == Direction.ASCENDING;
  }

  /**
   * @param ranges in the order of the scan
   * @param from the place where the page before ended
   * @param rounds store pages that may be looked through; then a page ends, full or not
   */
  CompletionStage<Paged<Entry>> page(List<KeyRange> ranges, Optional<Bytes> from, int rounds) {
    List<KeyRange> left = new ArrayList<>();
    for (KeyRange range : ranges) {
      KeyRange cut = from.map(at -> cut(range, at)).orElse(range);
      if (!cut.isEmpty()) {
        left.add(cut);
      }
    }
    return next(left, rounds);
  }

  private KeyRange cut(KeyRange range, Bytes at) {
    if (ascending) {
      return range.from().compareTo(at) < 0 ? range.startingAt(at) : range;
    }
    return range.to().isEmpty() || range.to().compareTo(at) > 0 ? range.endingAt(at) : range;
  }

  private CompletionStage<Paged<Entry>> next(List<KeyRange> left, int rounds) {
    if (left.isEmpty()) {
      return CompletableFuture.completedStage(new Paged<>(items, revision, Optional.empty()));
    }
    if (rounds == 0 || items.size() == request.limit()) {
      KeyRange first = left.get(0);
      return CompletableFuture.completedStage(
          new Paged<>(
              items,
              revision,
              Optional.of(
                  new Cursor(scope, revision, ascending ? first.from() : first.to()).encode())));
    }
    return reader
        .scan(left.get(0), revision, request.limit() - items.size(), request.direction())
        .thenCompose(
            page -> {
              page.versions().stream()
                  .filter(this::isShown)
                  .forEach(v -> items.add(ContentCodec.entry(show.apply(v), request.values())));
              List<KeyRange> rest = new ArrayList<>(left.subList(1, left.size()));
              page.rest().ifPresent(more -> rest.add(0, more));
              return next(rest, rounds - 1);
            });
  }

  private boolean isShown(Version version) {
    EntryKey key = SpaceRows.key(version.entry());
    return !version.deleted() && mount.covers(key.region(), key.name());
  }
}
