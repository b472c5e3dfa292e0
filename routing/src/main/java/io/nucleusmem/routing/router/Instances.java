package io.nucleusmem.routing.router;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.nucleusmem.routing.Recipients;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Picks one of the agents of a type: for a conversation always the same one as long as it is there
 * (highest random weight, so an agent that joins takes over its share and no more), else the one
 * that this node has not used for longest.
 */
final class Instances {
  private static final int TYPES_MAX = 1_000;
  private static final int AGENTS_MAX = 10_000; // whose last use is remembered

  private final Recipients recipients;
  private final Cache<String, CompletableFuture<List<String>>> byType;
  private final Cache<String, Long> lastUse = Caffeine.newBuilder().maximumSize(AGENTS_MAX).build();
  private final AtomicLong uses = new AtomicLong();

  Instances(Recipients recipients, Duration ttl) {
    this.recipients = recipients;
    this.byType = Caffeine.newBuilder().maximumSize(TYPES_MAX).expireAfterWrite(ttl).build();
  }

  /**
   * One of them; empty if there is none.
   *
   * @param preferred is taken if it is there
   */
  CompletionStage<Optional<String>> pick(
      String type, Optional<String> conversation, Optional<String> preferred) {
    return list(type)
        .thenApply(
            all -> {
              if (preferred.filter(all::contains).isPresent()) {
                return preferred;
              }
              return conversation.isPresent()
                  ? all.stream().max(byWeight(conversation.get()))
                  : leastRecentlyUsed(all);
            });
  }

  private static Comparator<String> byWeight(String conversation) {
    return Comparator.comparingInt((String agent) -> mix((conversation + "\n" + agent).hashCode()))
        .thenComparing(Comparator.naturalOrder());
  }

  /** Spreads a hash whose high bits hardly depend on the last characters (MurmurHash3's end). */
  private static int mix(int hash) {
    int mixed = (hash ^ hash >>> 16) * 0x85ebca6b;
    mixed = (mixed ^ mixed >>> 13) * 0xc2b2ae35;
    return mixed ^ mixed >>> 16;
  }

  private synchronized Optional<String> leastRecentlyUsed(List<String> all) {
    Optional<String> agent =
        all.stream()
            .min(
                Comparator.comparingLong(
                        (String each) -> Optional.ofNullable(lastUse.getIfPresent(each)).orElse(0L))
                    .thenComparing(Comparator.naturalOrder()));
    agent.ifPresent(used -> lastUse.put(used, uses.incrementAndGet()));
    return agent;
  }

  /** Forgets which agents a type has: one of them was not there. */
  void changed(String type) {
    byType.invalidate(type);
  }

  private CompletionStage<List<String>> list(String type) {
    CompletableFuture<List<String>> list =
        byType.get(
            type, name -> Failures.attempt(() -> recipients.instances(name)).toCompletableFuture());
    list.whenComplete(
        (all, failure) -> {
          if (failure != null) {
            byType.asMap().remove(type, list);
          }
        });
    return list;
  }
}
