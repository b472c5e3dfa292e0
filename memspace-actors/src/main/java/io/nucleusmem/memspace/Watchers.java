package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LogRow;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Who hears of a ledger's commits: one listener per node, whatever the number of its watchers. Each
 * asks again every second; one that has not for a while is on a node that is gone.
 */
final class Watchers {
  private static final Duration LEASE = Duration.ofSeconds(10);

  private final Map<CommitListener, Long> listeners = new LinkedHashMap<>(2); // when it asked

  /** Adds a listener; it hears of everything behind the revision that is returned. */
  long attach(CommitListener listener, long committed) {
    listeners.put(listener, System.nanoTime());
    return committed;
  }

  void detach(CommitListener listener) {
    listeners.remove(listener);
  }

  /** True if nobody is left; forgets who has not asked for longer than a lease. */
  boolean isEmpty() {
    long now = System.nanoTime();
    listeners.values().removeIf(asked -> now - asked > LEASE.toNanos());
    return listeners.isEmpty();
  }

  void committed(LogRow row) {
    listeners.keySet().forEach(listener -> listener.committed(row.first() - 1, row));
  }
}
