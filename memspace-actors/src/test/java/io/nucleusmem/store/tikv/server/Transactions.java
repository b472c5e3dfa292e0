package io.nucleusmem.store.tikv.server;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tikv.kvproto.Kvrpcpb.Action;
import org.tikv.kvproto.Kvrpcpb.CheckTxnStatusRequest;
import org.tikv.kvproto.Kvrpcpb.CheckTxnStatusResponse;
import org.tikv.kvproto.Kvrpcpb.LockInfo;
import org.tikv.shade.com.google.protobuf.ByteString;

/** What can happen to a transaction after its prewrite: commit, rollback, enquiry, prolongation. */
final class Transactions {
  private final Mvcc mvcc;
  private final MaxTs maxTs;

  Transactions(Mvcc mvcc, MaxTs maxTs) {
    this.mvcc = mvcc;
    this.maxTs = maxTs;
  }

  /** Commits all of the keys or none. A key committed before counts as committed. */
  void commit(Iterable<ByteString> keys, long startTs, long commitTs) throws KeyFailure {
    List<ByteString> locked = new ArrayList<>();
    for (ByteString key : keys) {
      KeyHistory history = mvcc.peek(key);
      Optional<Lock> lock = history.lockOf(startTs);
      if (lock.isPresent()) {
        if (Ts.after(lock.get().minCommitTs(), commitTs)) {
          throw KeyFailure.commitTsExpired(key, lock.get(), commitTs);
        }
        locked.add(key);
      } else if (history.recordOf(startTs).fate() != KeyHistory.Fate.COMMITTED) {
        throw KeyFailure.txnLockNotFound(key, startTs, commitTs);
      }
    }
    for (ByteString key : locked) {
      KeyHistory history = mvcc.at(key);
      history.put(commitTs, Write.committed(history.lockOf(startTs).orElseThrow()));
      history.unlock();
    }
  }

  /** Rolls back all of the keys or none; where there is nothing, leaves a mark against lateness. */
  void rollback(Iterable<ByteString> keys, long startTs) throws KeyFailure {
    for (ByteString key : keys) {
      refuseCommitted(key, startTs);
    }
    for (ByteString key : keys) {
      rollbackKey(key, startTs, false);
    }
  }

  /**
   * Rolls one key back.
   *
   * @param currentTs 0: whatever its time to live
   */
  void cleanup(ByteString key, long startTs, long currentTs) throws KeyFailure {
    Optional<Lock> lock = mvcc.peek(key).lockOf(startTs);
    if (lock.isPresent() && currentTs != 0 && !lock.get().isExpired(currentTs)) {
      throw KeyFailure.locked(key, lock.get());
    }
    refuseCommitted(key, startTs);
    rollbackKey(key, startTs, true);
  }

  private void refuseCommitted(ByteString key, long startTs) throws KeyFailure {
    KeyHistory history = mvcc.peek(key);
    KeyHistory.TxnRecord found = history.recordOf(startTs);
    if (history.lockOf(startTs).isEmpty() && found.fate() == KeyHistory.Fate.COMMITTED) {
      throw KeyFailure.committed(key, startTs, found.commitTs());
    }
  }

  private void rollbackKey(ByteString key, long startTs, boolean isProtected) {
    KeyHistory history = mvcc.at(key);
    boolean hadLock = history.lockOf(startTs).isPresent();
    if (hadLock) {
      history.unlock();
    }
    if (history.recordOf(startTs).fate() == KeyHistory.Fate.UNKNOWN) {
      // Only a rollback without a lock needs protection: the prewrite may still be under way.
      history.rollback(startTs, isProtected && !hadLock, !isProtected);
    }
  }

