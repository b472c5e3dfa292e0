package io.nucleusmem.memspace;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.store.KvStore;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What the ledgers that this node reads stand on. One that stands on nothing, or on copies of its
 * own, will for ever; of others it is asked again after {@link ForkReader#TRUSTED_FOR}, by both
 * clocks. What a reader holds of it is at most twice as old, and less than {@link
 * ForkReader#RELEASED_AFTER}.
 */
final class Bases {
  private static final int KNOWN_MAX = 50_000;

  /** A base, and when it was asked for. */
  private record Known(Base base, long nanos, long millis) {
    boolean isTrusted() {
      return base.isOwn()
          || System.nanoTime() - nanos < ForkReader.TRUSTED_FOR.toNanos()
              && Math.abs(System.currentTimeMillis() - millis) < ForkReader.TRUSTED_FOR.toMillis();
    }
  }

  private final KvStore store;
  private final Cache<LedgerId, Known> known =
      Caffeine.newBuilder().maximumSize(KNOWN_MAX).executor(Runnable::run).build();

  Bases(KvStore store) {
    this.store = store;
  }

  CompletionStage<Base> of(LedgerId id) {
    Known now = known.getIfPresent(id);
    if (now != null && now.isTrusted()) {
      return CompletableFuture.completedStage(now.base());
    }
    long nanos = System.nanoTime();
    long millis = System.currentTimeMillis();
    return Base.find(store, id)
        .thenApply(
            found -> {
              known.put(id, new Known(found, nanos, millis));
              return found;
            });
  }

  /** Something stands on copies of its own from now on, and with it what stands on that. */
  void forget() {
    known.invalidateAll();
    ForkReader.askAgain();
  }

  /** Reads a ledger, through it to what it stands on. */
  ForkReader reader(LedgerId id) {
    return new ForkReader(store, id, () -> of(id));
  }
}
