package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * Writes over what versions of a ledger hold, and nothing else of them: keys, revisions, authors
 * and instants stay, and so does every log row with its count of revisions, so that the chain of
 * the log is as it was. Doing it twice is doing it once. The versions must be indexed.
 */
public final class LedgerEraser {
  private static final int PAGE_ROWS_FIRST = 4;
  private static final int PAGE_ROWS_MAX = 512;
  private static final long PAGE_BYTES = 1 << 20;
  private static final int TRIES_MAX = 20;

  /** Which bodies go, and what takes their place. */
  @FunctionalInterface
  public interface Replacement {
    /** What is to stand instead of a body; null: it stays. */
    Bytes of(EntryRef entry, long timestamp, Bytes body);
  }

  private final KvStore store;
  private final LedgerId id;
  private final Replacement replacement;
  private final Pace pace;
  private int rowsPerPage = PAGE_ROWS_FIRST;
  private volatile long versions;
  private volatile long logRows;

  public LedgerEraser(KvStore store, LedgerId id, Replacement replacement, Pace pace) {
    this.store = store;
    this.id = id;
    this.replacement = replacement;
    this.pace = pace;
  }

  /** Versions written over so far. */
  public long versions() {
    return versions;
  }

  /** Log rows written over so far. */
  public long logRows() {
    return logRows;
  }

  /**
   * Looks through ranges of versions, and through the log where it carries bodies.
   *
   * @param ranges from {@link LedgerKeys}, of versions
   */
  public CompletionStage<Void> run(List<KeyRange> ranges) {
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (KeyRange range : ranges) {
      all = all.thenCompose(done -> walk(range, this::version));
    }
    return store.scope() == StoreScope.ALL
        ? all
        : all.thenCompose(done -> walk(LedgerKeys.log(id), this::logRow));
  }

  private interface Step {
    /** The row's new value; null: it stays. */
    Bytes look(Row row);
  }

  private Bytes version(Row row) {
    LedgerKeys.VersionKey key = LedgerKeys.parseVersion(row.key());
    Version version = Version.decode(key.entry(), key.revision(), row.value());
    Bytes instead =
        version.deleted()
            ? null
            : replacement.of(version.entry(), version.timestamp(), version.body());
    if (instead == null) {
      return null;
    }
    versions++;
    return version.withBody(instead).encode();
  }

  private Bytes logRow(Row row) {
    LogRow old = LogRow.decode(LedgerKeys.firstOf(row.key()), row.value());
    boolean changed = false;
    List<LogRecord> records = new ArrayList<>(old.records().size());
    for (LogRecord record : old.records()) {
      List<Change> changes = new ArrayList<>(record.changes().size());
      for (Change change : record.changes()) {
        Bytes instead =
            change instanceof Change.OfEntry entry && entry.body() != null
                ? replacement.of(entry.entry(), old.timestamp(), entry.body())
                : null;
        if (instead == null) {
          changes.add(change);
        } else {
          Change.OfEntry entry = (Change.OfEntry) change;
          changes.add(new Change.OfEntry(entry.entry(), false, instead, entry.size(), entry.to()));
          changed = true;
        }
      }
      records.add(new LogRecord(record.author(), record.request(), changes));
    }
    if (!changed) {
      return null;
    }
    logRows++;
    return new LogRow(old.first(), old.owner(), old.timestamp(), records).encode(true);
  }

  private CompletionStage<Void> walk(KeyRange range, Step step) {
    return store
        .scan(range, rowsPerPage, Direction.ASCENDING)
        .thenCompose(
            page -> {
              Map<Bytes, Bytes> changed = new TreeMap<>();
              long size = 1;
              for (Row row : page.rows()) {
                size += row.key().length() + row.value().length();
                Bytes instead = step.look(row);
                if (instead != null) {
                  changed.put(row.key(), instead);
                }
              }
              long fitting = Math.max(1, page.rows().size() * PAGE_BYTES / size);
              rowsPerPage = (int) Math.min(Math.min(fitting, rowsPerPage * 2L), PAGE_ROWS_MAX);
              return write(changed, TRIES_MAX)
                  .thenCompose(done -> pace.after(page.rows().size() + changed.size()))
                  .thenApply(done -> page);
            })
        .thenCompose(
            page ->
                page.rest().isPresent()
                    ? walk(page.rest().get(), step)
                    : CompletableFuture.completedStage(null));
  }

  private CompletionStage<Void> write(Map<Bytes, Bytes> rows, int tries) {
    if (rows.isEmpty()) {
      return CompletableFuture.completedStage(null);
    }
    return store
        .now()
        .thenCompose(
            now -> {
              WriteBatch.Builder batch = WriteBatch.at(now);
              rows.forEach(batch::put);
              return store.commit(batch.build());
            })
        .handle((done, failure) -> failure)
        .thenCompose(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              boolean again =
                  cause instanceof TransientStoreException
                      || cause instanceof UndeterminedCommitException;
              if (again && tries > 1) {
                return pace.after(rows.size()).thenCompose(done -> write(rows, tries - 1));
              }
              return cause == null
                  ? CompletableFuture.<Void>completedStage(null)
                  : CompletableFuture.failedStage(cause);
            });
  }
}
