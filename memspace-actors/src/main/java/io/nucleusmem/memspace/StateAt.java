package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Manifest and mounts of a space as they were at a revision. Rows of state have no history of their
 * own, but all changes are in the log: what has not changed since is what it is now, and the rest
 * is found where it was written. A mount never changes, and its id names the revision that made it.
 */
final class StateAt {
  private static final int COMMITS_MAX = 100_000; // looked through, after the revision or before it

  private final LedgerReader log;
  private final long first;
  private final long revision;
  private final Set<StateKey> changed = new HashSet<>(); // after the revision
  private TreeMap<StateKey, Bytes> rows;
  private int commits;

  /**
   * @param first of the space's own revisions, the one that made it
   */
  StateAt(LedgerReader log, long first, long revision) {
    this.log = log;
    this.first = first;
    this.revision = revision;
  }

  CompletionStage<Map<StateKey, Bytes>> read() {
    return log.state()
        .thenCompose(
            now -> {
              rows = now;
              rows.keySet().removeIf(key -> !isAsked(key));
              return walk(revision + 1, Long.MAX_VALUE, this::changedSince);
            })
        .thenCompose(done -> restore());
  }

  private static boolean isAsked(StateKey key) {
    return key.table() == SpaceRows.MANIFEST || key.table() == SpaceRows.MOUNTS;
  }

  private interface Visitor {
    void visit(long revision, Change.OfState change);
  }

  private void changedSince(long at, Change.OfState change) {
    changed.add(change.key());
  }

  private CompletionStage<Map<StateKey, Bytes>> restore() {
    CompletionStage<Void> restored = CompletableFuture.completedStage(null);
    for (StateKey key : changed) {
      rows.remove(key);
      if (key.table() == SpaceRows.MANIFEST) {
        // rare: the newest one before is somewhere between the space's beginning and the revision
        restored =
            restored.thenCompose(
                done ->
                    walk(
                        first,
                        revision,
                        (at, change) -> {
                          if (change.key().equals(key)) {
                            rows.put(key, change.value());
                          }
                        }));
      } else {
        long made = Math.max(first, madeAt(key));
        if (made <= revision) {
          restored =
              restored.thenCompose(
                  done ->
                      walk(
                          made,
                          made,
                          (at, change) -> {
                            if (change.key().equals(key) && change.value() != null) {
                              rows.put(key, change.value());
                            }
                          }));
        }
      }
    }
    return restored.thenApply(done -> rows);
  }

  private static long madeAt(StateKey mount) {
    String id = mount.key().utf8();
    return Long.parseLong(id.substring(id.lastIndexOf('-') + 1));
  }

  /** Visits the changes of manifest and mounts in some revisions. */
  private CompletionStage<Void> walk(long from, long to, Visitor visitor) {
    return log.log(from, LedgerReader.LOG_ROWS_MAX)
        .thenCompose(
            page -> {
              if (!page.rows().isEmpty() && page.rows().get(0).first() > from) {
                throw new CompactedException(revision, page.rows().get(0).first());
              }
              long next = from;
              for (LogRow row : page.rows()) {
                for (long at = Math.max(from, row.first()); at <= Math.min(to, row.last()); at++) {
                  for (Change change : row.record(at).changes()) {
                    if (change instanceof Change.OfState state && isAsked(state.key())) {
                      visitor.visit(at, state);
                    }
                  }
                }
                next = row.last() + 1;
              }
              commits += page.rows().size();
              if (commits > COMMITS_MAX) {
                throw MemSpaceException.tooLarge(
                    "the space's log since then", commits, COMMITS_MAX, "commits");
              }
              return page.more() && next <= to
                  ? walk(next, to, visitor)
                  : CompletableFuture.completedStage(null);
            });
  }
}
