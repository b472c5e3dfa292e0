package io.nucleusmem.persistence;

import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A store whose next commits meet the faults that were queued, one each. */
final class FaultyStore extends ForwardingStore {
  /** What happens to a commit. */
  enum Fault {
    NONE,
    /** It is written, and nobody hears so. */
    LOST_ANSWER,
    /** It is not written yet, and nobody knows; {@link #landLate} writes it. */
    LATE_REQUEST,
    /** It is not written. */
    TRANSIENT,
    /** The engine sends it twice and tells the second answer. */
    SENT_TWICE
  }

  private final Queue<Fault> faults = new ConcurrentLinkedQueue<>();
  private final Queue<WriteBatch> late = new ConcurrentLinkedQueue<>();

  FaultyStore(KvStore store) {
    super(store);
  }

  void next(Fault... nextFaults) {
    faults.addAll(List.of(nextFaults));
  }

  /** Writes the oldest request that was held back. */
  CompletionStage<Void> landLate() {
    return super.commit(late.remove());
  }

  @Override
  public CompletionStage<Void> commit(WriteBatch batch) {
    Fault fault = Optional.ofNullable(faults.poll()).orElse(Fault.NONE);
    return switch (fault) {
      case NONE -> super.commit(batch);
      case SENT_TWICE -> super.commit(batch).thenCompose(ignored -> super.commit(batch));
      case TRANSIENT -> CompletableFuture.failedFuture(new TransientStoreException("injected"));
      case LOST_ANSWER -> super.commit(batch).thenCompose(ignored -> unknown());
      case LATE_REQUEST -> {
        late.add(batch);
        yield unknown();
      }
    };
  }

  private static CompletionStage<Void> unknown() {
    return CompletableFuture.failedFuture(new UndeterminedCommitException("injected"));
  }
}
