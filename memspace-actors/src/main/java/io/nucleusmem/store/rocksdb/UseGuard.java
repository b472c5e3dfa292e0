package io.nucleusmem.store.rocksdb;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Keeps native objects alive while calls use them: a use after close would kill the JVM.
 *
 * <p>Users count themselves in one of several cells, by thread, so that readers on many cores do
 * not meet in one. {@code ended} is set before the cells are read and a user looks at it after it
 * has counted itself, so either the one or the other sees the other.
 */
final class UseGuard {
  private static final int CELLS = 16;
  private static final int SPREAD = 16; // ints between two cells: one to a cache line

  private final AtomicIntegerArray users = new AtomicIntegerArray((CELLS + 1) * SPREAD);
  private volatile boolean ended;

  /** Begins a use; false if the guard has ended, and then there is none to end. */
  boolean enter() {
    users.incrementAndGet(cell());
    if (ended) {
      exit();
      return false;
    }
    return true;
  }

  /** Ends a use, on the thread that began it. */
  void exit() {
    users.decrementAndGet(cell());
  }

  /** Lets no more users in and waits until those inside have left. */
  void end() {
    ended = true;
    for (int cell = 1; cell <= CELLS; cell++) {
      while (users.get(cell * SPREAD) != 0) {
        Thread.onSpinWait();
        Thread.yield();
      }
    }
  }

  private static int cell() {
    return (1 + (int) (Thread.currentThread().getId() & (CELLS - 1))) * SPREAD;
  }
}
