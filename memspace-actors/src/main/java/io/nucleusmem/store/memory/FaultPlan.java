package io.nucleusmem.store.memory;

import io.nucleusmem.store.WriteBatch;

/**
 * Decides what becomes of each commit. Asked once per commit, in the order of their arrival, on the
 * caller's thread and under the store's lock: it must not call the store.
 */
@FunctionalInterface
public interface FaultPlan {
  /** No faults. */
  FaultPlan NONE = batch -> Fault.NONE;

  /** The fate of a commit. */
  Fault onCommit(WriteBatch batch);
}
