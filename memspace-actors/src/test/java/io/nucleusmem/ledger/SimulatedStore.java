package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.WriteBatch;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The store as one process sees it: some reads and timestamps are answered at once, some later, as
 * of when they were asked or as of when they are answered, and some fail. Faults of commits are the
 * business of {@link io.nucleusmem.store.memory.MemoryStore}.
 */
final class SimulatedStore implements KvStore {
  private final KvStore store;
  private final Random random;
  private final int latePercent;
  private final Supplier<Boolean> calm;
  private final Consumer<Runnable> network;

  /**
   * A view of a store.
   *
   * @param latePercent of all reads that are not answered at once
   * @param calm true when there are to be no more faults
   * @param network takes what happens later
   */
  SimulatedStore(
      KvStore store,
      Random random,
      int latePercent,
      Supplier<Boolean> calm,
      Consumer<Runnable> network) {
    this.store = store;
    this.random = random;
    this.latePercent = latePercent;
    this.calm = calm;
    this.network = network;
  }

  private <T> CompletionStage<T> read(Supplier<CompletionStage<T>> read) {
    if (calm.get() || random.nextInt(100) >= latePercent) {
      return read.get();
    }
    CompletableFuture<T> answer = new CompletableFuture<>();
    int kind = random.nextInt(20);
    if (kind == 0) {
      network.accept(
          () ->
              answer.completeExceptionally(
                  new TransientStoreException("injected: the read failed")));
    } else if (kind < 10) {
      CompletionStage<T> asOfAsked = read.get();
      network.accept(() -> complete(answer, asOfAsked));
    } else {
      network.accept(() -> complete(answer, read.get()));
    }
    return answer;
  }

  private static <T> void complete(CompletableFuture<T> answer, CompletionStage<T> from) {
    from.whenComplete(
        (value, failure) -> {
          if (failure != null) {
            answer.completeExceptionally(failure);
          } else {
            answer.complete(value);
          }
        });
  }

  @Override
  public CompletionStage<Optional<Bytes>> get(Bytes key) {
    return read(() -> store.get(key));
  }

  @Override
  public CompletionStage<Map<Bytes, Bytes>> getAll(Collection<Bytes> keys) {
    return read(() -> store.getAll(keys));
  }

  @Override
  public CompletionStage<Page> scan(KeyRange range, int limit, Direction direction) {
    return read(() -> store.scan(range, limit, direction));
  }

  @Override
  public CompletionStage<Page> scanFloor(
      KeyRange range, long revision, int limit, Direction direction) {
    return read(() -> store.scanFloor(range, revision, limit, direction));
  }

  @Override
  public CompletionStage<Void> commit(WriteBatch batch) {
    return store.commit(batch);
  }

  @Override
  public CompletionStage<Long> now() {
    return read(store::now);
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
