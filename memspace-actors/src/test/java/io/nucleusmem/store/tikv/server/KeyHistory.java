package io.nucleusmem.store.tikv.server;

import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** All that is known of one key: its lock and its write records, newest first. */
final class KeyHistory {
  /** What became of a transaction on this key. */
  enum Fate {
    UNKNOWN,
    COMMITTED,
    ROLLED_BACK
  }

  /**
   * @param commitTs 0 unless committed
   * @param overlapped another transaction's commit stands at this one's start timestamp
   */
  record TxnRecord(Fate fate, long commitTs, boolean overlapped) {}

  private Lock lock;
  private final NavigableMap<Long, Write> writes =
      new TreeMap<>(Collections.reverseOrder(Long::compareUnsigned));

  Optional<Lock> lock() {
    return Optional.ofNullable(lock);
  }

  Optional<Lock> lockOf(long startTs) {
    return lock().filter(l -> l.startTs() == startTs);
  }

  void lock(Lock newLock) {
    lock = newLock;
  }

  void unlock() {
    lock = null;
  }

  /** The newest record of any type: commit timestamp and write. */
  Optional<Map.Entry<Long, Write>> newest() {
    return Optional.ofNullable(writes.firstEntry());
  }

  /** The newest put or delete at or before a timestamp. */
  Optional<Map.Entry<Long, Write>> dataAt(long ts) {
    return writes.tailMap(ts, true).entrySet().stream()
        .filter(entry -> entry.getValue().isData())
        .findFirst();
  }

  /** The value that a reader at the timestamp sees. */
  Optional<Write> valueAt(long ts) {
    return dataAt(ts).map(Map.Entry::getValue).filter(write -> write.type() == Write.Type.PUT);
  }

  void put(long commitTs, Write write) {
    writes.put(commitTs, write);
  }

  TxnRecord recordOf(long startTs) {
    for (Map.Entry<Long, Write> entry : writes.entrySet()) {
      Write write = entry.getValue();
      if (write.startTs() == startTs) {
        return write.type() == Write.Type.ROLLBACK
            ? new TxnRecord(Fate.ROLLED_BACK, 0, false)
            : new TxnRecord(Fate.COMMITTED, entry.getKey(), false);
      }
      if (entry.getKey() == startTs) {
        return new TxnRecord(write.overlappedRollback() ? Fate.ROLLED_BACK : Fate.UNKNOWN, 0, true);
      }
      if (!Ts.after(entry.getKey(), startTs)) {
        break;
      }
    }
    return new TxnRecord(Fate.UNKNOWN, 0, false);
  }

  /** Leaves the mark that a late prewrite of the transaction will meet. */
  void rollback(long startTs, boolean isProtected, boolean collapse) {
    if (collapse) {
      collapseRollbackBefore(startTs);
    }
    Write overlapped = writes.get(startTs);
    if (overlapped == null || overlapped.type() == Write.Type.ROLLBACK) {
      writes.put(startTs, Write.rollback(startTs, isProtected));
    } else if (isProtected) {
      writes.put(startTs, overlapped.withOverlappedRollback());
    }
  }

  // One unprotected rollback record is enough for TiKV: an older one is forgotten.
  private void collapseRollbackBefore(long startTs) {
    Map.Entry<Long, Write> previous = writes.ceilingEntry(startTs);
    if (previous != null
        && previous.getValue().type() == Write.Type.ROLLBACK
        && !previous.getValue().protectedRollback()) {
      writes.remove(previous.getKey());
    }
  }

  /** Forgets what no reader after the safe point can see. Answers whether nothing is left. */
  boolean collectGarbage(long safePoint) {
    boolean keptOne = false;
    Iterator<Map.Entry<Long, Write>> old = writes.tailMap(safePoint, true).entrySet().iterator();
    while (old.hasNext()) {
      Write write = old.next().getValue();
      if (!keptOne && write.type() == Write.Type.PUT) {
        keptOne = true;
      } else {
        keptOne |= write.type() == Write.Type.DELETE;
        old.remove();
      }
    }
    return lock == null && writes.isEmpty();
  }

  int versions() {
    return writes.size();
  }
}
