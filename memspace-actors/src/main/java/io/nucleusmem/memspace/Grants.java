package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.ledger.LedgerId;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

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
  private volatile ActorRef<Ended> listener;

  /** What an owner tells a node of a mount: it has ended, or its space was archived. */
  record Ended(String mountId, MemSpaceException why, boolean archived, Promise<Boolean> heard) {}

  Grants(Calls calls, Owners owners, Duration lease) {
    this.calls = calls;
    this.owners = owners;
    this.lease = lease;
  }

  /** The actor that owners tell; made once per node. */
  Behavior<Ended> listening() {
    return Behaviors.setup(
        context -> {
          listener = context.getSelf();
          return Behaviors.receiveMessage(
              message -> {
                Grant grant = grants.get(message.mountId());
                if (grant != null && message.archived()) {
                  grant.archived(true);
                } else if (grant != null) {
                  grant.end(message.why());
                }
                message.heard().succeed(true);
                return Behaviors.same();
              });
        });
  }

  /** The grant of a mount, valid when the stage completes. */
  CompletionStage<Grant> get(String mountId) {
    Grant known = grants.get(mountId);
    if (known != null && known.isValid(System.nanoTime())) {
      return CompletableFuture.completedFuture(known);
    }
    LedgerId space = SpaceRows.spaceOf(mountId);
    long asked = System.nanoTime(); // the lease counts from before the owner counts
    return calls
        .<MemSpace.GrantInfo>call(
            (promise, again) ->
                owners.tell(space, new MemSpace.OpenGrant(mountId, listener, promise)))
        .thenApply(info -> renewed(space, info, asked));
  }

  private Grant renewed(LedgerId space, MemSpace.GrantInfo info, long asked) {
    if (grants.size() >= GRANTS_MAX) {
      forgetUnused();
    }
    Grant grant =
        grants.compute(
            info.mount().id(),
            (id, known) ->
                known == null || known.hasEnded() ? new Grant(space, info.mount()) : known);
    grant.archived(info.archived());
    grant.renewed(asked + lease.toNanos());
    return grant;
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
        renewEarly(grant, now);
      }
    }
  }

  private void renewEarly(Grant grant, long asked) {
    Promise<MemSpace.GrantInfo> promise = new Promise<>();
    promise
        .future()
        .whenComplete(
            (info, failure) -> {
              if (failure == null) {
                grant.archived(info.archived());
                grant.renewed(asked + lease.toNanos());
              }
            });
    owners.tell(grant.space(), new MemSpace.OpenGrant(grant.mount().id(), listener, promise));
  }

  private void forgetUnused() {
    long now = System.nanoTime();
    grants
        .values()
        .removeIf(grant -> now - grant.usedAt() > lease.toNanos() && grant.leaseUntil() - now < 0);
  }
}
