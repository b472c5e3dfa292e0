package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A store whose next commits meet the faults that were queued, one each. */
final class FaultyStore implements KvStore {
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

  private final KvStore store;
  private final Queue<Fault> faults = new ConcurrentLinkedQueue<>();
  private final Queue<WriteBatch> late = new ConcurrentLinkedQueue<>();

  FaultyStore(KvStore store) {
    this.store = store;
  }

  void next(Fault... nextFaults) {
    faults.addAll(java.util.List.of(nextFaults));
  }

  /** Writes the oldest request that was held back. */
  CompletionStage<Void> landLate() {
    return store.commit(late.remove());
  }

  @Override
  public CompletionStage<Void> commit(WriteBatch batch) {
    Fault fault = Optional.ofNullable(faults.poll()).orElse(Fault.NONE);
    return switch (fault) {
      case NONE -> store.commit(batch);
      case SENT_TWICE -> store.commit(batch).thenCompose(ignored -> store.commit(batch));
      case TRANSIENT -> CompletableFuture.failedFuture(new TransientStoreException("injected"));
      case LOST_ANSWER -> store.commit(batch).thenCompose(ignored -> unknown());
      case LATE_REQUEST -> {
        late.add(batch);
        yield unknown();
      }
    };
  }

  private static CompletionStage<Void> unknown() {
    return CompletableFuture.failedFuture(new UndeterminedCommitException("injected"));
  }

  @Override
  public CompletionStage<Optional<Bytes>> get(Bytes key) {
    return store.get(key);
  }

  @Override
  public CompletionStage<Map<Bytes, Bytes>> getAll(Collection<Bytes> keys) {
    return store.getAll(keys);
  }

  @Override
  public CompletionStage<Page> scan(KeyRange range, int limit, Direction direction) {
    return store.scan(range, limit, direction);
  }

  @Override
  public CompletionStage<Page> scanFloor(
      KeyRange range, long revision, int limit, Direction direction) {
    return store.scanFloor(range, revision, limit, direction);
  }

  @Override
  public CompletionStage<Long> now() {
    return store.now();
  }

  @Override
  public StoreScope scope() {
    return store.scope();
  }

  @Override
  public CompletionStage<Void> ping() {
    return store.ping();
  }

  @Override
  public void close() {
    store.close();
  }
}
