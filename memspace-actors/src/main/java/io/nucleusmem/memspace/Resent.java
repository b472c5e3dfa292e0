package io.nucleusmem.memspace;

import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** Commits that are sent again, byte for byte, while it is not known whether they were done. */
final class Resent {
  private static final int TRIES_MAX = 20;
  private static final Duration PAUSE = Duration.ofMillis(50);

  private Resent() {}

  /** Commits; what it fails with is thrown as it is. A refusal may be by an earlier sending. */
  static CompletionStage<Void> commit(KvStore store, WriteBatch batch) {
    return commit(store, batch, TRIES_MAX);
  }

  private static CompletionStage<Void> commit(KvStore store, WriteBatch batch, int tries) {
    return store
        .commit(batch)
        .handle((done, failure) -> failure)
        .thenCompose(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              boolean again =
                  cause instanceof UndeterminedCommitException
                      || cause instanceof TransientStoreException;
              if (again && tries > 1) {
                return CompletableFuture.runAsync(
                        () -> {},
                        CompletableFuture.delayedExecutor(PAUSE.toMillis(), TimeUnit.MILLISECONDS))
                    .thenCompose(done -> commit(store, batch, tries - 1));
              }
              return cause == null
                  ? CompletableFuture.<Void>completedStage(null)
                  : CompletableFuture.failedStage(cause);
            });
  }
}
