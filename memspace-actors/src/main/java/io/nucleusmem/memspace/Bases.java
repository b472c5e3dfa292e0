package io.nucleusmem.memspace;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.store.KvStore;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What the ledgers that this node reads stand on; it never changes, so it is asked for once. */
final class Bases {
  private static final int KNOWN_MAX = 50_000;

  private final KvStore store;
  private final Cache<LedgerId, Base> known =
      Caffeine.newBuilder().maximumSize(KNOWN_MAX).executor(Runnable::run).build();

  Bases(KvStore store) {
    this.store = store;
  }

  CompletionStage<Base> of(LedgerId id) {
    Base base = known.getIfPresent(id);
    return base != null
        ? CompletableFuture.completedStage(base)
        : Base.find(store, id)
            .thenApply(
                found -> {
                  known.put(id, found);
                  return found;
                });
  }

  /** Reads a ledger, through it to what it stands on. */
  ForkReader reader(LedgerId id) {
    return new ForkReader(store, id, () -> of(id));
  }
}
