package io.nucleusmem.ledger;

import io.nucleusmem.store.Timestamps;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The requests that were applied within the window, by this owner and by those before it, and what
 * they were answered. An owner remembers its own; the others' are read from the log when first
 * asked for.
 */
final class AppliedRequests {
  private static final int FIRST_PAGE_ROWS = 64; // they double: rows may be large

  private final LedgerReader reader;
  private final LedgerSettings settings;
  private final long first;
  private RequestWindow window;
  private boolean loaded;
  private boolean loading;

  /**
   * @param first revision of the ledger's first row
   */
  AppliedRequests(LedgerReader reader, LedgerSettings settings, long first) {
    this.reader = reader;
    this.settings = settings;
    this.first = first;
    this.window = newWindow();
  }

  private RequestWindow newWindow() {
    return new RequestWindow(settings.requestsMax(), settings.requestWindow().toMillis());
  }

  /** Revision of the request with this id, or -1. */
  long revisionOf(RequestStamp stamp) {
    return window.revisionOf(stamp);
  }

  /** True if the id is known and was used for something else. */
  boolean reused(RequestStamp stamp) {
    return window.reused(stamp);
  }

  /** True if the request may have been applied and forgotten. */
  boolean tooOld(RequestStamp stamp, long timestamp) {
    long createdAt = stamp.createdAt();
    return createdAt != RequestStamp.NO_TIME
        && window.tooOld(createdAt, Timestamps.millis(timestamp));
  }

  /** True if what earlier owners have applied is known too. */
  boolean isLoaded() {
    return loaded;
  }

  /** Remembers a commit's requests. */
  void committed(LogRow row) {
    add(row, window, null);
  }

  /** What a request that was applied at a revision was answered. */
  CompletionStage<Outcome> outcome(long revision) {
    return reader
        .rowOf(revision)
        .thenCompose(
            row ->
                reader
                    .withBodies(
                        row.orElseThrow().record(revision),
                        revision,
                        any -> true,
                        Integer.MAX_VALUE)
                    .thenApply(
                        record ->
                            new Outcome(revision, row.orElseThrow().timestamp(), record, true)));
  }

  /** True if the caller is to load what earlier owners have applied; false while that is done. */
  boolean mayLoad() {
    if (loading) {
      return false;
    }
    loading = true;
    return true;
  }

  /**
   * Reads the commits of the window, without what they changed; oldest first.
   *
   * @param startedAt milliseconds; the window ends there
   * @param upTo newest revision that an earlier owner may have written
   */
  CompletionStage<List<LogRow>> read(long startedAt, long upTo) {
    long since = Timestamps.firstOf(startedAt - settings.requestWindow().toMillis());
    long oldest = upTo - settings.requestsMax() + 1;
    ArrayDeque<LogRow> found = new ArrayDeque<>();
    return read(upTo, since, oldest, FIRST_PAGE_ROWS, found)
        .thenApply(done -> new ArrayList<>(found));
  }

  /**
   * From the newest one back: to look for where the window begins would take more reads than most
   * windows have pages, one after the other, while somebody waits.
   */
  private CompletionStage<Void> read(
      long upTo, long since, long oldest, int rowsMax, ArrayDeque<LogRow> into) {
    return reader
        .logBackFrom(upTo, rowsMax)
        .thenCompose(
            page -> {
              for (LogRow row : page.rows()) {
                into.addFirst(row.withoutChanges());
                if (row.timestamp() <= since || row.first() <= oldest) {
                  return CompletableFuture.completedStage(null);
                }
              }
              return page.more() && !page.rows().isEmpty()
                  ? read(
                      into.getFirst().first() - 1,
                      since,
                      oldest,
                      Math.min(LedgerReader.LOG_ROWS_MAX, rowsMax * 2),
                      into)
                  : CompletableFuture.completedStage(null);
            });
  }

  /** It could not be read; it may be tried again. */
  void failed() {
    loading = false;
  }

  /** What was read is older than what this owner has applied since: it goes in front. */
  void loaded(List<LogRow> older) {
    RequestWindow all = newWindow();
    if (!older.isEmpty()
        && older.get(0).first() > first) { // else the log has been read from its start
      all.forgottenUpTo(Timestamps.millis(older.get(0).timestamp()));
    }
    older.forEach(row -> add(row, all, window));
    window.copyInto(all);
    window = all;
    loading = false;
    loaded = true;
  }

  private static void add(LogRow row, RequestWindow into, RequestWindow unlessIn) {
    for (int i = 0; i < row.records().size(); i++) {
      RequestStamp stamp = row.records().get(i).request();
      if (stamp != null && (unlessIn == null || unlessIn.revisionOf(stamp) < 0)) {
        into.add(stamp, row.first() + i, Timestamps.millis(row.timestamp()));
      }
    }
  }
}
