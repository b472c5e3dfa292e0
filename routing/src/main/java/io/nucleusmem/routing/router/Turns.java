package io.nucleusmem.routing.router;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Calls that write the same row, one after the other on this node: else each would overtake the
 * others, and the last of many would give up. As many wait as there are callers.
 */
final class Turns {
  private final Map<String, CompletableFuture<?>> last = new ConcurrentHashMap<>();

  /** Does something when all before it that has the same name has ended. */
  <T> CompletionStage<T> take(String name, Supplier<CompletionStage<T>> call) {
    CompletableFuture<T> mine = new CompletableFuture<>();
    CompletableFuture<?> before = last.put(name, mine);
    CompletionStage<?> ready =
        before == null
            ? CompletableFuture.completedStage(null)
            : before.handle((any, failure) -> null);
    ready
        .thenCompose(any -> Failures.attempt(call))
        .whenComplete(
            (value, failure) -> {
              last.remove(name, mine);
              if (failure == null) {
                mine.complete(value);
              } else {
                mine.completeExceptionally(Failures.unwrap(failure));
              }
            });
    return mine;
  }
}
