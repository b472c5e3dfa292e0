package io.nucleusmem.store.tikv;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.GarbageCollection;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreChecks;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.WriteBatch;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Rows in a TiKV cluster. Uses the protocol's stubs in TiKV's Java client and nothing else of it
 * (DESIGN.md says why). No call blocks, and none holds a thread while it waits.
 *
 * <p>Every read is made at a timestamp that PD gives for it, so it shows whatever was committed
 * before it began, by whatever process.
 */
public final class TikvStore implements KvStore {
  private final TikvSettings settings;
  private final Executor callbacks;
  private final Rpc rpc;
  private final Tso tso;
  private final Keys keys;
  private final Reads reads;
  private final FloorScan floorScan;
  private final Commits commits;
  private final SafePoint safePoint;
  private final CommitQueue commitQueue = new CommitQueue();
  private final Set<CompletableFuture<?>> accepted = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private TikvStore(TikvSettings settings, Executor callbacks, Rpc rpc, Pd pd) {
    this.settings = settings;
    this.callbacks = callbacks;
    this.rpc = rpc;
    this.tso = new Tso(rpc, pd);
    this.keys = new Keys(settings.keyPrefix());
    Stores stores = new Stores(rpc, new Regions(pd));
    Locks locks = new Locks(stores, tso);
    this.reads = new Reads(stores, locks, keys);
    this.floorScan = new FloorScan(reads);
    this.safePoint = new SafePoint(settings, pd, tso, stores, locks);
    this.commits = new Commits(stores, locks, reads, tso, keys, safePoint.guard());
  }

  /**
   * Connects. Blocks, for at most the time that the settings allow.
   *
   * @param callbacks where stages are completed
   * @throws StoreException if PD does not answer, or not as it should, or the cluster is too old
   */
  public static TikvStore open(TikvSettings settings, Executor callbacks) {
    Rpc rpc = new Rpc(settings);
    try {
      Pd pd = new Pd(rpc);
      Deadline deadline = Deadline.in(settings.connectTimeout());
      pd.connect(deadline);
      Versions.check(pd, deadline);
      return new TikvStore(settings, callbacks, rpc, pd);
    } catch (RuntimeException e) {
      rpc.close();
      throw e;
    }
  }

  @Override
  public CompletionStage<Optional<Bytes>> get(Bytes key) {
    return read(() -> StoreChecks.key(key), view -> reads.get(key, view));
  }

  @Override
  public CompletionStage<Map<Bytes, Bytes>> getAll(Collection<Bytes> wanted) {
    return read(() -> StoreChecks.keys(wanted), view -> reads.getAll(wanted, view));
  }

  @Override
  public CompletionStage<Page> scan(KeyRange range, int limit, Direction direction) {
    int looked = limit == 1 ? 1 : limit + 1; // one more: is there a rest?
    return read(
        () -> StoreChecks.scan(range, limit),
        view ->
            reads
                .scan(range, looked, direction, view)
                .thenApply(rows -> page(range, rows, limit, direction)));
  }

  private static Page page(KeyRange range, List<Row> rows, int limit, Direction direction) {
    List<Row> shown = rows.subList(0, Math.min(limit, rows.size()));
    boolean more = limit == 1 ? !rows.isEmpty() : rows.size() > limit;
    return new Page(shown, more ? rest(range, shown, direction) : Optional.empty());
  }

  private static Optional<KeyRange> rest(KeyRange range, List<Row> rows, Direction direction) {
    Bytes last = rows.get(rows.size() - 1).key();
    KeyRange rest =
        direction == Direction.ASCENDING
            ? range.startingAt(last.concat(FloorScan.ZERO))
            : range.endingAt(last);
    return Optional.of(rest).filter(left -> !left.isEmpty());
  }

  @Override
  public CompletionStage<Page> scanFloor(
      KeyRange range, long revision, int limit, Direction direction) {
    return read(
        () -> StoreChecks.scanFloor(range, revision, limit),
        view -> floorScan.page(range, revision, limit, direction, view));
  }

  @Override
  public CompletionStage<Void> commit(WriteBatch batch) {
    return call(
        () -> StoreChecks.batch(batch),
        () ->
            commitQueue.after(
                batch, () -> commits.commit(batch, Deadline.in(settings.operationTimeout()))));
  }

  @Override
  public CompletionStage<Long> now() {
    return call(() -> {}, () -> tso.next(Deadline.in(settings.operationTimeout())));
  }

  @Override
  public StoreScope scope() {
    return StoreScope.REGION;
  }

  @Override
  public Optional<GarbageCollection> garbageCollection() {
    return settings.gc().enabled() ? Optional.of(safePoint) : Optional.empty();
  }

  /** Asks PD for a timestamp and the store of our first keys for one of them. */
  @Override
  public CompletionStage<Void> ping() {
    return get(FloorScan.ZERO).thenAccept(any -> {});
  }

  @Override
  public void close() {
    closed = true;
    try {
      CompletableFuture.allOf(accepted.toArray(CompletableFuture[]::new))
          .handle((done, failure) -> done)
          .get(settings.operationTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // what is left has no time left either
    }
    tso.close();
    rpc.close();
    accepted.forEach(each -> each.completeExceptionally(new StoreException("the store is closed")));
  }

  private <T> CompletionStage<T> read(
      Runnable check, Function<Reads.View, CompletableFuture<T>> read) {
    return call(
        check,
        () -> {
          Deadline deadline = Deadline.in(settings.operationTimeout());
          return tso.next(deadline)
              .thenCompose(
                  now ->
                      safePoint
                          .guard()
                          .check(now, deadline, () -> read.apply(new Reads.View(now, deadline))));
        });
  }

  /** Runs a call; its stage is completed on the callbacks' executor. */
  private <T> CompletionStage<T> call(Runnable check, Supplier<CompletableFuture<T>> call) {
    try {
      check.run();
    } catch (IllegalArgumentException e) {
      return CompletableFuture.failedFuture(e);
    }
    CompletableFuture<T> result = new CompletableFuture<>();
    accepted.add(result);
    if (closed) { // looked at after it was added: close() waits for it, or it is refused here
      accepted.remove(result);
      return CompletableFuture.failedFuture(new StoreException("the store is closed"));
    }
    call.get()
        .whenComplete(
            (value, failure) ->
                callbacks.execute(
                    () -> {
                      accepted.remove(result);
                      if (failure == null) {
                        result.complete(value);
                      } else {
                        result.completeExceptionally(Commits.explain(failure));
                      }
                    }));
    return result;
  }
}
