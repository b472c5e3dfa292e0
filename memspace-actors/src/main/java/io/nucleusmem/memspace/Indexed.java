package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.LogRow;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * Waits until a ledger's versions are rows of their own, up to its newest revision: who works on
 * rows would miss those that stand in the log alone.
 */
final class Indexed {
  private static final Duration PAUSE = Duration.ofMillis(20);
  private static final int LOOKS_MAX = 1_500; // 30 s: the index lags by 50 ms where all is well

  private Indexed() {}

  /** The newest revision when this was asked, once it is indexed. */
  static CompletionStage<Long> newest(MemSpaceNode node, Owners owners, LedgerId id) {
    LedgerReader reader = new LedgerReader(node.store(), id);
    return reader
        .newestRow()
        .thenApply(row -> row.map(LogRow::last).orElse(0L))
        .thenCompose(newest -> await(node, owners, id, reader, newest, LOOKS_MAX));
  }

  /** Waits likewise for all that a ledger shows of others; copies are complete. */
  static CompletionStage<Void> below(MemSpaceNode node, Owners owners, Base base) {
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (Base.Layer layer : base.layers()) {
      if (!layer.isCopy()) {
        all = all.thenCompose(done -> newest(node, owners, layer.id())).thenApply(newest -> null);
      }
    }
    return all;
  }

  private static CompletionStage<Long> await(
      MemSpaceNode node,
      Owners owners,
      LedgerId id,
      LedgerReader reader,
      long revision,
      int looks) {
    return reader
        .indexed()
        .thenCompose(
            indexed -> {
              if (indexed >= revision) {
                return CompletableFuture.completedStage(revision);
              }
              if (looks == 0) {
                return CompletableFuture.failedStage(
                    new MemSpaceException(
                        ErrorCode.UNAVAILABLE,
                        "the index of ledger [%s] is at [%d] and does not reach [%d]; try again"
                            .formatted(id, indexed, revision),
                        Map.of("current_revision", indexed)));
              }
              if (looks == LOOKS_MAX) {
                owners.tell(id, new LedgerOwner.Newest(new Promise<>())); // an owner has to do it
              }
              return CompletableFuture.supplyAsync(
                      () -> looks - 1,
                      CompletableFuture.delayedExecutor(PAUSE.toMillis(), TimeUnit.MILLISECONDS))
                  .thenCompose(left -> await(node, owners, id, reader, revision, left));
            });
  }
}
