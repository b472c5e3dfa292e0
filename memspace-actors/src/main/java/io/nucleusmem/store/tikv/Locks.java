package io.nucleusmem.store.tikv;

import io.nucleusmem.store.StoreException;
import java.util.concurrent.CompletableFuture;
import org.tikv.kvproto.Kvrpcpb.Action;
import org.tikv.kvproto.Kvrpcpb.CheckTxnStatusRequest;
import org.tikv.kvproto.Kvrpcpb.CheckTxnStatusResponse;
import org.tikv.kvproto.Kvrpcpb.LockInfo;
import org.tikv.kvproto.Kvrpcpb.ResolveLockRequest;
import org.tikv.kvproto.Kvrpcpb.ResolveLockResponse;
import org.tikv.kvproto.TikvGrpc;

/**
 * Locks of transactions that are under way, or whose client has died: the primary tells which. As
 * in TiKV's own clients (client-go, {@code lock_resolver.go}); without asynchronous commit, which
 * we never write.
 */
final class Locks {
  /** What a lock means to whoever met it. */
  enum State {
    /** It is gone: look again. */
    GONE,
    /** Its transaction will commit later than the read: it can be read past. */
    AFTER_THE_READ,
    /** Its transaction lives: wait. */
    ALIVE
  }

  private final Stores stores;
  private final Tso tso;

  Locks(Stores stores, Tso tso) {
    this.stores = stores;
    this.tso = tso;
  }

  /**
   * Finds out, and clears the lock if its transaction has ended.
   *
   * @param readAt timestamp of the read that met it; for a write its start
   */
  CompletableFuture<State> resolve(LockInfo lock, long readAt, Deadline deadline) {
    return tso.next(deadline)
        .thenCompose(
            now ->
                stores.retrying(
                    lock.getPrimaryLock(),
                    false,
                    TikvGrpc.getKvCheckTxnStatusMethod(),
                    region ->
                        CheckTxnStatusRequest.newBuilder()
                            .setContext(region.context())
                            .setPrimaryKey(lock.getPrimaryLock())
                            .setLockTs(lock.getLockVersion())
                            .setCallerStartTs(readAt)
                            .setCurrentTs(now)
                            .setRollbackIfNotExist(true)
                            .build(),
                    CheckTxnStatusResponse::getRegionError,
                    deadline))
        .thenCompose(
            answered -> {
              CheckTxnStatusResponse status = answered.answer();
              if (status.hasError()) {
                throw new StoreException("TiKV can't tell a lock's state: " + status.getError());
              }
              if (status.getLockTtl() > 0) {
                return CompletableFuture.completedFuture(
                    status.getAction() == Action.MinCommitTSPushed
                        ? State.AFTER_THE_READ
                        : State.ALIVE);
              }
              return end(lock, status.getCommitVersion(), deadline);
            });
  }

  private CompletableFuture<State> end(LockInfo lock, long commitVersion, Deadline deadline) {
    return stores
        .retrying(
            lock.getKey(),
            false,
            TikvGrpc.getKvResolveLockMethod(),
            region ->
                ResolveLockRequest.newBuilder()
                    .setContext(region.context())
                    .setStartVersion(lock.getLockVersion())
                    .setCommitVersion(commitVersion)
                    .addKeys(lock.getKey())
                    .build(),
            ResolveLockResponse::getRegionError,
            deadline)
        .thenApply(
            answered -> {
              if (answered.answer().hasError()) {
                throw new StoreException(
                    "TiKV can't resolve a lock: " + answered.answer().getError());
              }
              return State.GONE;
            });
  }
}
