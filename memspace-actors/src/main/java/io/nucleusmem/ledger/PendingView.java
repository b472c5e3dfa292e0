package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import java.util.Optional;
import java.util.SortedMap;

/**
 * What is true at the place in the order where a command is decided: committed, and decided before
 * it.
 */
public interface PendingView {
  /**
   * The newest version of an entry that the command named in {@link Command#reads()}; a deletion
   * shows as a deleted version.
   */
  Optional<Version> newest(EntryRef entry);

  /**
   * What is decided before, in the same commit, for an entry; empty if nothing is. Needs no read.
   */
  Optional<Version> pending(EntryRef entry);

  /** A row of state. */
  Optional<Bytes> state(StateKey key);

  /** The rows of a table, by key. */
  SortedMap<StateKey, Bytes> table(byte table);
}
