package io.nucleusmem.memspace;

import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.List;

/**
 * The answer to a write that is durable.
 *
 * @param revision of all its operations
 * @param timestamp the store's time of the commit
 * @param results one per operation, in their order
 * @param replayed true if an earlier request with the same id had been applied, and this is its
 *     answer
 */
public record Written(long revision, long timestamp, List<Result> results, boolean replayed) {
  public Written {
    results = List.copyOf(results);
  }

  /**
   * What became of one operation.
   *
   * @param key as written: for an append the key that the space gave
   * @param value the whole new value of an add or a merge; null for others
   */
  public record Result(EntryKey key, Content value) {}

  /** The millisecond of the commit. */
  public Instant at() {
    return Timestamps.instant(timestamp);
  }

  /** The key of the first operation: the only one of a single write. */
  public EntryKey key() {
    return results.get(0).key();
  }

  /** The new value of the first operation, where it was an add or a merge. */
  public Content value() {
    return results.get(0).value();
  }
}
