package io.nucleusmem.store.tikv.server;

/**
 * The newest timestamp that a store has answered a read at. A commit whose timestamp the store
 * itself chooses comes later, so that no reader's past changes.
 */
final class MaxTs {
  private long ts;

  synchronized void raise(long readTs) {
    if (readTs != Ts.MAX) {
      ts = Ts.max(ts, readTs);
    }
  }

  synchronized long get() {
    return ts;
  }
}
