package io.nucleusmem.ledger;

import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Row;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Looks through all versions of a ledger once, to find the floors that limits in count and bytes
 * ask for. Holds a table of fixed size, whatever the ledger's.
 */
public final class VersionSurvey {
  private static final int ROWS_PAGE = 512;
  private static final int BUCKETS = 4_096; // of revisions: how fine a floor by bytes is

  private final KvStore store;
  private final LedgerId id;
  private final long newest;
  private final long keep;
  private final boolean messages;
  private final Pace pace;
  private final long width; // revisions of a bucket
  private final long[] bytesGone = new long[BUCKETS + 1]; // by the revision that supersedes them

  private EntryRef entry;
  private long seen;
  private long newer;
  private long countFloor;
  private long bytes;

  /**
   * A survey up to a revision.
   *
   * @param keep newest versions of each key that are to stay; 0 if there is no such limit
   * @param messages true for a topic: a message goes when the floor is behind it
   */
  public VersionSurvey(
      KvStore store, LedgerId id, long newest, long keep, boolean messages, Pace pace) {
    this.store = store;
    this.id = id;
    this.newest = newest;
    this.keep = keep;
    this.messages = messages;
    this.pace = pace;
    this.width = Math.max(1, (newest + BUCKETS) / BUCKETS);
  }

  /** Looks through everything. */
  public CompletionStage<Void> run() {
    return walk(LedgerKeys.allVersions(id));
  }

  /** The lowest floor at which no key has more versions than are to be kept; 0: the present one. */
  public long countFloor() {
    return messages && keep > 0 ? Math.max(0, newest - keep + 1) : countFloor;
  }

  /**
   * The lowest floor (within a bucket) at which all versions together have at most so many bytes.
   */
  public long bytesFloor(long max) {
    long left = bytes;
    for (int i = 0; i <= BUCKETS && left > max; i++) {
      left -= bytesGone[i];
      if (left <= max || i == BUCKETS) {
        return Math.min(newest, (i + 1) * width - 1);
      }
    }
    return 0;
  }

  private CompletionStage<Void> walk(KeyRange range) {
    return store
        .scan(range, ROWS_PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              page.rows().forEach(this::look);
              return pace.after(page.rows().size()).thenApply(done -> page);
            })
        .thenCompose(
            page ->
                page.rest().isPresent()
                    ? walk(page.rest().get())
                    : CompletableFuture.completedStage(null));
  }

  private void look(Row row) {
    LedgerKeys.VersionKey key = LedgerKeys.parseVersion(row.key());
    boolean first = !key.entry().equals(entry);
    if (first) {
      entry = key.entry();
      seen = 0;
    }
    seen++;
    long size = (long) row.key().length() + row.value().length();
    bytes += size;
    if (messages) {
      gone(key.revision() + 1, size);
    } else if (!first) {
      gone(newer, size);
      if (keep > 0 && seen == keep + 1) {
        countFloor = Math.max(countFloor, newer);
      }
    }
    newer = key.revision();
  }

  private void gone(long at, long size) {
    if (at <= newest) {
      bytesGone[(int) (at / width)] += size;
    }
  }
}