  CheckTxnStatusResponse check(CheckTxnStatusRequest request) throws KeyFailure {
    long startTs = request.getLockTs();
    maxTs.raise(startTs);
    maxTs.raise(request.getCurrentTs());
    maxTs.raise(request.getCallerStartTs());
    ByteString primary = request.getPrimaryKey();
    KeyHistory history = mvcc.peek(primary);
    Optional<Lock> lock = history.lockOf(startTs);
    if (lock.isPresent()) {
      return checkLocked(request, mvcc.at(primary), lock.get());
    }
    KeyHistory.TxnRecord found = history.recordOf(startTs);
    var answer = CheckTxnStatusResponse.newBuilder();
    switch (found.fate()) {
      case COMMITTED -> answer.setCommitVersion(found.commitTs());
      case ROLLED_BACK -> answer.setAction(Action.NoAction);
      case UNKNOWN -> {
        if (!request.getRollbackIfNotExist()) {
          throw KeyFailure.txnNotFound(primary, startTs);
        }
        mvcc.at(primary).rollback(startTs, true, false);
        answer.setAction(Action.LockNotExistRollback);
      }
    }
    return answer.build();
  }

  private CheckTxnStatusResponse checkLocked(
      CheckTxnStatusRequest request, KeyHistory history, Lock lock) {
    var answer = CheckTxnStatusResponse.newBuilder();
    if (lock.isExpired(request.getCurrentTs())) {
      history.unlock();
      history.rollback(lock.startTs(), false, true);
      return answer.setAction(Action.TTLExpireRollback).build();
    }
    long caller = request.getCallerStartTs();
    Lock now = lock;
    if (lock.minCommitTs() != 0 && caller != Ts.MAX && !Ts.after(lock.minCommitTs(), caller)) {
      now = lock.withMinCommitTs(Ts.max(caller + 1, request.getCurrentTs()));
      history.lock(now);
    }
    boolean isPushed = caller == Ts.MAX || caller != 0 && Ts.after(now.minCommitTs(), caller);
    return answer
        .setAction(isPushed ? Action.MinCommitTSPushed : Action.NoAction)
        .setLockTtl(now.ttl())
        .setLockInfo(now.info(request.getPrimaryKey()))
        .build();
  }

  /** Prolongs a lock; never shortens it. Answers its time to live in milliseconds. */
  long heartBeat(ByteString primary, long startTs, long adviseTtl) throws KeyFailure {
    Optional<Lock> lock = mvcc.peek(primary).lockOf(startTs);
    if (lock.isEmpty()) {
      throw KeyFailure.txnNotFound(primary, startTs);
    }
    if (lock.get().ttl() < adviseTtl) {
      mvcc.at(primary).lock(lock.get().withTtl(adviseTtl));
    }
    return Math.max(lock.get().ttl(), adviseTtl);
  }

  /**
   * Ends every transaction named, in the keys between the bounds.
   *
   * @param ends start timestamp to commit timestamp, 0 for a rollback
   */
  void resolve(Map<Long, Long> ends, ByteString from, ByteString to) throws KeyFailure {
    for (var entry : mvcc.range(from, to).entrySet()) {
      Optional<Lock> lock = entry.getValue().lock();
      if (lock.isPresent() && ends.containsKey(lock.get().startTs())) {
        end(List.of(entry.getKey()), lock.get().startTs(), ends.get(lock.get().startTs()));
      }
    }
  }

  /** Commits or, at 0, rolls back the keys. */
  void end(List<ByteString> keys, long startTs, long commitTs) throws KeyFailure {
    if (commitTs == 0) {
      rollback(keys, startTs);
    } else {
      commit(keys, startTs, commitTs);
    }
  }

  /**
   * The locks of transactions that started at or before a timestamp.
   *
   * @param limit 0: all
   */
  List<LockInfo> scanLocks(long maxVersion, ByteString from, ByteString to, int limit) {
    maxTs.raise(maxVersion);
    return mvcc.range(from, to).entrySet().stream()
        .filter(e -> e.getValue().lock().isPresent())
        .map(e -> e.getValue().lock().orElseThrow().info(e.getKey()))
        .filter(info -> !Ts.after(info.getLockVersion(), maxVersion))
        .limit(limit == 0 ? Long.MAX_VALUE : limit)
        .toList();
  }
}
