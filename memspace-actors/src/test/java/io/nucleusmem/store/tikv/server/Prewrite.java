package io.nucleusmem.store.tikv.server;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tikv.kvproto.Kvrpcpb.Assertion;
import org.tikv.kvproto.Kvrpcpb.AssertionLevel;
import org.tikv.kvproto.Kvrpcpb.KeyError;
import org.tikv.kvproto.Kvrpcpb.Mutation;
import org.tikv.kvproto.Kvrpcpb.Op;
import org.tikv.kvproto.Kvrpcpb.PrewriteRequest;
import org.tikv.kvproto.Kvrpcpb.PrewriteResponse;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * One optimistic prewrite, decided as TiKV decides it: all of its keys are locked (or, in one
 * phase, committed) or none is. Asynchronous commit falls back to two phases, which the protocol
 * allows.
 */
final class Prewrite {
  private final Mvcc mvcc;
  private final MaxTs maxTs;
  private final PrewriteRequest request;
  private final long startTs;
  private final Map<ByteString, Lock> locks = new LinkedHashMap<>();
  private final List<KeyError> lockedKeys = new ArrayList<>();
  private KeyError failedAssertion;
  private boolean onePhase;
  private long onePhaseCommitTs;

  Prewrite(Mvcc mvcc, MaxTs maxTs, PrewriteRequest request) {
    this.mvcc = mvcc;
    this.maxTs = maxTs;
    this.request = request;
    this.startTs = request.getStartVersion();
    this.onePhase = request.getTryOnePc();
  }

  PrewriteResponse run() {
    for (Mutation mutation : request.getMutationsList()) {
      KeyHistory history = mvcc.peek(mutation.getKey());
      try {
        prewrite(mutation, history);
      } catch (KeyFailure failure) {
        KeyError error = failure.error();
        if (error.hasAssertionFailed()) {
          // Any other error goes before it, so the remaining keys are looked at.
          failedAssertion = failedAssertion == null ? error : failedAssertion;
          continue;
        }
        boolean mayBeOwnCommit =
            error.hasLocked()
                || error.hasConflict()
                    && Ts.after(error.getConflict().getConflictCommitTs(), startTs);
        KeyHistory.TxnRecord own = history.recordOf(startTs);
        if (mayBeOwnCommit && own.fate() == KeyHistory.Fate.COMMITTED) {
          // A resent request of a committed transaction: one committed key answers for all.
          return PrewriteResponse.newBuilder()
              .setOnePcCommitTs(request.getTryOnePc() ? own.commitTs() : 0)
              .build();
        }
        if (!error.hasLocked()) {
          return PrewriteResponse.newBuilder().addErrors(error).build();
        }
        lockedKeys.add(error);
      }
    }
    if (failedAssertion != null) {
      return PrewriteResponse.newBuilder().addErrors(failedAssertion).build();
    }
    if (!lockedKeys.isEmpty()) {
      return PrewriteResponse.newBuilder().addAllErrors(lockedKeys).build();
    }
    return write();
  }

  private void prewrite(Mutation mutation, KeyHistory history) throws KeyFailure {
    if (mustBeAbsent(mutation)) {
      maxTs.raise(startTs); // to find nothing is to have read
    }
    Optional<Lock> held = history.lock();
    if (held.isPresent()) {
      if (held.get().startTs() != startTs) {
        throw KeyFailure.locked(mutation.getKey(), held.get());
      }
      onePhase = false; // resent after a fall-back to two phases: the rest goes that way, too
      return;
    }
    Optional<Map.Entry<Long, Write>> newest = history.newest();
    if (!request.getSkipConstraintCheck() && newest.isPresent()) {
      checkNewest(mutation, history, newest.get());
    }
    checkAssertion(mutation, history);
    if (mutation.getOp() == Op.CheckNotExists) {
      raiseCommitTs(Ts.max(request.getMinCommitTs(), startTs + 1));
      return;
    }
    stage(mutation, history);
  }

  // First the conflict, then the existence: so a resent insert is not refused for its own row.
  private void checkNewest(Mutation mutation, KeyHistory history, Map.Entry<Long, Write> newest)
      throws KeyFailure {
    ByteString key = mutation.getKey();
    Write write = newest.getValue();
    boolean isRolledBack =
        newest.getKey() == startTs
            && (write.type() == Write.Type.ROLLBACK || write.overlappedRollback());
    if (Ts.after(newest.getKey(), startTs) || isRolledBack) {
      throw KeyFailure.conflict(key, startTs, request.getPrimaryLock(), newest);
    }
    if (mustBeAbsent(mutation) && history.valueAt(Ts.MAX).isPresent()) {
      throw KeyFailure.alreadyExist(key);
    }
  }

  private static boolean mustBeAbsent(Mutation mutation) {
    return mutation.getOp() == Op.Insert || mutation.getOp() == Op.CheckNotExists;
  }

  private void checkAssertion(Mutation mutation, KeyHistory history) throws KeyFailure {
    boolean isLoaded = !request.getSkipConstraintCheck();
    AssertionLevel level = request.getAssertionLevel();
    if (level == AssertionLevel.Off || level == AssertionLevel.Fast && !isLoaded) {
      return;
    }
    Optional<Map.Entry<Long, Write>> data = history.dataAt(Ts.MAX);
    boolean exists = data.isPresent() && data.get().getValue().type() == Write.Type.PUT;
    boolean fails =
        mutation.getAssertion() == Assertion.Exist && !exists
            || mutation.getAssertion() == Assertion.NotExist && exists;
    if (fails) {
      throw KeyFailure.assertionFailed(
          mutation,
          startTs,
          data.map(found -> found.getValue().startTs()).orElse(0L),
          data.map(Map.Entry::getKey).orElse(0L));
    }
  }

  private void stage(Mutation mutation, KeyHistory history) {
    long minCommitTs = request.getMinCommitTs();
    if (onePhase) {
      long commitTs = Ts.max(minCommitTs, Ts.max(maxTs.get(), startTs) + 1);
      long bound = request.getMaxCommitTs();
      if (bound != 0 && Ts.after(commitTs, bound)) {
        onePhase = false; // TiKV then leaves locks, the client goes on in two phases
      } else {
        minCommitTs = commitTs;
        raiseCommitTs(commitTs);
      }
    }
    Op type = mutation.getOp() == Op.Insert ? Op.Put : mutation.getOp();
    locks.put(
        mutation.getKey(),
        new Lock(
            type,
            request.getPrimaryLock(),
            startTs,
            request.getLockTtl(),
            mutation.getValue(),
            request.getTxnSize(),
            minCommitTs));
  }

  private void raiseCommitTs(long ts) {
    onePhaseCommitTs = Ts.max(onePhaseCommitTs, ts);
  }

  private PrewriteResponse write() {
    if (onePhase) {
      locks.forEach((key, lock) -> mvcc.at(key).put(onePhaseCommitTs, Write.committed(lock)));
      return PrewriteResponse.newBuilder().setOnePcCommitTs(onePhaseCommitTs).build();
    }
    locks.forEach((key, lock) -> mvcc.at(key).lock(lock));
    return PrewriteResponse.getDefaultInstance();
  }
}
