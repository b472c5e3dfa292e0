package io.nucleusmem.store;

import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The limits of {@link KvStore} on what it is given, the same for every engine. Each check fails
 * with {@link IllegalArgumentException}: a bug of the caller.
 */
public final class StoreChecks {
  private static final int FEW_OPS = 8; // up to here comparing each with each beats a hash set

  private StoreChecks() {}

  /** A key has 1 to {@link KvStore#KEY_BYTES_MAX} bytes. */
  public static void key(Bytes key) {
    if (key.isEmpty() || key.length() > KvStore.KEY_BYTES_MAX) {
      throw new IllegalArgumentException(
          "key has [%d] bytes; it must have 1 to %d"
              .formatted(key.length(), KvStore.KEY_BYTES_MAX));
    }
  }

  /** At most {@link KvStore#SCAN_ROWS_MAX} keys. */
  public static void keys(Collection<Bytes> keys) {
    if (keys.size() > KvStore.SCAN_ROWS_MAX) {
      throw new IllegalArgumentException(
          "[%d] keys are asked for; at most %d may be"
              .formatted(keys.size(), KvStore.SCAN_ROWS_MAX));
    }
    keys.forEach(StoreChecks::key);
  }

  /** An end of a range may be a key with a byte more, the smallest key behind it. */
  public static void scan(KeyRange range, int limit) {
    if (limit < 1 || limit > KvStore.SCAN_ROWS_MAX) {
      throw new IllegalArgumentException(
          "limit is [%d]; it must be 1 to %d".formatted(limit, KvStore.SCAN_ROWS_MAX));
    }
    int longest = Math.max(range.from().length(), range.to().length());
    if (longest > KvStore.KEY_BYTES_MAX + 1) {
      throw new IllegalArgumentException(
          "an end of the range has [%d] bytes; at most %d fit"
              .formatted(longest, KvStore.KEY_BYTES_MAX + 1));
    }
  }

  /** As {@link #scan}; revisions are not negative. */
  public static void scanFloor(KeyRange range, long revision, int limit) {
    scan(range, limit);
    if (revision < 0) {
      throw new IllegalArgumentException(
          "revision is [%d]; it must not be negative".formatted(revision));
    }
  }

  /** Size of the batch and its keys, and that none appears twice. */
  public static void batch(WriteBatch batch) {
    if (batch.bytes() > KvStore.BATCH_BYTES_MAX) {
      throw new IllegalArgumentException(
          "batch has [%d] bytes; at most %d fit, split it"
              .formatted(batch.bytes(), KvStore.BATCH_BYTES_MAX));
    }
    List<WriteBatch.Op> ops = batch.ops();
    Set<Bytes> seen = ops.size() > FEW_OPS ? new HashSet<>(ops.size() * 2) : null;
    for (int i = 0; i < ops.size(); i++) {
      Bytes key = ops.get(i).key();
      key(key);
      if (seen == null ? isAmong(ops, i, key) : !seen.add(key)) {
        throw new IllegalArgumentException(
            "key [%s] appears twice in a batch; it may once".formatted(key));
      }
    }
  }

  private static boolean isAmong(List<WriteBatch.Op> ops, int before, Bytes key) {
    for (int i = 0; i < before; i++) {
      if (ops.get(i).key().equals(key)) {
        return true;
      }
    }
    return false;
  }
}
