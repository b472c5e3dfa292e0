package io.nucleusmem.ledger;

/** Where the answer to a command goes; called once. */
@FunctionalInterface
public interface Reply {
  /**
   * The answer.
   *
   * @param outcome null if refused
   * @param refusal null if settled
   */
  void settle(Outcome outcome, RuntimeException refusal);
}
