package io.nucleusmem.store.tikv.server;

import java.util.Collection;
import org.tikv.kvproto.Kvrpcpb.LockInfo;
import org.tikv.kvproto.Kvrpcpb.Op;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * What a prewrite leaves on a key until its transaction is committed or rolled back.
 *
 * @param type Put, Del or Lock
 * @param ttl milliseconds since the physical part of {@code startTs}
 * @param minCommitTs the transaction cannot commit earlier; 0: readers cannot push it
 */
record Lock(
    Op type,
    ByteString primary,
    long startTs,
    long ttl,
    ByteString value,
    long txnSize,
    long minCommitTs) {

  LockInfo info(ByteString key) {
    return LockInfo.newBuilder()
        .setKey(key)
        .setPrimaryLock(primary)
        .setLockVersion(startTs)
        .setLockTtl(ttl)
        .setTxnSize(txnSize)
        .setLockType(type)
        .setMinCommitTs(minCommitTs)
        .build();
  }

  /** Whether a snapshot read has to wait: the transaction might yet commit at or before it. */
  boolean blocks(long readTs, ByteString key, Collection<Long> resolved) {
    if (type == Op.Lock || Ts.after(startTs, readTs) || Ts.after(minCommitTs, readTs)) {
      return false;
    }
    if (resolved.contains(startTs)) {
      return false;
    }
    // Reading the newest of a primary: not committed now, so it need not be seen.
    return !(readTs == Ts.MAX && key.equals(primary));
  }

  boolean isExpired(long currentTs) {
    return Ts.physical(startTs) + ttl < Ts.physical(currentTs);
  }

  Lock withMinCommitTs(long ts) {
    return new Lock(type, primary, startTs, ttl, value, txnSize, ts);
  }

  Lock withTtl(long millis) {
    return new Lock(type, primary, startTs, millis, value, txnSize, minCommitTs);
  }
}
