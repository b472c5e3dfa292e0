package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.WriteBatch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Rows of state as they were at an instant. A change whose past is kept leaves a row of its own
 * under the time of its commit, derived from the log as versions are; so what was costs a seek, as
 * what is does, however many commits came between.
 *
 * <p>Worked example: a row is made at time 10, changed at 20, removed at 30: rows {@code ~30
 * removed, ~20 b, ~10 a}. At 15 it is {@code a}, at 20 {@code b}, at 30 and later absent.
 *
 * <pre>
 * l id 'H' table(1) escaped(key) ~timestamp(8)    there(1: 0=removed 1=there) value
 * </pre>
 */
public final class PastState {
  private static final int ROWS_PAGE = 1_024;
  private static final int REMOVED = 0;
  private static final int THERE = 1;

  private final KvStore store;
  private final LedgerId id;
  private final Function<Supplier<CompletionStage<?>>, CompletionStage<List<LogRow>>> tail;

  /**
   * @param tail gets a read of derived rows; gives the commits to be taken over them
   */
  PastState(
      KvStore store,
      LedgerId id,
      Function<Supplier<CompletionStage<?>>, CompletionStage<List<LogRow>>> tail) {
    this.store = store;
    this.id = id;
    this.tail = tail;
  }

  /** Adds the rows that commits leave. */
  static void addRows(WriteBatch.Builder batch, LedgerId id, List<LogRow> commits) {
    rows(id, commits).forEach(batch::put);
  }

  /** Of several changes in one commit the last counts. */
  private static Map<Bytes, Bytes> rows(LedgerId id, List<LogRow> commits) {
    Map<Bytes, Bytes> rows = new HashMap<>();
    for (LogRow commit : commits) {
      for (LogRecord record : commit.records()) {
        for (Change change : record.changes()) {
          if (change instanceof Change.OfState state && state.kept()) {
            rows.put(LedgerKeys.past(id, state.key(), commit.timestamp()), encode(state.value()));
          }
        }
      }
    }
    return rows;
  }

  /** Adds what a row is from a time on, to a ledger that has no owner yet. */
  public static void addRow(
      WriteBatch.Builder batch, LedgerId id, StateKey key, long timestamp, Bytes value) {
    batch.put(LedgerKeys.past(id, key, timestamp), encode(value));
  }

  private static Bytes encode(Bytes value) {
    return value == null
        ? new BytesWriter(1).u8(REMOVED).toBytes()
        : new BytesWriter(1 + value.length()).u8(THERE).raw(value).toBytes();
  }

  static boolean isRemoval(Row row) {
    return row.value().at(0) == REMOVED;
  }

  /** A table as it was at a time that is closed. */
  public CompletionStage<TreeMap<StateKey, Bytes>> table(byte table, long timestamp) {
    return read(LedgerKeys.past(id, table), timestamp);
  }

  /** The rows of one key as they were at a time that is closed: one or none. */
  public CompletionStage<TreeMap<StateKey, Bytes>> row(StateKey key, long timestamp) {
    return read(LedgerKeys.past(id, key), timestamp);
  }

  /**
   * As {@link #table}, of a ledger that was deleted: these rows are what is left of it, and all
   * that was in its log is among them.
   */
  public CompletionStage<TreeMap<StateKey, Bytes>> tableOfDeleted(byte table, long timestamp) {
    return rows(LedgerKeys.past(id, table), timestamp, new TreeMap<>());
  }

  /**
   * Rows that stand in the log alone so far, for who is about to remove that. Empty where they ride
   * in the commit.
   */
  public CompletionStage<Map<Bytes, Bytes>> behindLog() {
    return tail.apply(() -> CompletableFuture.completedStage(null))
        .thenApply(commits -> rows(id, commits));
  }

  /** The range of keys that a deletion leaves. */
  public static KeyRange kept(LedgerId id) {
    return LedgerKeys.past(id);
  }

  private CompletionStage<TreeMap<StateKey, Bytes>> read(KeyRange range, long timestamp) {
    TreeMap<StateKey, Bytes> into = new TreeMap<>();
    return tail.apply(
            () -> {
              into.clear();
              return rows(range, timestamp, into);
            })
        .thenApply(
            commits -> {
              for (LogRow commit : commits) {
                if (commit.timestamp() <= timestamp) {
                  apply(commit, range, into);
                }
              }
              return into;
            });
  }

  private void apply(LogRow commit, KeyRange range, TreeMap<StateKey, Bytes> into) {
    for (LogRecord record : commit.records()) {
      for (Change change : record.changes()) {
        if (change instanceof Change.OfState state
            && state.kept()
            && range.contains(LedgerKeys.past(id, state.key(), commit.timestamp()))) {
          if (state.value() == null) {
            into.remove(state.key());
          } else {
            into.put(state.key(), state.value());
          }
        }
      }
    }
  }

  private CompletionStage<TreeMap<StateKey, Bytes>> rows(
      KeyRange range, long timestamp, TreeMap<StateKey, Bytes> into) {
    return store
        .scanFloor(range, timestamp, ROWS_PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              for (Row row : page.rows()) {
                if (!isRemoval(row)) {
                  into.put(
                      LedgerKeys.parsePast(row.key()).state(),
                      row.value().slice(1, row.value().length()));
                }
              }
              return page.rest().isPresent()
                  ? rows(page.rest().get(), timestamp, into)
                  : CompletableFuture.completedStage(into);
            });
  }
}
