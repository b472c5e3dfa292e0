package io.nucleusmem.store.rocksdb;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/** Hands completions to the caller's executor. */
final class Callbacks {
  private Callbacks() {}

  /** Runs the task there; on a thread of its own if the executor has ended before the store. */
  static void run(Executor executor, Runnable task) {
    try {
      executor.execute(task);
    } catch (RejectedExecutionException e) {
      Thread late = new Thread(task, "nucleusmem-store-late-callback");
      late.setDaemon(true);
      late.start();
    }
  }
}
