package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * Which nodes hold which mount of a space, and until when they may use it without asking. Owned by
 * the space's thread.
 */
final class Holders {
  private static final double CLOCK_DRIFT =
      1.1; // two monotonic clocks may differ by a tenth over one lease

  private final Map<String, Map<ActorRef<Grants.Message>, Long>> leases = new HashMap<>(4);

  private long othersUntil; // until when what owners before this one granted may be used
  private boolean hasCommitted;

  /**
   * This owner has committed: from now on no owner before it grants anything, and what they granted
   * runs out within a lease.
   */
  void committed(Duration lease) {
    if (!hasCommitted) {
      hasCommitted = true;
      othersUntil = System.nanoTime() + (long) (lease.toNanos() * CLOCK_DRIFT);
    }
  }

  void granted(String mountId, ActorRef<Grants.Message> node, Duration lease) {
    leases
        .computeIfAbsent(mountId, id -> new HashMap<>(2))
        .put(node, System.nanoTime() + (long) (lease.toNanos() * CLOCK_DRIFT));
  }

  /**
   * Completes when each node that may still use one of the mounts has answered or its lease has run
   * out.
   */
  CompletionStage<Boolean> tell(Collection<String> mounts, Grants.Change what) {
    List<CompletableFuture<Boolean>> heard = new ArrayList<>();
    long now = System.nanoTime();
    if (hasCommitted && othersUntil - now > 0) {
      heard.add(
          new CompletableFuture<Boolean>()
              .completeOnTimeout(true, othersUntil - now, TimeUnit.NANOSECONDS));
    }
    for (String mountId : mounts) {
      Map<ActorRef<Grants.Message>, Long> nodes = leases.getOrDefault(mountId, Map.of());
      nodes.forEach(
          (node, until) -> {
            if (until - now > 0) {
              Promise<Boolean> answer = new Promise<>();
              node.tell(new Grants.Changed(mountId, what, answer));
              heard.add(
                  answer.future().completeOnTimeout(false, until - now, TimeUnit.NANOSECONDS));
            }
          });
      if (what != Grants.Change.ARCHIVED) {
        leases.remove(mountId);
      }
    }
    return CompletableFuture.allOf(heard.toArray(CompletableFuture[]::new)).thenApply(done -> true);
  }
}
