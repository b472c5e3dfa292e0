package io.nucleusmem.persistence;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Runs the writes of one persistence id one after the other; those of different ids side by side.
 *
 * <p>A write that was queued behind one that failed fails with it, as its number would otherwise
 * follow an event of somebody else. The queue is as long as its actor makes it: Akka sends the next
 * group of events only when the one before it was answered.
 */
final class WriteQueues {
  private final ConcurrentHashMap<String, CompletionStage<Void>> tails = new ConcurrentHashMap<>();

  /** Runs a write behind those of the id that were added before. */
  CompletionStage<Void> add(String persistenceId, Supplier<CompletionStage<Void>> write) {
    var tail = new CompletableFuture<Void>();
    CompletionStage<Void> before = tails.put(persistenceId, tail);
    CompletionStage<Void> result =
        before == null
            ? Stages.attempt(write)
            : before.thenCompose(ignored -> Stages.attempt(write));
    result.whenComplete(
        (ignored, failure) -> {
          tails.remove(persistenceId, tail);
          if (failure == null) {
            tail.complete(null);
          } else {
            tail.completeExceptionally(Stages.cause(failure));
          }
        });
    return tail;
  }

  /** Runs a read when the writes of the id that were added before have ended, well or not. */
  <T> CompletionStage<T> afterWrites(String persistenceId, Supplier<CompletionStage<T>> read) {
    CompletionStage<Void> before = tails.get(persistenceId);
    return before == null
        ? Stages.attempt(read)
        : before
            .handle((ignored, failure) -> (Void) null)
            .thenCompose(ignored -> Stages.attempt(read));
  }
}
