package io.nucleusmem.memspace;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.Timestamps;
import java.util.Map;
import java.util.Optional;

/**
 * The rows of operations.
 *
 * <pre>
 * o o id            the operation as it is (JSON); ids sort by the time of their start
 * o r id epoch(8)   it runs, for the n-th time: whoever runs it requires this row with every write,
 *                   and who takes over inserts the next one first. Gone when it has ended
 * </pre>
 */
final class OperationRows {
  private static final String ID = "op-[0-9a-f]{16}-[0-9a-f]{8}";
  private static final int EPOCH_BYTES = 8;

  private OperationRows() {}

  /** An operation as stored. */
  record Row(
      String id,
      String kind,
      String state,
      String caller,
      boolean admin,
      Map<String, Object> arguments,
      Map<String, Object> about,
      Map<String, Object> progress,
      Map<String, Object> result,
      String errorCode,
      String errorDetail,
      String node,
      long leaseUntil,
      long startedAt,
      long updatedAt,
      Long endedAt) {

    Principal principal() {
      return new Principal(caller, admin);
    }

    boolean isRunning() {
      return state.equals(OperationInfo.State.RUNNING.label());
    }

    Row running(
        Map<String, Object> newAbout,
        Map<String, Object> newProgress,
        String by,
        long until,
        long now) {
      return new Row(
          id,
          kind,
          state,
          caller,
          admin,
          arguments,
          newAbout,
          newProgress,
          null,
          null,
          null,
          by,
          until,
          startedAt,
          now,
          null);
    }

    Row done(
        Map<String, Object> newAbout,
        Map<String, Object> newProgress,
        Map<String, Object> with,
        long now) {
      return new Row(
          id,
          kind,
          OperationInfo.State.DONE.label(),
          caller,
          admin,
          arguments,
          newAbout,
          newProgress,
          with,
          null,
          null,
          node,
          0,
          startedAt,
          now,
          now);
    }

    Row failed(
        Map<String, Object> newAbout,
        Map<String, Object> newProgress,
        String code,
        String detail,
        long now) {
      return new Row(
          id,
          kind,
          OperationInfo.State.FAILED.label(),
          caller,
          admin,
          arguments,
          newAbout,
          newProgress,
          null,
          code,
          detail,
          node,
          0,
          startedAt,
          now,
          now);
    }

    OperationInfo info() {
      return new OperationInfo(
          id,
          kind,
          OperationInfo.State.valueOf(state.toUpperCase(java.util.Locale.ROOT)),
          about == null ? Map.of() : about,
          progress == null ? Map.of() : progress,
          result == null ? Map.of() : result,
          Optional.ofNullable(errorCode).map(code -> new OperationInfo.Failure(code, errorDetail)),
          caller,
          java.time.Instant.ofEpochMilli(startedAt),
          java.time.Instant.ofEpochMilli(updatedAt),
          Optional.ofNullable(endedAt).map(java.time.Instant::ofEpochMilli));
    }
  }

  /** A run that was begun. */
  record Run(String id, long epoch) {}

  static String newId(long timestamp, int random) {
    return "op-%016x-%08x".formatted(timestamp, random);
  }

  static boolean isId(String text) {
    return text.matches(ID);
  }

  /** The time in an id, in milliseconds. */
  static long startedAt(String id) {
    return Timestamps.millis(Long.parseUnsignedLong(id.substring(3, 19), 16));
  }

  static Bytes key(String id) {
    return Bytes.utf8("oo" + id);
  }

  static String idOf(Bytes key) {
    return key.slice(2, key.length()).utf8();
  }

  static KeyRange all() {
    return KeyRange.prefix(Bytes.utf8("oo"));
  }

  static Bytes run(String id, long epoch) {
    Bytes prefix = Bytes.utf8("or" + id);
    return new BytesWriter(prefix.length() + EPOCH_BYTES).raw(prefix).i64(epoch).toBytes();
  }

  static KeyRange runs() {
    return KeyRange.prefix(Bytes.utf8("or"));
  }

  static Run runOf(Bytes key) {
    int end = key.length() - EPOCH_BYTES;
    return new Run(key.slice(2, end).utf8(), new BytesReader(key, end).i64());
  }
}
