package io.nucleusmem.store.tikv;

import io.nucleusmem.store.GarbageCollection;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.tikv.kvproto.Kvrpcpb.LockInfo;
import org.tikv.kvproto.Kvrpcpb.ScanLockRequest;
import org.tikv.kvproto.Kvrpcpb.ScanLockResponse;
import org.tikv.kvproto.PDGrpc;
import org.tikv.kvproto.Pdpb.GetGCSafePointRequest;
import org.tikv.kvproto.Pdpb.GetGCSafePointResponse;
import org.tikv.kvproto.Pdpb.UpdateGCSafePointRequest;
import org.tikv.kvproto.Pdpb.UpdateGCSafePointResponse;
import org.tikv.kvproto.Pdpb.UpdateServiceGCSafePointRequest;
import org.tikv.kvproto.Pdpb.UpdateServiceGCSafePointResponse;
import org.tikv.kvproto.TikvGrpc;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * Moves PD's safe point for garbage collection, in the order of TiDB's worker (client-go, {@code
 * tikv/gc.go}): agree with the other services, clear the locks in front of it in the whole cluster,
 * then move it. Without the second step the collection could remove the record by which a lock's
 * transaction is known to be committed.
 */
final class SafePoint implements GarbageCollection {
  private static final ByteString WORKER = ByteString.copyFromUtf8("gc_worker");
  private static final int LOCKS_PER_SCAN = 256;

  private final TikvSettings settings;
  private final Pd pd;
  private final Tso tso;
  private final Stores stores;
  private final Locks locks;
  private final SafePointGuard guard =
      new SafePointGuard(this::ask, System::nanoTime, System::currentTimeMillis);

  SafePoint(TikvSettings settings, Pd pd, Tso tso, Stores stores, Locks locks) {
    this.settings = settings;
    this.pd = pd;
    this.tso = tso;
    this.stores = stores;
    this.locks = locks;
  }

  /** What keeps reads above the safe point. */
  SafePointGuard guard() {
    return guard;
  }

  @Override
  public Duration interval() {
    return settings.gc().interval();
  }

  @Override
  public Duration observe() {
    return settings.gc().observe();
  }

  private Deadline deadline() {
    return Deadline.in(settings.operationTimeout());
  }

  @Override
  public CompletionStage<Long> safePoint() {
    return ask();
  }

  private CompletableFuture<Long> ask() {
    return pd.call(
            PDGrpc.getGetGCSafePointMethod(),
            header -> GetGCSafePointRequest.newBuilder().setHeader(header).build(),
            GetGCSafePointResponse::getHeader,
            deadline())
        .thenApply(GetGCSafePointResponse::getSafePoint);
  }

  @Override
  public CompletionStage<Long> advance() {
    return tso.next(deadline())
        .thenApply(now -> now - Timestamps.firstOf(settings.gc().keep().toMillis()))
        .thenCompose(this::agreed)
        .thenCompose(
            agreed -> clearLocks(ByteString.EMPTY, agreed).thenCompose(cleared -> move(agreed)));
  }

  /** The target, or what another service still needs. */
  private CompletableFuture<Long> agreed(long target) {
    return pd.call(
            PDGrpc.getUpdateServiceGCSafePointMethod(),
            header ->
                UpdateServiceGCSafePointRequest.newBuilder()
                    .setHeader(header)
                    .setServiceId(WORKER)
                    .setTTL(Long.MAX_VALUE)
                    .setSafePoint(target)
                    .build(),
            UpdateServiceGCSafePointResponse::getHeader,
            deadline())
        .thenApply(answer -> Math.min(target, answer.getMinSafePoint()));
  }

  /** Ends all transactions that began before, from a key to the end of the cluster. */
  private CompletableFuture<Void> clearLocks(ByteString from, long before) {
    Deadline deadline = deadline();
    return stores
        .retrying(
            from,
            false,
            TikvGrpc.getKvScanLockMethod(),
            region ->
                ScanLockRequest.newBuilder()
                    .setContext(region.context())
                    .setMaxVersion(before)
                    .setStartKey(from)
                    .setEndKey(region.end())
                    .setLimit(LOCKS_PER_SCAN)
                    .build(),
            ScanLockResponse::getRegionError,
            deadline)
        .thenCompose(
            answered -> {
              if (answered.answer().hasError()) {
                throw new StoreException(
                    "TiKV can't list its locks: " + answered.answer().getError());
              }
              List<LockInfo> found = answered.answer().getLocksList();
              return resolveAll(found, before, deadline)
                  .thenCompose(
                      done -> {
                        if (found.size() >= LOCKS_PER_SCAN) {
                          return clearLocks(from, before); // those are gone now
                        }
                        ByteString end = answered.region().end();
                        return end.isEmpty()
                            ? CompletableFuture.<Void>completedFuture(null)
                            : clearLocks(end, before);
                      });
            });
  }

  private CompletableFuture<Void> resolveAll(List<LockInfo> found, long at, Deadline deadline) {
    CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
    for (LockInfo lock : found) {
      all =
          all.thenCompose(done -> locks.resolve(lock, at, deadline))
              .thenAccept(
                  state -> {
                    if (state != Locks.State.GONE) {
                      throw new StoreException(
                          "the safe point stays: a transaction that began at [%d] still lives"
                              .formatted(lock.getLockVersion()));
                    }
                  });
    }
    return all;
  }

  private CompletableFuture<Long> move(long to) {
    return pd.call(
            PDGrpc.getUpdateGCSafePointMethod(),
            header ->
                UpdateGCSafePointRequest.newBuilder().setHeader(header).setSafePoint(to).build(),
            UpdateGCSafePointResponse::getHeader,
            deadline())
        .thenApply(UpdateGCSafePointResponse::getNewSafePoint)
        .whenComplete(
            (moved, failure) -> {
              if (failure == null) {
                guard.learn(moved);
              }
            });
  }
}
