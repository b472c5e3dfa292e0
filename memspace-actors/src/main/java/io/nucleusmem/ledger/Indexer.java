package io.nucleusmem.ledger;

import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Writes versions, state and anchors behind the log, where one commit cannot cover them and the log
 * row is the commit. They are a function of the log, so any owner writes the same.
 *
 * <p>Each batch inserts a row at the first revision that it covers and requires the one before it:
 * the fence of the log once more, and with the same proof. It keeps an owner that was replaced from
 * bringing back what has been compacted since. A batch deletes the row before the last, so two are
 * kept, and a request of an older batch, however late, misses what it requires or meets what it
 * inserts.
 *
 * <p>Keeps the commits that are not indexed in memory, bounded: {@link #isFull} slows the ledger.
 * Used on the host's thread.
 */
final class Indexer {
  static final long TAIL_BYTES_MAX = 8L << 20;
  private static final long BATCH_BYTES = 256L << 10;
  private static final int BATCH_REVISIONS = 1_000;
  private static final Duration DELAY = Duration.ofMillis(50);
  private static final Duration RESEND_DELAY_MAX = Duration.ofSeconds(1);

  private final LedgerId id;
  private final KvStore store;
  private final Ledger ledger;
  private final ArrayDeque<LogRow> rows = new ArrayDeque<>();
  private final Tail tail = new Tail();
  private LedgerReader.IndexedUpTo index;
  private long bytes;
  private boolean writing;
  private boolean scheduled;

  Indexer(LedgerId id, KvStore store, Ledger ledger, LedgerReader.IndexedUpTo index) {
    this.id = id;
    this.store = store;
    this.ledger = ledger;
    this.index = index;
  }

  /** The first row of the chain, to be written with the ledger's creation. */
  static void begin(WriteBatch.Builder batch, LedgerId id, long first) {
    batch.insert(LedgerKeys.index(id, first), new BytesWriter(10).varint(first).toBytes());
  }

  /** Takes a commit. */
  void add(LogRow row) {
    rows.add(row);
    tail.add(id, row);
    bytes += size(row);
    if (bytes >= BATCH_BYTES || row.last() - index.last() >= BATCH_REVISIONS) {
      write();
    } else {
      scheduleNext();
    }
  }

  /** The newest version of an entry, if it is not indexed yet. */
  Optional<Version> newest(EntryRef entry) {
    return tail.first(LedgerKeys.versionsFrom(id, entry, Long.MAX_VALUE - 1));
  }

  boolean isEmpty() {
    return rows.isEmpty();
  }

  /** True if no commit should be made before some are indexed. */
  boolean isFull() {
    return bytes >= TAIL_BYTES_MAX;
  }

  private void write() {
    if (writing || rows.isEmpty() || ledger.hasEnded()) {
      return;
    }
    writing = true;
    ledger.onHost(
        store.now(),
        (timestamp, failure) -> {
          if (ledger.hasEnded()) {
            return;
          }
          if (failure == null) {
            List<LogRow> taken = take();
            send(batch(taken, timestamp), taken, ledger.settings().resendDelay());
          } else {
            retry(); // also a final failure: the log goes on, to what the tail may hold
          }
        });
  }

  /** The oldest commits, as many as make a batch. */
  private List<LogRow> take() {
    List<LogRow> taken = new ArrayList<>();
    long size = 0;
    int revisions = 0;
    for (LogRow row : rows) {
      if (!taken.isEmpty() && (size + size(row) > BATCH_BYTES || revisions >= BATCH_REVISIONS)) {
        break;
      }
      taken.add(row);
      size += size(row);
      revisions += row.records().size();
    }
    return taken;
  }

  private WriteBatch batch(List<LogRow> taken, long timestamp) {
    LogRow newest = taken.get(taken.size() - 1);
    WriteBatch.Builder batch = WriteBatch.at(timestamp);
    batch.insert(
        LedgerKeys.index(id, taken.get(0).first()),
        new BytesWriter(10).varint(newest.last()).toBytes());
    batch.require(LedgerKeys.index(id, index.first()));
    if (index.before() >= 0) {
      batch.delete(LedgerKeys.index(id, index.before()));
    }
    LedgerBatch.addDerivedRows(batch, id, taken);
    LedgerBatch.addAnchor(batch, id, taken.get(0));
    return batch.build();
  }

  private void send(WriteBatch batch, List<LogRow> taken, Duration delay) {
    ledger.onHost(
        store.commit(batch),
        (done, failure) -> {
          if (ledger.hasEnded()) {
            return;
          }
          if (failure == null) {
            written(taken);
          } else if (failure instanceof RefusedCommitException) {
            lookAgain();
          } else if (failure instanceof TransientStoreException
              || failure instanceof UndeterminedCommitException) {
            Duration next = delay.multipliedBy(2);
            ledger.later(
                delay,
                () -> {
                  if (!ledger.hasEnded()) {
                    send(
                        batch,
                        taken,
                        next.compareTo(RESEND_DELAY_MAX) > 0 ? RESEND_DELAY_MAX : next);
                  }
                });
          } else {
            retry();
          }
        });
  }

  private void written(List<LogRow> taken) {
    writing = false;
    index =
        new LedgerReader.IndexedUpTo(
            taken.get(0).first(), index.first(), taken.get(taken.size() - 1).last());
    forget();
  }

  /** Lets go of what is indexed, and goes on. */
  private void forget() {
    boolean full = isFull();
    while (!rows.isEmpty() && rows.peek().last() <= index.last()) {
      LogRow row = rows.poll();
      bytes -= size(row);
      tail.remove(id, row);
    }
    if (bytes >= BATCH_BYTES || full) {
      write();
    } else if (!rows.isEmpty()) {
      scheduleNext();
    }
    if (full) {
      ledger.maybeCommit();
    }
  }

  private void scheduleNext() {
    if (!scheduled) {
      scheduled = true;
      ledger.later(
          DELAY,
          () -> {
            scheduled = false;
            write();
          });
    }
  }

  /**
   * Refused: an earlier sending of the batch was applied, or another owner has indexed the same
   * commits. Both wrote what the log says, so it is gone on from there, unless it has commits that
   * this owner does not know.
   */
  private void lookAgain() {
    ledger.onHost(
        new LedgerReader(store, id).indexedUpTo(),
        (found, failure) -> {
          if (ledger.hasEnded()) {
            return;
          }
          if (failure != null) {
            retry();
          } else if (found.last() > ledger.committed()) {
            ledger.fenced(null);
          } else {
            writing = false;
            index = found;
            forget();
          }
        });
  }

  private void retry() {
    ledger.later(
        RESEND_DELAY_MAX,
        () -> {
          writing = false;
          write();
        });
  }

  private static long size(LogRow row) {
    long size = 0;
    for (LogRecord record : row.records()) {
      size += LedgerBatch.size(record);
    }
    return size;
  }
}
