package io.nucleusmem.store;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * An ordered map of bytes with atomic conditional commits, and a clock. All that the actors know of
 * storage.
 *
 * <p>All calls return at once. A stage is completed either before the call returns (a read that
 * memory can answer) or on the callback executor that the engine was opened with, never on a thread
 * that commits. Failures are {@link StoreException}s, whose type says what to do next; a closed
 * store fails every call. Only what is over a limit named here, or breaks a rule of {@link
 * WriteBatch}, fails with {@link IllegalArgumentException}: see {@link StoreChecks}. No call
 * throws.
 *
 * <p>A read shows every commit completed before it began. One call reads at one moment; two calls
 * may not.
 */
public interface KvStore extends AutoCloseable {
  /** Most rows that one scan may ask for. */
  int SCAN_ROWS_MAX = 10_240;

  /** Longest key, in bytes; the shortest has one. */
  int KEY_BYTES_MAX = 4_096;

  /** Largest batch, keys and values together, in bytes: what fits into one Raft entry of TiKV. */
  long BATCH_BYTES_MAX = 7L << 20;

  /** Length of the suffix that {@link #scanFloor} takes for a version. */
  int VERSION_BYTES = 8;

  /** The value of a key, or empty. A stored empty value is not absence. */
  CompletionStage<Optional<Bytes>> get(Bytes key);

  /**
   * The values of those keys that exist, read at one moment. At most {@link #SCAN_ROWS_MAX} keys.
   */
  CompletionStage<Map<Bytes, Bytes>> getAll(Collection<Bytes> keys);

  /**
   * The first rows of a range.
   *
   * @param limit rows at most; 1 to {@link #SCAN_ROWS_MAX}
   */
  CompletionStage<Page> scan(KeyRange range, int limit, Direction direction);

  /**
   * For each distinct prefix in the range, the first row at or behind a version: keys here end in
   * eight bytes, the revision inverted ({@code ~revision}, big endian), so that the newest version
   * comes first.
   *
   * <p>Worked example: rows {@code a|~3 a|~1 b|~2}, floor 2: {@code a|~1, b|~2}; floor 1: {@code
   * a|~1}.
   *
   * <p>An engine seeks past the versions it does not want instead of walking them. No prefix may
   * begin another's: then the versions of each lie together.
   *
   * @param range of whole keys; both ends must lie between prefixes, not among the versions of one
   * @param revision newest version wanted; not negative
   * @param limit prefixes looked at, so that a page's work is bounded; 1 to {@link #SCAN_ROWS_MAX}.
   *     Prefixes without such a version count, and give no row
   */
  CompletionStage<Page> scanFloor(KeyRange range, long revision, int limit, Direction direction);

  /**
   * Writes a batch, all or nothing. Completed means durable (it waited for the disk) and visible to
   * every later read.
   *
   * <p>Fails with {@link RefusedCommitException} (a condition did not hold; the failed {@code
   * insert} is named before a failed {@code require}), {@link UndeterminedCommitException}, {@link
   * TransientStoreException} (nothing was written), or finally.
   */
  CompletionStage<Void> commit(WriteBatch batch);

  /**
   * A timestamp (see {@link Timestamps}) greater than every one handed out before, by any process
   * that uses the store, in whatever life of it.
   */
  CompletionStage<Long> now();

  /** What one commit can cover at full speed. */
  StoreScope scope();

  /** Completes when the store has answered a request of its own kind; fails with the reason. */
  CompletionStage<Void> ping();

  /** How to let go of old versions, where the store keeps them and that is ours to decide. */
  default Optional<GarbageCollection> garbageCollection() {
    return Optional.empty();
  }

  /**
   * Gets what was overwritten or removed in ranges out of the engine's files as well, so that who
   * reads the disk finds nothing of it. Takes as long as writing these ranges anew.
   *
   * @return false where the engine does that in its own time, or has no files
   */
  default CompletionStage<Boolean> reclaim(List<KeyRange> ranges) {
    return CompletableFuture.completedStage(false);
  }

  /**
   * Ends the store: what was accepted is finished, then everything fails. May block; not for an
   * actor's thread.
   */
  @Override
  void close();
}
