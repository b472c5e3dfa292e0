package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerId;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Work on the rows of a space's past, one after the other on a node: a compaction does not remove
 * what an erasure is about to write over. On different nodes the two may meet; see DESIGN.md.
 */
final class SpaceLocks {
  private final Map<LedgerId, CompletableFuture<?>> last = new ConcurrentHashMap<>();

  /** Does something when all before it has ended. */
  <T> CompletionStage<T> alone(LedgerId space, Supplier<CompletionStage<T>> work) {
    CompletableFuture<T> mine = new CompletableFuture<>();
    CompletableFuture<?> before = last.put(space, mine);
    CompletionStage<?> ready =
        before == null ? CompletableFuture.completedStage(null) : before.handle((any, failed) -> 0);
    ready
        .thenCompose(any -> work.get())
        .whenComplete(
            (value, failure) -> {
              last.remove(space, mine);
              if (failure == null) {
                mine.complete(value);
              } else {
                mine.completeExceptionally(failure);
              }
            });
    return mine;
  }

  boolean isBusy(LedgerId space) {
    return last.containsKey(space);
  }
}
