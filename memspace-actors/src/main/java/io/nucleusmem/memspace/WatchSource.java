package io.nucleusmem.memspace;

import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;

/** Where a channel's commits come from: the owner of a space or of a topic. */
interface WatchSource {
  LedgerId id();

  /** Reads the log where memory does not reach back. */
  ForkReader reader();

  /**
   * Asks the owner for its commits; answered with the revision behind which they come. Harmless if
   * it was asked before.
   */
  void attach(CommitListener listener, Promise<Long> reply);

  void detach(CommitListener listener);
}
