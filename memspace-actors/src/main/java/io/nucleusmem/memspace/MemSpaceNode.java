package io.nucleusmem.memspace;

import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.Ledger;
import io.nucleusmem.ledger.LedgerHost;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What the actors of one node share.
 *
 * @param answers where answers are handed to those who wait
 * @param spaces the way to the owners of spaces
 * @param topics the way to the owners of topics
 * @param bases what forks stand on
 */
record MemSpaceNode(
    KvStore store,
    MemSpaceSettings settings,
    Executor answers,
    Owners spaces,
    Owners topics,
    Grants grants,
    Calls calls,
    Bases bases) {

  /** Reads a ledger, through it to what it stands on. */
  ForkReader reader(LedgerId id) {
    return bases.reader(id);
  }

  Ledger newLedger(LedgerId id, LedgerHost host) {
    // an embedded store is locked by its process, and sharding has one owner per ledger in it
    boolean sole = store.scope() == StoreScope.ALL;
    return new Ledger(
        id, store, settings.ledger(), host, ThreadLocalRandom.current().nextLong(), sole);
  }

  /**
   * The newest revision of a ledger that was acknowledged before: from the owner where its memory
   * is exact; elsewhere another may have taken its place, and the store is asked.
   */
  CompletionStage<Long> newest(Owners owners, LedgerId id) {
    if (store.scope() == StoreScope.REGION) {
      return new LedgerReader(store, id)
          .newestRow()
          .thenApply(
              row ->
                  row.orElseThrow(
                          () ->
                              new MemSpaceException(
                                  ErrorCode.SPACE_NOT_FOUND, "ledger [%s] is gone".formatted(id)))
                      .last());
    }
    return owners
        .ledger(id)
        .<CompletionStage<Long>>map(local -> CompletableFuture.completedFuture(local.committed()))
        .orElseGet(
            () -> calls.call((promise, again) -> owners.tell(id, new LedgerOwner.Newest(promise))));
  }
}
