package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes the rows of a ledger that was read elsewhere, under an id of its own that nobody knows
 * yet: there is no owner, so nothing is fenced. What an owner will find is complete when {@link
 * #complete} was committed.
 */
public final class LedgerCopy {
  private LedgerCopy() {}

  /**
   * A commit as it can be shown to others: who changed which entries when, without what entries
   * hold, without request ids, and without rows of state, which mean nothing elsewhere.
   */
  public static LogRow bare(LogRow row) {
    List<LogRecord> records = new ArrayList<>(row.records().size());
    for (LogRecord record : row.records()) {
      List<Change> changes = new ArrayList<>();
      for (Change change : record.changes()) {
        if (change instanceof Change.OfEntry entry) {
          changes.add(
              new Change.OfEntry(entry.entry(), entry.deleted(), null, entry.size(), entry.to()));
        }
      }
      records.add(new LogRecord(record.author(), null, changes));
    }
    return new LogRow(row.first(), 0, row.timestamp(), records);
  }

  /** Adds a commit and, for some of them, the anchor of its time. */
  public static void commit(WriteBatch.Builder batch, LedgerId id, LogRow row, boolean anchor) {
    batch.put(LedgerKeys.log(id, row.first()), row.encode(false));
    if (anchor) {
      LedgerBatch.addAnchor(batch, id, row);
    }
  }

  /** Adds a version as it was stored. */
  public static void version(
      WriteBatch.Builder batch, LedgerId id, EntryRef entry, long revision, Bytes value) {
    batch.put(LedgerKeys.version(id, entry, revision), value);
  }

  /** Sets the oldest revision that can be read. */
  static void floor(WriteBatch.Builder batch, LedgerId id, long floor) {
    Change.OfState row = (Change.OfState) Floor.change(floor);
    batch.put(LedgerKeys.state(id, row.key()), row.value());
  }

  /**
   * Adds what makes a ledger of the rows that were written.
   *
   * @param newest revision of the last commit; all its versions are there
   * @param floor oldest revision that can be read; 0 if nothing was compacted
   */
  public static void complete(
      WriteBatch.Builder batch, KvStore store, LedgerId id, long newest, long floor) {
    if (floor > 0) {
      floor(batch, id, floor);
    }
    if (store.scope() == StoreScope.REGION) {
      batch.put(LedgerKeys.index(id, 0), new BytesWriter(10).varint(newest).toBytes());
    }
  }
}
