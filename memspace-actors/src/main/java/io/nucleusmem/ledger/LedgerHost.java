package io.nucleusmem.ledger;

import java.time.Duration;

/**
 * What a ledger needs of whoever runs it. All calls into a ledger come from one thread at a time:
 * the host's.
 */
public interface LedgerHost {
  /** Runs a step on the host's thread, later. May be called from any thread. */
  void execute(Runnable step);

  /** Runs a step on the host's thread after a delay. */
  void schedule(Duration delay, Runnable step);

  /**
   * Hands answers to those who wait for them, off the host's thread, so that what they do with them
   * stalls nobody.
   */
  void answer(Runnable answers);

  /**
   * A commit is durable; its row carries the bodies. Called in order, before the answers go out.
   */
  void committed(LogRow row);

  /**
   * The ledger has ended: it answers nothing any more. The host must end too; another one may
   * start.
   */
  void ended(LedgerException why);
}
