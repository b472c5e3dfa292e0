package io.nucleusmem.store.tikv;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.tikv.kvproto.Kvrpcpb.Assertion;
import org.tikv.kvproto.Kvrpcpb.AssertionLevel;
import org.tikv.kvproto.Kvrpcpb.BatchRollbackRequest;
import org.tikv.kvproto.Kvrpcpb.BatchRollbackResponse;
import org.tikv.kvproto.Kvrpcpb.CommitRequest;
import org.tikv.kvproto.Kvrpcpb.CommitResponse;
import org.tikv.kvproto.Kvrpcpb.KeyError;
import org.tikv.kvproto.Kvrpcpb.LockInfo;
import org.tikv.kvproto.Kvrpcpb.Mutation;
import org.tikv.kvproto.Kvrpcpb.Op;
import org.tikv.kvproto.Kvrpcpb.PrewriteRequest;
import org.tikv.kvproto.Kvrpcpb.PrewriteResponse;
import org.tikv.kvproto.TikvGrpc;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * Commits, as optimistic transactions of TiKV (Percolator; Peng and Dabek, OSDI 2010). A batch that
 * lies in one region is one request and one Raft write (one-phase commit); else it is prewritten in
 * each region, committed at its primary, and the rest follows behind the answer.
 *
 * <p>{@code insert} is TiKV's own, {@code require} a lock whose assertion is that the key exists:
 * in the same request, so there is no gap between condition and write. The transaction begins at
 * the batch's timestamp and is sent again under it, byte for byte, until it is known what became of
 * it. Only when TiKV has said that nothing was written and no condition failed (somebody else wrote
 * a key in between that the batch writes whatever is there) does it begin anew, later.
 */
final class Commits {
  private static final Duration LOCK_TTL = Duration.ofSeconds(3);
  private static final int COUNTER_BITS = 18;

  private final Stores stores;
  private final Locks locks;
  private final Reads reads;
  private final Tso tso;
  private final Keys keys;
  private final SafePointGuard guard;

  Commits(Stores stores, Locks locks, Reads reads, Tso tso, Keys keys, SafePointGuard guard) {
    this.stores = stores;
    this.locks = locks;
    this.reads = reads;
    this.tso = tso;
    this.keys = keys;
    this.guard = guard;
  }

