package io.nucleusmem.store.rocksdb;

/** Waiting for threads. */
final class Threads {
  private Threads() {}

  /** Waits until the thread has ended, also when interrupted; then the flag is set again. */
  static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
