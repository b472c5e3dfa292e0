package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;

/**
 * Names a row of a ledger's state: what is true now and follows from the log (manifest, mounts,
 * claims, subscriptions).
 *
 * @param table one byte; tables 0xF0 and above are the ledger's own
 * @param key inside of the table
 */
public record StateKey(byte table, Bytes key) implements Comparable<StateKey> {
  /** The ledger's own table of the compaction floor: one row with an empty key. */
  static final StateKey FLOOR = new StateKey((byte) 0xF0, Bytes.EMPTY);

  /** The ledgers that a ledger stands on: one row, written when it is made, see {@link Base}. */
  static final StateKey BASE = new StateKey((byte) 0xF1, Bytes.EMPTY);

  @Override
  public int compareTo(StateKey other) {
    int byTable = Integer.compare(table & 0xFF, other.table & 0xFF);
    return byTable != 0 ? byTable : key.compareTo(other.key);
  }

  @Override
  public int hashCode() {
    return key.hashCode() * 31 + table;
  }
}
