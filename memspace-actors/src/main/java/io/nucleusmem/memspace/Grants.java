package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.ledger.LedgerId;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

/**
 * The mounts that this node reads through, each under a lease that is renewed through the space's
 * owner while it is used. The owner knows which nodes hold a mount and tells them when it ends.
 */
final class Grants {
  private static final int GRANTS_MAX = 100_000;

  private final Calls calls;
  private final Owners owners;
  private final Duration lease;
  private final Map<String, Grant> grants = new ConcurrentHashMap<>();
  private final Executor answers;
  private final Map<LedgerId, Long> erasedAt = new ConcurrentHashMap<>(); // spaces with erasures
  private volatile Runnable forget = () -> {};
  private volatile ActorRef<Message> listener;

  /** What an owner tells a node, in the order in which it was decided. */
  sealed interface Message {}

  /** A mount may be used until a lease has run out that began when it was asked for. */
  record Granted(
      LedgerId space,
      MountInfo mount,
      boolean archived,
      ReadRules rules,
      long asked,
      Promise<Grant> reply)
      implements Message {}

  /** A mount is not any more what it was. */
  record Changed(String mountId, Change what, Promise<Boolean> heard) implements Message {}

  /** What may become of a mount, or of its space. */
  enum Change {
    REVOKED,
    ARCHIVED,
    DELETED,
    /** The space does not show some of what it showed. */
    STALE
  }

  Grants(Calls calls, Owners owners, Duration lease, Executor answers) {
    this.calls = calls;
    this.owners = owners;
    this.lease = lease;
    this.answers = answers;
  }

  /**
   * Starts the actor that owners tell; once per node, before anybody calls. All that owners say of
   * mounts passes through it: a grant that was given before a revocation can't be taken for one
   * behind it.
   */
  void start(ActorSystem<?> system) {
    listener =
        system.systemActorOf(
            Behaviors.receive(Message.class)
                .onMessage(Granted.class, this::onGranted)
                .onMessage(Changed.class, this::onChanged)
                .build(),
            "nucleusmem-mounts",
            Props.empty());
  }

  /** Says how this node forgets what it has in memory, where something of it was erased. */
  void onErasure(Runnable action) {
    forget = action;
  }

  ActorRef<Message> listener() {
    return listener;
  }

  private Behavior<Message> onGranted(Granted granted) {
    if (grants.size() >= GRANTS_MAX) {
      forgetUnused();
    }
    Grant grant =
        grants.computeIfAbsent(
            granted.mount().id(), id -> new Grant(granted.space(), granted.mount()));
    grant.archived(granted.archived());
    if (granted.rules().erasedAt() > erasedAt.getOrDefault(granted.space(), 0L)) {
      erasedAt.put(granted.space(), granted.rules().erasedAt());
      forget.run();
    }
    ReadRules rules = granted.rules();
    grant.rules(granted.mount().showsQuarantined() ? rules.withQuarantined() : rules);
    grant.renewed(granted.asked() + lease.toNanos());
    answers.execute(() -> granted.reply().succeed(grant));
    return Behaviors.same();
  }

  private Behavior<Message> onChanged(Changed changed) {
    Grant grant = grants.get(changed.mountId());
    if (changed.what() == Change.STALE) {
      forget.run();
    }
    if (grant != null) {
      switch (changed.what()) {
        case REVOKED -> grant.end(SpaceCommand.revoked(changed.mountId()));
        case ARCHIVED -> grant.archived(true);
        case STALE -> grant.stale();
        case DELETED -> grant.end(SpaceCommand.gone(grant.mount().space()));
      }
    }
    changed.heard().succeed(true);
    return Behaviors.same();
  }

  /** The grant of a mount, valid when the stage completes. */
  CompletionStage<Grant> get(String mountId) {
    Grant known = grants.get(mountId);
    if (known != null && known.isValid(System.nanoTime())) {
      return CompletableFuture.completedFuture(known);
    }
    LedgerId space = SpaceRows.spaceOf(mountId);
    return calls.call((promise, again) -> ask(space, mountId, promise));
  }

  private void ask(LedgerId space, String mountId, Promise<Grant> promise) {
    owners.tell(space, new MemSpace.OpenGrant(mountId, listener, System.nanoTime(), promise));
  }

  /** Makes a grant valid again; fails if its mount has ended. */
  CompletionStage<Grant> renew(Grant grant) {
    if (grant.hasEnded()) {
      return CompletableFuture.supplyAsync(
          () -> {
            grant.verify();
            return grant;
          },
          Runnable::run);
    }
    return get(grant.mount().id());
  }

  /**
   * Renews what was used lately, before its lease runs out, and forgets what was not. Called by a
   * timer.
   */
  void renewUsed() {
    long now = System.nanoTime();
    for (Iterator<Grant> all = grants.values().iterator(); all.hasNext(); ) {
      Grant grant = all.next();
      boolean used = now - grant.usedAt() < lease.toNanos();
      if (grant.hasEnded() && !used) {
        all.remove();
      } else if (!grant.hasEnded() && used && grant.leaseUntil() - now < lease.toNanos() / 2) {
        ask(grant.space(), grant.mount().id(), new Promise<>());
      }
    }
  }

  private void forgetUnused() {
    long now = System.nanoTime();
    grants
        .values()
        .removeIf(grant -> now - grant.usedAt() > lease.toNanos() && grant.leaseUntil() - now < 0);
  }
}
