package io.nucleusmem.agent.testkit;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What the newest life of a behavior was given; to be waited for while there is none. */
final class Life<C> {
  private CompletableFuture<C> current = new CompletableFuture<>();

  synchronized void begins(C context) {
    if (!current.complete(context)) {
      current = CompletableFuture.completedFuture(context);
    }
  }

  synchronized void ends() {
    current = new CompletableFuture<>();
  }

  synchronized CompletionStage<C> current() {
    return current.copy();
  }
}
