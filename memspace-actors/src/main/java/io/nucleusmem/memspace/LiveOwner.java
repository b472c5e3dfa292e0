package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import io.nucleusmem.ledger.Ledger;

/** An owner that lives on this node: what others may read of it without a message. */
final class LiveOwner {
  private final ActorRef<LedgerOwner.Message> ref;
  private final Ledger ledger;
  private volatile long usedAt = System.nanoTime();

  LiveOwner(ActorRef<LedgerOwner.Message> ref, Ledger ledger) {
    this.ref = ref;
    this.ledger = ledger;
  }

  ActorRef<LedgerOwner.Message> ref() {
    return ref;
  }

  Ledger ledger() {
    return ledger;
  }

  void used() {
    usedAt = System.nanoTime();
  }

  long idleNanos() {
    return System.nanoTime() - usedAt;
  }
}