  CompletableFuture<Void> commit(WriteBatch batch, Deadline deadline) {
    if (batch.ops().isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    return new Transaction(batch, batch.timestamp(), deadline).begin();
  }

  private Mutation mutation(WriteBatch.Op op) {
    Mutation.Builder mutation = Mutation.newBuilder().setKey(keys.key(op.key()));
    if (op instanceof WriteBatch.Insert insert) {
      mutation.setOp(Op.Insert).setValue(Keys.value(insert.value()));
    } else if (op instanceof WriteBatch.Put put) {
      mutation.setOp(Op.Put).setValue(Keys.value(put.value()));
    } else if (op instanceof WriteBatch.Require) {
      mutation.setOp(Op.Lock).setAssertion(Assertion.Exist);
    } else {
      mutation.setOp(Op.Del);
    }
    return mutation.build();
  }

  /** One transaction, from its start timestamp on. Its steps come one after the other. */
  private final class Transaction {
    private final WriteBatch batch;
    private final long start;
    private final Deadline deadline;
    private final List<Mutation> mutations = new ArrayList<>();
    private final ByteString primary;
    private boolean maybeDone; // a request that could have committed it was not answered
    private boolean locked; // locks may be left of it
    private int tries;

    Transaction(WriteBatch batch, long start, Deadline deadline) {
      this.batch = batch;
      this.start = start;
      this.deadline = deadline;
      batch.ops().forEach(op -> mutations.add(mutation(op)));
      this.primary = mutations.get(0).getKey();
    }

    /** Whatever ends it too early, what may have been done is not told as not done. */
    CompletableFuture<Void> begin() {
      return run()
          .exceptionallyCompose(
              failure -> {
                Throwable cause = Rpc.cause(failure);
                boolean known =
                    cause instanceof RefusedCommitException
                        || cause instanceof UndeterminedCommitException;
                return CompletableFuture.failedFuture(
                    known || !maybeDone
                        ? cause
                        : new UndeterminedCommitException(
                            "it is not known whether TiKV has committed: " + cause.getMessage(),
                            cause));
              });
    }

    private CompletableFuture<Void> run() {
      return group(mutations, new LinkedHashMap<>())
          .thenCompose(
              groups ->
                  groups.size() == 1
                      ? onePhase(groups.keySet().iterator().next())
                      : twoPhases(groups));
    }

    /** The mutations by the region that each lies in; the primary's first. */
    private CompletableFuture<Map<Region, List<Mutation>>> group(
        List<Mutation> left, Map<Region, List<Mutation>> into) {
      if (left.isEmpty()) {
        return CompletableFuture.completedFuture(into);
      }
      return stores
          .regions()
          .holding(left.get(0).getKey(), deadline)
          .thenCompose(
              region -> {
                List<Mutation> held = left.stream().filter(m -> region.holds(m.getKey())).toList();
                into.put(region, held);
                return group(left.stream().filter(m -> !region.holds(m.getKey())).toList(), into);
              });
    }

    private PrewriteRequest prewrite(Region region, List<Mutation> part, boolean onePhase) {
      long lifetime = 2 * deadline.allowed().toMillis();
      return PrewriteRequest.newBuilder()
          .setContext(region.context())
          .addAllMutations(part)
          .setPrimaryLock(primary)
          .setStartVersion(start)
          .setLockTtl(LOCK_TTL.toMillis())
          .setMinCommitTs(start + 1)
          .setTxnSize(mutations.size())
          .setTryOnePc(onePhase)
          .setMaxCommitTs(start + (lifetime << COUNTER_BITS)) // later it can't land any more
          .setAssertionLevel(AssertionLevel.Strict)
          .build();
    }

    private CompletableFuture<Stores.Sent<PrewriteResponse>> send(
        Region region, List<Mutation> part, boolean onePhase) {
      return stores.once(
          region,
          TikvGrpc.getKvPrewriteMethod(),
          prewrite(region, part, onePhase),
          PrewriteResponse::getRegionError,
          deadline);
    }

    // ---- one phase ----

    private CompletableFuture<Void> onePhase(Region region) {
      return send(region, mutations, true)
          .thenCompose(
              sent -> {
                if (!(sent instanceof Stores.Answered<PrewriteResponse> answered)) {
                  maybeDone |= sent instanceof Stores.Lost;
                  return again(sent);
                }
                PrewriteResponse answer = answered.answer();
                if (answer.getErrorsCount() > 0) {
                  return failed(answer.getErrorsList());
                }
                if (answer.getOnePcCommitTs() > 0) {
                  return CompletableFuture.completedFuture(null);
                }
                locked = true; // TiKV took it as a first phase
                return commitPrimary(Map.of(region, mutations));
              });
    }

    // ---- two phases ----

    private CompletableFuture<Void> twoPhases(Map<Region, List<Mutation>> groups) {
      locked = true;
      List<Map.Entry<Region, List<Mutation>>> parts = new ArrayList<>(groups.entrySet());
      return prewriteAll(parts, 0)
          .thenCompose(
              bad ->
                  bad == null
                      ? commitPrimary(groups)
                      : bad instanceof Stores.Answered<PrewriteResponse> answered
                          ? failed(answered.answer().getErrorsList())
                          : again(bad));
    }

    /** Prewrites part after part, the primary's first; null if all are, else what went wrong. */
    private CompletableFuture<Stores.Sent<PrewriteResponse>> prewriteAll(
        List<Map.Entry<Region, List<Mutation>>> parts, int at) {
      if (at == parts.size()) {
        return CompletableFuture.completedFuture(null);
      }
      return send(parts.get(at).getKey(), parts.get(at).getValue(), false)
          .thenCompose(
              sent ->
                  sent instanceof Stores.Answered<PrewriteResponse> answered
                          && answered.answer().getErrorsCount() == 0
                      ? prewriteAll(parts, at + 1)
                      : CompletableFuture.completedFuture(sent));
    }

    private CompletableFuture<Void> commitPrimary(Map<Region, List<Mutation>> groups) {
      return tso.next(deadline)
          .handle(
              (commit, failure) ->
                  failure == null
                      ? commitPrimary(groups, commit)
                      : giveUp(Rpc.cause(failure).getMessage()))
          .thenCompose(Function.identity());
    }

    private CompletableFuture<Void> commitPrimary(Map<Region, List<Mutation>> groups, long commit) {
      List<ByteString> first =
          groups.values().iterator().next().stream().map(Mutation::getKey).toList();
      return stores
          .regions()
          .holding(primary, deadline)
          .thenCompose(
              region ->
                  stores.once(
                      region,
                      TikvGrpc.getKvCommitMethod(),
                      request(region, first.stream().filter(region::holds).toList(), commit),
                      CommitResponse::getRegionError,
                      deadline))
          .thenCompose(
              sent -> {
                if (sent instanceof Stores.Answered<CommitResponse> answered) {
                  KeyError error = answered.answer().getError();
                  if (!answered.answer().hasError()) {
                    commitRest(answered.region(), commit);
                    return CompletableFuture.completedFuture(null);
                  }
                  return error.hasCommitTsExpired()
                      ? commitPrimary(groups) // a reader has been there: later
                      : notCommitted(error);
                }
                maybeDone |= sent instanceof Stores.Lost;
                return deadline.hasPassed()
                    ? giveUp(Stores.why(sent))
                    : stores.rpc().pause(tries++, () -> commitPrimary(groups, commit));
              });
    }

    /** Somebody has rolled it back meanwhile; then it is not, and will never be, committed. */
    private CompletableFuture<Void> notCommitted(KeyError error) {
      maybeDone = false;
      return deadline.hasPassed()
          ? CompletableFuture.failedFuture(
              new TransientStoreException("the transaction was rolled back: " + error))
          : later();
    }

    private CommitRequest request(Region region, List<ByteString> part, long commit) {
      return CommitRequest.newBuilder()
          .setContext(region.context())
          .setStartVersion(start)
          .addAllKeys(part)
          .setCommitVersion(commit)
          .build();
    }

    /** The primary says that it is committed: whoever meets one of these locks can tell. */
    private void commitRest(Region done, long commit) {
      Deadline own = Deadline.in(deadline.allowed());
      List<ByteString> rest =
          mutations.stream().map(Mutation::getKey).filter(key -> !done.holds(key)).toList();
      each(
          rest,
          own,
          (region, part) ->
              stores.once(
                  region,
                  TikvGrpc.getKvCommitMethod(),
                  request(region, part, commit),
                  CommitResponse::getRegionError,
                  own));
    }

    private void rollBack() {
      if (!locked || maybeDone) {
        return;
      }
      Deadline own = Deadline.in(deadline.allowed());
      each(
          mutations.stream().map(Mutation::getKey).toList(),
          own,
          (region, part) ->
              stores.once(
                  region,
                  TikvGrpc.getKvBatchRollbackMethod(),
                  BatchRollbackRequest.newBuilder()
                      .setContext(region.context())
                      .setStartVersion(start)
                      .addAllKeys(part)
                      .build(),
                  BatchRollbackResponse::getRegionError,
                  own));
    }

    private interface Part {
      CompletableFuture<?> send(Region region, List<ByteString> part);
    }

    /** Sends once to each region; what fails is left to whoever meets the locks. */
    private void each(List<ByteString> left, Deadline own, Part part) {
      if (!left.isEmpty()) {
        stores
            .regions()
            .holding(left.get(0), own)
            .thenAccept(
                region -> {
                  part.send(region, left.stream().filter(region::holds).toList());
                  each(left.stream().filter(key -> !region.holds(key)).toList(), own, part);
                });
      }
    }

    // ---- what goes wrong ----

    /** The same transaction again, to whichever regions there are now. */
    private CompletableFuture<Void> again(Stores.Sent<?> sent) {
      return deadline.hasPassed()
          ? giveUp(Stores.why(sent))
          : stores.rpc().pause(tries++, this::run);
    }

    private CompletableFuture<Void> giveUp(String last) {
      rollBack();
      return CompletableFuture.failedFuture(
          maybeDone
              ? new UndeterminedCommitException(
                  "TiKV did not say within [%s] whether it has committed; last: %s"
                      .formatted(deadline.allowed(), last))
              : new TransientStoreException(
                  "TiKV has not committed within [%s]; last: %s"
                      .formatted(deadline.allowed(), last)));
    }

    /** TiKV has written nothing of this request. */
    private CompletableFuture<Void> failed(List<KeyError> errors) {
      List<LockInfo> met =
          errors.stream().filter(KeyError::hasLocked).map(KeyError::getLocked).toList();
      if (met.size() == errors.size()) {
        return resolve(met, 0)
            .thenCompose(
                done ->
                    deadline.hasPassed()
                        ? giveUp("locks of other transactions are in the way")
                        : done ? run() : stores.rpc().pause(tries++, this::run));
      }
      rollBack();
      maybeDone = false; // an earlier request that was done would have been answered as such
      return conditions().thenCompose(done -> later());
    }

    /** True if all locks are gone. */
    private CompletableFuture<Boolean> resolve(List<LockInfo> met, int at) {
      return at == met.size()
          ? CompletableFuture.completedFuture(true)
          : locks
              .resolve(met.get(at), start, deadline)
              .thenCompose(
                  state ->
                      state == Locks.State.GONE
                          ? resolve(met, at + 1)
                          : CompletableFuture.completedFuture(false));
    }

    /** Fails with the condition that does not hold; an insert before a require. */
    private CompletableFuture<Void> conditions() {
      List<Bytes> conditional =
          batch.ops().stream()
              .filter(op -> op instanceof WriteBatch.Insert || op instanceof WriteBatch.Require)
              .map(WriteBatch.Op::key)
              .toList();
      return tso.next(deadline)
          .thenCompose(
              now ->
                  guard.check(
                      now,
                      deadline,
                      () -> reads.getAll(conditional, new Reads.View(now, deadline))))
          .thenAccept(
              there -> {
                for (WriteBatch.Op op : batch.ops()) {
                  if (op instanceof WriteBatch.Insert && there.containsKey(op.key())) {
                    throw RefusedCommitException.exists(op.key(), there.get(op.key()));
                  }
                }
                for (WriteBatch.Op op : batch.ops()) {
                  if (op instanceof WriteBatch.Require && !there.containsKey(op.key())) {
                    throw RefusedCommitException.missing(op.key());
                  }
                }
              });
    }

    /** The same writes as another transaction: of this one nothing was, or will be, written. */
    private CompletableFuture<Void> later() {
      if (deadline.hasPassed()) {
        return giveUp("others wrote the same rows");
      }
      return tso.next(deadline).thenCompose(now -> new Transaction(batch, now, deadline).begin());
    }
  }

  /** Fails a call that has not been able to do anything. */
  static Throwable explain(Throwable failure) {
    Throwable cause = Rpc.cause(failure);
    return cause instanceof StoreException || cause instanceof IllegalArgumentException
        ? cause
        : new StoreException("TiKV: " + cause, cause);
  }
}
