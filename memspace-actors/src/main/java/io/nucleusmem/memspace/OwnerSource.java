package io.nucleusmem.memspace;

import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;

/** The commits of an owner that sharding finds. */
record OwnerSource(LedgerId id, ForkReader reader, Owners owners) implements WatchSource {
  @Override
  public void attach(CommitListener listener, Promise<Long> reply) {
    owners.maintain(id, new LedgerOwner.Attach(listener, reply));
  }

  @Override
  public void detach(CommitListener listener) {
    owners.maintain(id, new LedgerOwner.Detach(listener));
  }
}
