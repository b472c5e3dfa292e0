package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.store.KvStore;

/** The commits of an owner that sharding finds. */
record OwnerSource(LedgerId id, KvStore store, Owners owners) implements WatchSource {
  @Override
  public LedgerReader reader() {
    return new LedgerReader(store, id);
  }

  @Override
  public void attach(CommitListener listener, Promise<Long> reply) {
    owners.tell(id, new LedgerOwner.Attach(listener, reply));
  }

  @Override
  public void detach(CommitListener listener) {
    owners.tell(id, new LedgerOwner.Detach(listener));
  }
}
