package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.WriteBatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The commit that is being decided, then the one in flight. Its view is what is pending: the
 * committed state with what was decided before it in the same batch. Nobody is answered out of it
 * before it is settled.
 */
final class LedgerBatch implements PendingView {
  private final LedgerId id;
  private final long first;
  private final long owner;
  private final long timestamp;
  private final Ledger ledger;

  private final List<LogRecord> records = new ArrayList<>();
  private final List<Reply> replies = new ArrayList<>();
  private final List<Runnable> answers = new ArrayList<>();
  private final Map<EntryRef, Version> newest = new HashMap<>();
  private Map<StateKey, Optional<Bytes>> state;
  private long bytes;
  private LogRow row;
  private WriteBatch sealed;
  private Duration waited = Duration.ZERO;

  LedgerBatch(LedgerId id, long first, long owner, long timestamp, Ledger ledger) {
    this.id = id;
    this.first = first;
    this.owner = owner;
    this.timestamp = timestamp;
    this.ledger = ledger;
  }

  @Override
  public Optional<Version> newest(EntryRef entry) {
    Version pending = newest.get(entry);
    return pending != null ? Optional.of(pending) : ledger.committedHead(entry);
  }

  @Override
  public Optional<Version> pending(EntryRef entry) {
    return Optional.ofNullable(newest.get(entry));
  }

  @Override
  public Optional<Bytes> state(StateKey key) {
    Optional<Bytes> pending = state == null ? null : state.get(key);
    return pending != null ? pending : ledger.state(key);
  }

  @Override
  public SortedMap<StateKey, Bytes> table(byte table) {
    SortedMap<StateKey, Bytes> rows = new TreeMap<>(ledger.table(table));
    if (state != null) {
      state.forEach(
          (key, row) -> {
            if (key.table() == table) {
              row.ifPresentOrElse(value -> rows.put(key, value), () -> rows.remove(key));
            }
          });
    }
    return rows;
  }

  /** The revision that the next record gets. */
  long next() {
    return first + records.size();
  }

  boolean isEmpty() {
    return records.isEmpty();
  }

  boolean isFull(LedgerSettings settings) {
    return records.size() >= settings.commitCommandsMax() || bytes >= settings.commitBytesMax();
  }

  boolean holds(RequestStamp stamp) {
    for (LogRecord record : records) {
      if (record.request() != null && record.request().sameId(stamp)) {
        return true;
      }
    }
    return false;
  }

  /** Takes a decided command; false if it does not fit behind what is there. */
  boolean add(Reply reply, LogRecord record, long bytesMax) {
    long size = size(record);
    if (!records.isEmpty() && bytes + size > bytesMax) {
      return false;
    }
    if (size > bytesMax) {
      refuse(
          reply,
          new LedgerException(
              LedgerException.Reason.TOO_LARGE,
              "the command changes [%d] bytes; a commit holds at most [%d]"
                  .formatted(size, bytesMax)));
      return true;
    }
    long revision = next();
    records.add(record);
    replies.add(reply);
    bytes += size;
    for (Change change : record.changes()) {
      if (change instanceof Change.OfEntry entry) {
        newest.put(entry.entry(), Version.of(entry, revision, timestamp, record.author()));
      } else if (change instanceof Change.OfState row) {
        state = state == null ? new HashMap<>() : state;
        state.put(row.key(), Optional.ofNullable(row.value()));
      }
    }
    Outcome outcome = new Outcome(revision, timestamp, record, false);
    answers.add(() -> reply.settle(outcome, null));
    return true;
  }

  /** An answer that changes nothing, but rests on what is pending. */
  void answer(Reply reply, Outcome outcome) {
    replies.add(reply);
    answers.add(() -> reply.settle(outcome, null));
  }

  /** A refusal, which rests on what is pending too. */
  void refuse(Reply reply, RuntimeException refusal) {
    replies.add(reply);
    answers.add(() -> reply.settle(null, refusal));
  }

  /** Fixes the bytes: from here on the batch is sent as it is, however often. */
  void seal(StoreScope scope, long newestRowKey, boolean anchor) {
    row = new LogRow(first, owner, timestamp, records);
    WriteBatch.Builder batch = WriteBatch.at(timestamp);
    batch.insert(LedgerKeys.log(id, first), row.encode(scope == StoreScope.REGION));
    batch.require(LedgerKeys.log(id, newestRowKey));
    if (scope == StoreScope.ALL) {
      addDerivedRows(batch, id, List.of(row));
      if (anchor) {
        addAnchor(batch, id, row);
      }
    }
    sealed = batch.build();
  }

  /**
   * Versions and state that follow from commits. A row of state that changed twice is written once.
   */
  static void addDerivedRows(WriteBatch.Builder batch, LedgerId id, List<LogRow> rows) {
    Map<StateKey, Optional<Bytes>> states = new HashMap<>();
    PastState.addRows(batch, id, rows);
    for (LogRow row : rows) {
      for (int i = 0; i < row.records().size(); i++) {
        LogRecord record = row.records().get(i);
        for (Change change : record.changes()) {
          if (change instanceof Change.OfEntry entry) {
            long revision = row.first() + i;
            batch.put(
                LedgerKeys.version(id, entry.entry(), revision),
                Version.of(entry, revision, row.timestamp(), record.author()).encode());
          } else if (change instanceof Change.OfState each) {
            states.put(each.key(), Optional.ofNullable(each.value()));
          }
        }
      }
    }
    states.forEach(
        (key, value) ->
            value.ifPresentOrElse(
                bytes -> batch.put(LedgerKeys.state(id, key), bytes),
                () -> batch.delete(LedgerKeys.state(id, key))));
  }

  /** The anchor of a commit's time. */
  static void addAnchor(WriteBatch.Builder batch, LedgerId id, LogRow row) {
    batch.put(
        LedgerKeys.time(id, row.timestamp()), new BytesWriter(10).varint(row.first()).toBytes());
  }

  LogRow row() {
    return row;
  }

  WriteBatch sealed() {
    return sealed;
  }

  Map<EntryRef, Version> newest() {
    return newest;
  }

  List<Runnable> answers() {
    return answers;
  }

  List<Reply> replies() {
    return replies;
  }

  /** Time spent waiting to send again, this delay included. */
  Duration waited(Duration delay) {
    waited = waited.plus(delay);
    return waited;
  }

  /** Bytes that a record writes, rather more than less: its log row and what follows from it. */
  static long size(LogRecord record) {
    long size = 64;
    for (Change change : record.changes()) {
      if (change instanceof Change.OfEntry entry) {
        size +=
            2L * entry.entry().key().length()
                + 96
                + (entry.body() == null ? 0 : entry.body().length());
      } else if (change instanceof Change.OfState each) {
        size +=
            2L * (each.key().key().length() + (each.value() == null ? 0 : each.value().length()))
                + 64;
      }
    }
    return size;
  }
}
