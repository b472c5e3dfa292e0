package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;

/** What one revision changes. */
public sealed interface Change {
  /**
   * A new version of an entry.
   *
   * @param body what the entry holds now; null for a deletion, and where it is not carried (see
   *     {@link LogRow})
   * @param size of what the author would call the value, in bytes
   * @param to whom a message is directed; null for everybody
   */
  record OfEntry(EntryRef entry, boolean deleted, Bytes body, int size, String to)
      implements Change {}

  /**
   * A row of state.
   *
   * @param value null removes the row
   * @param kept whether what the row was before stays known, see {@link PastState}
   */
  record OfState(StateKey key, Bytes value, boolean kept) implements Change {
    public OfState(StateKey key, Bytes value) {
      this(key, value, false);
    }
  }
}
