package io.nucleusmem.http;

import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** Calls that may wait long for something to happen; they must not hold up the end of the node. */
final class Waits {
  private final Set<CompletableFuture<?>> open = ConcurrentHashMap.newKeySet();
  private volatile boolean stopped; // set before the open ones are ended

  /** The same stage, but ended as unavailable when the node stops. */
  <T> CompletionStage<T> untilStopping(CompletionStage<T> waiting) {
    CompletableFuture<T> result = new CompletableFuture<>();
    open.add(result);
    waiting.whenComplete(
        (value, failure) -> {
          open.remove(result);
          if (failure == null) {
            result.complete(value);
          } else {
            result.completeExceptionally(failure);
          }
        });
    if (stopped) {
      end(result);
    }
    return result;
  }

  /** Ends all that wait. */
  void stop() {
    stopped = true;
    open.forEach(Waits::end);
  }

  private static void end(CompletableFuture<?> waiting) {
    waiting.completeExceptionally(
        new MemSpaceException(
            ErrorCode.UNAVAILABLE, "the node is stopping; ask another one, or this one again"));
  }
}
