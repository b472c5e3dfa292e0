package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Commits a batch whose conditions keep a second writer of the same persistence id out. */
final class Fence {
  private Fence() {}

  /**
   * Commits once, without a retry: an undetermined commit fails the caller, who recovers and so
   * finds out. A refusal by the very row that the batch inserts is success (the engine had sent it
   * before); rows carry the timestamp of their batch, so no other batch writes the same bytes.
   *
   * @return fails with {@link StaleWriterException} if another writer's rows refused the batch
   */
  static CompletionStage<Void> commit(
      KvStore store, WriteBatch batch, String persistenceId, long number) {
    return Stages.recover(
        store.commit(batch),
        failure -> {
          if (!(failure instanceof RefusedCommitException refusal)) {
            return CompletableFuture.failedStage(failure);
          }
          if (isOwn(batch, refusal)) {
            return Stages.done();
          }
          return CompletableFuture.failedStage(
              new StaleWriterException(persistenceId, number, refusal));
        });
  }

  private static boolean isOwn(WriteBatch batch, RefusedCommitException refusal) {
    Bytes found = refusal.found().orElse(null);
    return batch.ops().stream()
        .anyMatch(
            op ->
                op instanceof WriteBatch.Insert insert
                    && insert.key().equals(refusal.key())
                    && insert.value().equals(found));
  }
}
