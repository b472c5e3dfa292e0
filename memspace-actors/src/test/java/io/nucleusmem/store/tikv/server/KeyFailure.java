package io.nucleusmem.store.tikv.server;

import java.util.HexFormat;
import java.util.Map;
import org.tikv.kvproto.Kvrpcpb.AlreadyExist;
import org.tikv.kvproto.Kvrpcpb.AssertionFailed;
import org.tikv.kvproto.Kvrpcpb.CommitTsExpired;
import org.tikv.kvproto.Kvrpcpb.KeyError;
import org.tikv.kvproto.Kvrpcpb.Mutation;
import org.tikv.kvproto.Kvrpcpb.TxnNotFound;
import org.tikv.kvproto.Kvrpcpb.WriteConflict;
import org.tikv.shade.com.google.protobuf.ByteString;

/** A request refused because of the state of a key; carries what TiKV answers. */
final class KeyFailure extends Exception {
  private static final long serialVersionUID = 1;

  private final transient KeyError error;

  private final long commitTs;

  private KeyFailure(KeyError.Builder error) {
    this(error, 0);
  }

  private KeyFailure(KeyError.Builder error, long commitTs) {
    super(error.toString(), null, false, false);
    this.error = error.build();
    this.commitTs = commitTs;
  }

  KeyError error() {
    return error;
  }

  /** When the transaction was committed, if that is what the failure says; else 0. */
  long commitTs() {
    return commitTs;
  }

  static KeyFailure locked(ByteString key, Lock lock) {
    return new KeyFailure(KeyError.newBuilder().setLocked(lock.info(key)));
  }

  static KeyFailure conflict(
      ByteString key, long startTs, ByteString primary, Map.Entry<Long, Write> found) {
    return new KeyFailure(
        KeyError.newBuilder()
            .setConflict(
                WriteConflict.newBuilder()
                    .setStartTs(startTs)
                    .setConflictTs(found.getValue().startTs())
                    .setConflictCommitTs(found.getKey())
                    .setKey(key)
                    .setPrimary(primary)));
  }

  static KeyFailure alreadyExist(ByteString key) {
    return new KeyFailure(
        KeyError.newBuilder().setAlreadyExist(AlreadyExist.newBuilder().setKey(key)));
  }

  /** The existing timestamps are 0 where there is nothing. */
  static KeyFailure assertionFailed(
      Mutation mutation, long startTs, long existingStartTs, long existingCommitTs) {
    return new KeyFailure(
        KeyError.newBuilder()
            .setAssertionFailed(
                AssertionFailed.newBuilder()
                    .setStartTs(startTs)
                    .setKey(mutation.getKey())
                    .setAssertion(mutation.getAssertion())
                    .setExistingStartTs(existingStartTs)
                    .setExistingCommitTs(existingCommitTs)));
  }

  static KeyFailure commitTsExpired(ByteString key, Lock lock, long commitTs) {
    return new KeyFailure(
        KeyError.newBuilder()
            .setCommitTsExpired(
                CommitTsExpired.newBuilder()
                    .setStartTs(lock.startTs())
                    .setAttemptedCommitTs(commitTs)
                    .setKey(key)
                    .setMinCommitTs(lock.minCommitTs())));
  }

  /** Has no field of its own in the protocol, only this text. */
  static KeyFailure txnLockNotFound(ByteString key, long startTs, long commitTs) {
    return new KeyFailure(
        KeyError.newBuilder()
            .setRetryable(
                "Error(Txn(Error(Mvcc(Error(TxnLockNotFound { start_ts: TimeStamp(%s), commit_ts: TimeStamp(%s), key: %s })))))"
                    .formatted(
                        Long.toUnsignedString(startTs),
                        Long.toUnsignedString(commitTs),
                        HexFormat.of().formatHex(key.toByteArray()))));
  }

  static KeyFailure txnNotFound(ByteString primary, long startTs) {
    return new KeyFailure(
        KeyError.newBuilder()
            .setTxnNotFound(TxnNotFound.newBuilder().setStartTs(startTs).setPrimaryKey(primary)));
  }

  static KeyFailure committed(ByteString key, long startTs, long commitTs) {
    return new KeyFailure(
        KeyError.newBuilder()
            .setAbort(
                "Error(Txn(Error(Mvcc(Error(Committed { start_ts: TimeStamp(%s), commit_ts: TimeStamp(%s), key: %s })))))"
                    .formatted(
                        Long.toUnsignedString(startTs),
                        Long.toUnsignedString(commitTs),
                        HexFormat.of().formatHex(key.toByteArray()))),
        commitTs);
  }
}
