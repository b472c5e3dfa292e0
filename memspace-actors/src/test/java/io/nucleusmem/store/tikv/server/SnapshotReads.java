package io.nucleusmem.store.tikv.server;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import org.tikv.kvproto.Kvrpcpb.Context;
import org.tikv.kvproto.Kvrpcpb.IsolationLevel;
import org.tikv.kvproto.Kvrpcpb.KvPair;
import org.tikv.kvproto.Kvrpcpb.ScanRequest;
import org.tikv.shade.com.google.protobuf.ByteString;

/** Reads at a timestamp. They raise the store's maximum, so that what they saw stays so. */
final class SnapshotReads {
  private final Mvcc mvcc;
  private final MaxTs maxTs;

  SnapshotReads(Mvcc mvcc, MaxTs maxTs) {
    this.mvcc = mvcc;
    this.maxTs = maxTs;
  }

  Optional<ByteString> get(ByteString key, long ts, Context context) throws KeyFailure {
    maxTs.raise(ts);
    return value(key, mvcc.peek(key), ts, context);
  }

  /** Pairs of those keys that exist; a locked one is a pair that holds nothing but an error. */
  List<KvPair> batchGet(Collection<ByteString> keys, long ts, Context context) {
    maxTs.raise(ts);
    List<KvPair> pairs = new ArrayList<>();
    for (ByteString key : keys) {
      addPair(pairs, key, mvcc.peek(key), ts, context, false);
    }
    return pairs;
  }

  /**
   * @param from inclusive
   * @param to exclusive; empty: no bound
   */
  List<KvPair> scan(ScanRequest request, ByteString from, ByteString to) {
    maxTs.raise(request.getVersion());
    NavigableMap<ByteString, KeyHistory> rows = mvcc.range(from, to);
    List<KvPair> pairs = new ArrayList<>();
    for (var row : (request.getReverse() ? rows.descendingMap() : rows).entrySet()) {
      if (pairs.size() >= request.getLimit()) {
        break;
      }
      addPair(
          pairs,
          row.getKey(),
          row.getValue(),
          request.getVersion(),
          request.getContext(),
          request.getKeyOnly());
    }
    return pairs;
  }

  private static void addPair(
      List<KvPair> pairs,
      ByteString key,
      KeyHistory history,
      long ts,
      Context context,
      boolean keyOnly) {
    try {
      value(key, history, ts, context)
          .map(value -> keyOnly ? ByteString.EMPTY : value)
          .ifPresent(v -> pairs.add(KvPair.newBuilder().setKey(key).setValue(v).build()));
    } catch (KeyFailure failure) {
      pairs.add(KvPair.newBuilder().setError(failure.error()).build());
    }
  }

  private static Optional<ByteString> value(
      ByteString key, KeyHistory history, long ts, Context context) throws KeyFailure {
    Optional<Lock> lock = history.lock();
    boolean isSnapshot = context.getIsolationLevel() == IsolationLevel.SI;
    if (isSnapshot
        && lock.isPresent()
        && lock.get().blocks(ts, key, context.getResolvedLocksList())) {
      throw KeyFailure.locked(key, lock.get());
    }
    return history.valueAt(ts).map(Write::value);
  }
}
