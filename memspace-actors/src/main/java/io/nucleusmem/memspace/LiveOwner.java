package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import io.nucleusmem.ledger.Ledger;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Consumer;

/**
 * An owner that lives on this node: the way to it, and what others may read of it without a
 * message.
 *
 * <p>While a commit is in flight, a command can only wait for the next one. So it is put beside the
 * mailbox, and does not wake the actor: sixty-four writers cost one wake-up a commit, not
 * sixty-four. The actor takes what waits before every message that it handles, so the order of each
 * sender is kept.
 */
final class LiveOwner {
  private static final int WAITING_MAX = 1_024; // beyond, commands go to the mailbox again

  private static final AtomicReferenceFieldUpdater<LiveOwner, Waiting> NEWEST =
      AtomicReferenceFieldUpdater.newUpdater(LiveOwner.class, Waiting.class, "newest");

  private record Waiting(LedgerOwner.Message message, Waiting before, int depth) {}

  private final ActorRef<LedgerOwner.Message> ref;
  private final Ledger ledger;
  private volatile Waiting newest;
  private volatile boolean commits;
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

  void tell(LedgerOwner.Message message) {
    usedAt = System.nanoTime();
    if (!commits || !message.isCommand() || !await(message)) {
      ref.tell(message);
    } else if (!commits) { // it ended meanwhile: perhaps nobody has seen the message
      ref.tell(new LedgerOwner.Gather());
    }
  }

  private boolean await(LedgerOwner.Message message) {
    while (true) {
      Waiting before = newest;
      int depth = before == null ? 1 : before.depth() + 1;
      if (depth > WAITING_MAX) {
        return false;
      }
      if (NEWEST.compareAndSet(this, before, new Waiting(message, before, depth))) {
        return true;
      }
    }
  }

  /** Says whether a commit is in flight, whose end takes what waits. Called by the owner. */
  boolean commits(boolean now) {
    if (commits != now) {
      commits = now;
    }
    return now;
  }

  boolean isAwaited() {
    return newest != null;
  }

  /** Takes what waits, oldest first. Called by the owner. */
  void takeWaiting(Consumer<LedgerOwner.Message> handler) {
    if (newest == null) {
      return;
    }
    Waiting last = NEWEST.getAndSet(this, null);
    LedgerOwner.Message[] messages = new LedgerOwner.Message[last.depth()];
    for (Waiting each = last; each != null; each = each.before()) {
      messages[each.depth() - 1] = each.message();
    }
    for (LedgerOwner.Message message : messages) {
      handler.accept(message);
    }
  }

  long idleNanos() {
    return System.nanoTime() - usedAt;
  }
}
