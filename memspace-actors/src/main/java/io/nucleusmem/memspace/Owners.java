package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.EntityTypeKey;
import io.nucleusmem.ledger.Ledger;
import io.nucleusmem.ledger.LedgerId;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/**
 * The way to the owners of one kind of ledger: straight to an actor of this node where one lives,
 * else through sharding, which starts it.
 */
final class Owners {
  private final ClusterSharding sharding;
  private final EntityTypeKey<LedgerOwner.Message> type;
  private final boolean exact;
  private final BooleanSupplier others;
  private final Map<LedgerId, LiveOwner> live = new ConcurrentHashMap<>();
  private volatile boolean leaving; // sharding of this node is about to hand over

  /**
   * The way to owners.
   *
   * @param exact true where the store is this process's own
   * @param others true while there is another node where owners may live
   */
  Owners(
      ClusterSharding sharding,
      EntityTypeKey<LedgerOwner.Message> type,
      boolean exact,
      BooleanSupplier others) {
    this.others = others;
    this.sharding = sharding;
    this.type = type;
    this.exact = exact;
  }

  void tell(LedgerId id, LedgerOwner.Message message) {
    LiveOwner owner = live.get(id);
    if (owner != null) {
      owner.tell(message);
    } else if (leaving && !others.getAsBoolean()) {
      // sharding would hold it, and with it the stop of the node, until a time-out
      if (message.reply() != null) {
        message
            .reply()
            .fail(
                new MemSpaceException(
                    ErrorCode.UNAVAILABLE,
                    "the node is stopping, and it is the last one",
                    Map.of("node", "stopping")));
      }
    } else {
      sharding.entityRefFor(type, id.toString()).tell(message);
    }
  }

  /**
   * Tells an owner what will be told again anyway, or what it notices by itself. Dropped while the
   * node leaves: sharding would hold it for an owner that nobody starts, and wait for that.
   */
  void maintain(LedgerId id, LedgerOwner.Message message) {
    if (!leaving) {
      tell(id, message);
    }
  }

  /** From now on owners leave this node. */
  void leave() {
    leaving = true;
  }

  /**
   * The ledger, if its owner lives on this node, is open, and nobody else can be its owner: then
   * what it has committed is exact.
   */
  Optional<Ledger> ledger(LedgerId id) {
    LiveOwner owner = exact ? live.get(id) : null;
    return owner == null || !owner.ledger().isOpen()
        ? Optional.empty()
        : Optional.of(owner.ledger());
  }

  LiveOwner started(LedgerId id, ActorRef<LedgerOwner.Message> ref, Ledger ledger) {
    LiveOwner owner = new LiveOwner(ref, ledger);
    live.put(id, owner);
    return owner;
  }

  /** Forgets an owner that is about to leave, unless another has taken its place. */
  void left(LedgerId id, ActorRef<LedgerOwner.Message> ref) {
    live.computeIfPresent(id, (same, owner) -> owner.ref().equals(ref) ? null : owner);
  }

  /** Tells every owner that has not been used for a while. */
  void eachIdle(Duration longer, LedgerOwner.Message message) {
    live.values()
        .forEach(
            owner -> {
              if (owner.idleNanos() > longer.toNanos()) {
                owner.ref().tell(message);
              }
            });
  }

  int size() {
    return live.size();
  }
}
