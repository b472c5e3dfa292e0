package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.LogRecord;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.KvStore;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The parts of a merge that are in its base. Each part of a merge that has a request id is written
 * under an id that follows from that and the part's number, so the base's log tells which are
 * there: also those of a run that was cut short before it could say so. The log keeps its rows as
 * long as request ids are remembered, and so does the fork its merges.
 *
 * <p>One run of a merge uses it, one step at a time.
 */
final class MergeParts {
  private static final int PAGE_ROWS = 500;

  private final LedgerReader base;
  private final Optional<RequestStamp> id; // of the merge, among those of all forks
  private long lookedAt; // revision of the base up to which parts were looked for
  private int keys;
  private int parts;
  private long revision;

  private MergeParts(LedgerReader base, Optional<RequestStamp> id, long lookedAt) {
    this.base = base;
    this.id = id;
    this.lookedAt = lookedAt;
  }

  /**
   * The parts of a merge.
   *
   * @param from the base's newest revision when the merge began; null if that is not known: then
   *     only this run's parts are counted
   */
  static MergeParts of(
      KvStore store, LedgerId fork, LedgerId base, MergeRequest request, Long from) {
    return new MergeParts(
        new LedgerReader(store, base),
        from == null
            ? Optional.empty()
            : request.requestId().map(id -> RequestStamp.of(fork + "/" + id, 0)),
        from == null ? 0 : from);
  }

  /** What is merged so far. */
  Merged merged() {
    return new Merged(keys, revision, parts);
  }

  /** Under which id the next part is written. */
  WriteOptions next() {
    return id.isEmpty() ? WriteOptions.DEFAULT : WriteOptions.id(idOf(parts + 1));
  }

  private String idOf(int part) {
    RequestStamp merge = id.orElseThrow();
    return "merge-%016x%016x-%d".formatted(merge.high(), merge.low(), part);
  }

  /** True if the next part turned out to be there: one of a run that had been given up. */
  boolean isTaken(MemSpaceException why) {
    return id.isPresent() && why.code() == ErrorCode.IDEMPOTENCY_KEY_REUSED;
  }

  /** A part was written. */
  void add(int size, long at) {
    keys += size;
    parts++;
    revision = at;
  }

  /** Finds those that are there and not counted yet. */
  CompletionStage<Void> find() {
    return id.isEmpty() ? CompletableFuture.completedStage(null) : look();
  }

  private CompletionStage<Void> look() {
    return base.log(lookedAt + 1, PAGE_ROWS)
        .thenCompose(
            page -> {
              page.rows().forEach(this::count);
              return page.more() ? look() : CompletableFuture.completedStage(null);
            });
  }

  private void count(LogRow row) {
    RequestStamp wanted = RequestStamp.of(idOf(parts + 1), 0);
    for (long at = Math.max(row.first(), lookedAt + 1); at <= row.last(); at++) {
      LogRecord record = row.record(at);
      if (record.request() != null && record.request().sameId(wanted)) {
        add((int) record.changes().stream().filter(Change.OfEntry.class::isInstance).count(), at);
        wanted = RequestStamp.of(idOf(parts + 1), 0);
      }
    }
    lookedAt = Math.max(lookedAt, row.last());
  }
}
