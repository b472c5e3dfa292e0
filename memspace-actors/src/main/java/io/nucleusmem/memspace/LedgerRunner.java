package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerException;
import io.nucleusmem.ledger.LedgerHost;
import io.nucleusmem.ledger.LogRow;
import java.time.Duration;

/**
 * Runs a ledger inside of its owner: its steps are messages, so they come one at a time. Answers
 * are handed over elsewhere, never on the actor's thread.
 */
class LedgerRunner implements LedgerHost {
  private final LedgerOwner owner;

  LedgerRunner(LedgerOwner owner) {
    this.owner = owner;
  }

  @Override
  public void execute(Runnable run) {
    owner.later(run);
  }

  @Override
  public void schedule(Duration delay, Runnable run) {
    owner.getContext().scheduleOnce(delay, owner.getContext().getSelf(), new LedgerOwner.Step(run));
  }

  @Override
  public void answer(Runnable run) {
    owner.node().answers().execute(run);
  }

  @Override
  public void committed(LogRow row) {
    owner.onCommitted(row);
  }

  @Override
  public void ended(LedgerException why) {
    owner.ended(why);
  }
}
