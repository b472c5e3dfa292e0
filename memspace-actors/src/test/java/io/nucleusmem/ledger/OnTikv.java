package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * A simulation's store over TiKV's protocol. Each call waits for its end, so that the simulation
 * keeps its one thread. What is late or lost is so between the ledger and the engine; a subclass
 * may add what goes wrong between the engine and the cluster.
 */
abstract class OnTikv implements SimulatedEngine, KvStore {
  final Simulation.Run run;
  private final List<Held> held = new ArrayList<>();
  private final Map<Long, WriteBatch> sent = new HashMap<>();
  private final Set<Long> resent = new HashSet<>();
  private final List<IllegalStateException> violations = new ArrayList<>();

  OnTikv(Simulation.Run run) {
    this.run = run;
  }

  /** The engine. */
  abstract KvStore tikv();

  /** A commit that is to be made once, whatever happens on its way. */
  CompletionStage<Void> commitNow(WriteBatch batch) {
    return ended(tikv().commit(batch));
  }

  /** A commit whose outcome its writer does not hear, and that is done. */
  void commitUnheard(WriteBatch batch) {
    ended(tikv().commit(batch));
  }

  /** A commit that arrives when it is let go, long after its writer has given up. */
  Held commitLate(WriteBatch batch) {
    return held(() -> ended(tikv().commit(batch)), () -> {});
  }

  /** Whether no request of a batch can have been made before. */
  final boolean isFirstTime(WriteBatch batch) {
    return !resent.contains(batch.timestamp());
  }

  /** Waits for a call's end. */
  static <T> CompletionStage<T> ended(CompletionStage<T> call) {
    CompletableFuture<T> future = call.toCompletableFuture();
    future.handle((value, failure) -> null).join();
    return future;
  }

  final Held held(Runnable release, Runnable drop) {
    return new Held() {
      @Override
      public void release() {
        held.remove(this);
        release.run();
      }

      @Override
      public void drop() {
        held.remove(this);
        drop.run();
      }
    };
  }

  // ---- the simulation's view ----

  @Override
  public KvStore store() {
    return this;
  }

  @Override
  public long millis() {
    return run.clock().get();
  }

  @Override
  public List<Held> held() {
    return List.copyOf(held);
  }

  @Override
  public List<IllegalStateException> violations() {
    return violations;
  }

  // ---- the owners' view ----

  @Override
  public CompletionStage<Void> commit(WriteBatch batch) {
    WriteBatch first = sent.putIfAbsent(batch.timestamp(), batch);
    if (first != null) {
      resent.add(batch.timestamp());
    }
    if (first != null && !first.ops().equals(batch.ops())) {
      violations.add(
          new IllegalStateException(
              "timestamp [%d] was sent with [%s], now with [%s]"
                  .formatted(batch.timestamp(), first.ops(), batch.ops())));
    }
    switch (run.fault().get()) {
      case TRANSIENT:
        return CompletableFuture.failedFuture(
            new TransientStoreException("injected: nothing was written"));
      case LOST_ANSWER:
        commitUnheard(batch);
        return unknown("injected: the answer was lost");
      case LATE:
        held.add(commitLate(batch));
        return unknown("injected: the request is late");
      case SLOW:
        return slow(() -> commitNow(batch));
      case SLOW_ANSWER:
        CompletionStage<Void> outcome = commitNow(batch);
        return slow(() -> outcome);
      default:
        return commitNow(batch);
    }
  }

  private static CompletionStage<Void> unknown(String why) {
    return CompletableFuture.failedFuture(new UndeterminedCommitException(why));
  }

  private CompletionStage<Void> slow(Supplier<CompletionStage<Void>> outcome) {
    CompletableFuture<Void> answer = new CompletableFuture<>();
    held.add(
        held(
            () ->
                outcome
                    .get()
                    .whenComplete(
                        (done, failure) -> {
                          if (failure == null) {
                            answer.complete(null);
                          } else {
                            answer.completeExceptionally(cause(failure));
                          }
                        }),
            () ->
                answer.completeExceptionally(
                    new UndeterminedCommitException("injected: the answer was lost"))));
    return answer;
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException ? failure.getCause() : failure;
  }

  @Override
  public CompletionStage<Optional<Bytes>> get(Bytes key) {
    return ended(tikv().get(key));
  }

  @Override
  public CompletionStage<Map<Bytes, Bytes>> getAll(Collection<Bytes> keys) {
    return ended(tikv().getAll(keys));
  }

  @Override
  public CompletionStage<Page> scan(KeyRange range, int limit, Direction direction) {
    return ended(tikv().scan(range, limit, direction));
  }

  @Override
  public CompletionStage<Page> scanFloor(
      KeyRange range, long revision, int limit, Direction direction) {
    return ended(tikv().scanFloor(range, revision, limit, direction));
  }

  @Override
  public CompletionStage<Long> now() {
    return ended(tikv().now());
  }

  @Override
  public StoreScope scope() {
    return StoreScope.REGION;
  }

  @Override
  public CompletionStage<Void> ping() {
    return ended(tikv().ping());
  }
}
