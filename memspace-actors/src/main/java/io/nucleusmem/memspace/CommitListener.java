package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LogRow;

/**
 * Hears of a ledger's commits, on the owner's thread; must only pass them on. Each message says
 * which range it covers, so that one that was lost, or comes twice, or from an owner that is dying,
 * needs no other rule.
 */
public interface CommitListener {
  /**
   * A commit.
   *
   * @param after revision before it
   * @param row it, with the bodies
   */
  void committed(long after, LogRow row);
}
