package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LogRow;
import java.util.ArrayList;
import java.util.List;

/** Who hears of a ledger's commits: one listener per node, whatever the number of its watchers. */
final class Watchers {
  private final List<CommitListener> listeners = new ArrayList<>(1);

  /** Adds a listener; it hears of everything behind the revision that is returned. */
  long attach(CommitListener listener, long committed) {
    if (!listeners.contains(listener)) {
      listeners.add(listener);
    }
    return committed;
  }

  /** True if that was the last one. */
  boolean detach(CommitListener listener) {
    listeners.remove(listener);
    return listeners.isEmpty();
  }

  void committed(LogRow row) {
    for (CommitListener listener : listeners) {
      listener.committed(row.first() - 1, row);
    }
  }
}
