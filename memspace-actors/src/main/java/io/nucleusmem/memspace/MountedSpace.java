package io.nucleusmem.memspace;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A space as one mount shows it: what the mount does not cover does not exist here. Safe for use by
 * many threads; no call blocks. Stages fail with {@link MemSpaceException}.
 *
 * <p>Writes that find the owner busy, moving or dead are sent again, with the same request id,
 * until the client's deadline ({@code nucleusmem.client.call-timeout}); then they fail with {@link
 * ErrorCode#UNAVAILABLE}.
 */
public interface MountedSpace {
  /** The mount. */
  MountInfo mount();

  /**
   * Newest revision that was written or read here: reads at least this by default give
   * read-your-writes.
   */
  long seen();

  /**
   * Writes a batch: all or nothing, one revision. 1 to 256 operations on different keys, 4 MiB in
   * all.
   */
  CompletionStage<Written> write(List<Operation> operations, WriteOptions options);

  /** Writes one operation. */
  default CompletionStage<Written> write(Operation operation) {
    return write(List.of(operation), WriteOptions.DEFAULT);
  }

  /** Writes a new version. */
  default CompletionStage<Written> put(EntryKey key, Content content) {
    return write(new Operation.Put(key, content));
  }

  /** Writes a new version if the key is at the revision; 0: if it is absent. */
  default CompletionStage<Written> putIfRevision(EntryKey key, Content content, long revision) {
    return write(new Operation.Put(key, content, OptionalLong.of(revision), Operation.ANY, false));
  }

  /** Writes an entry if the key is absent. */
  default CompletionStage<Written> putIfAbsent(EntryKey key, Content content) {
    return putIfRevision(key, content, 0);
  }

  /** Writes an entry whose key the space gives: prefix and revision. */
  default CompletionStage<Written> append(EntryKey prefix, Content content) {
    return write(new Operation.Append(prefix, content));
  }

  /** Deletes an entry. */
  default CompletionStage<Written> delete(EntryKey key) {
    return write(new Operation.Delete(key));
  }

  /**
   * Writes what an entry held at an earlier revision as a new version; where it was absent then, it
   * is deleted. Nothing that is written meanwhile is lost: then it fails with {@link
   * ErrorCode#REVISION_MISMATCH}.
   *
   * @throws MemSpaceException {@link ErrorCode#ENTRY_NOT_FOUND} if it was absent then and is now,
   *     and what a read as of that revision is refused with
   */
  default CompletionStage<Written> revert(EntryKey key, long to) {
    return revert(key, to, WriteOptions.DEFAULT);
  }

  /**
   * The same under a request id: sent again, it gives the first answer, whatever was written since.
   */
  default CompletionStage<Written> revert(EntryKey key, long to, WriteOptions options) {
    return reverting(key, to).thenCompose(operation -> write(List.of(operation), options));
  }

  /** The write that a revert amounts to now. */
  default CompletionStage<Operation> reverting(EntryKey key, long to) {
    return get(key, ReadAt.revision(to))
        .thenCombine(
            history(key, 1, Optional.empty()), // also of what can't be read any more
            (then, newest) -> {
              long now =
                  newest.items().stream()
                      .filter(entry -> !entry.deleted())
                      .mapToLong(Entry::revision)
                      .findFirst()
                      .orElse(0);
              return then.isPresent()
                  ? new Operation.Put(
                      key, then.get().content(), OptionalLong.of(now), Operation.ANY, false)
                  : new Operation.Delete(key, OptionalLong.of(now), Operation.ANY);
            });
  }

  /** Adds to a number. */
  default CompletionStage<Written> add(EntryKey key, long amount) {
    return write(new Operation.Add(key, amount));
  }

  /** Applies a JSON merge patch. */
  default CompletionStage<Written> merge(EntryKey key, String patch) {
    return write(new Operation.Merge(key, patch));
  }

  /** The entry at a key; empty if absent, deleted or not covered. */
  CompletionStage<Optional<Entry>> get(EntryKey key, ReadAt at);

  /** The newest entry at a key. */
  default CompletionStage<Optional<Entry>> get(EntryKey key) {
    return get(key, ReadAt.LATEST);
  }

  /** Exactly the version that a signal names, a deletion included; empty if there is none. */
  CompletionStage<Optional<Entry>> pull(EntryKey key, long revision);

  /** A page of entries. */
  CompletionStage<Paged<Entry>> scan(ScanRequest request);

  /** A page of a key's versions, newest first, deletions among them. */
  CompletionStage<Paged<Entry>> history(EntryKey key, int limit, Optional<String> cursor);

  /**
   * Claims entries below a prefix, oldest first by the revision of their current version.
   *
   * @param worker who claims, for people to read
   * @param lease how long the claim holds; 1 ms to 1 h
   * @param max 1 to 100
   * @return none where there is nothing to claim
   */
  CompletionStage<List<Claim>> claim(EntryKey prefix, String worker, Duration lease, int max);

  /**
   * The same under a request id: sent again it gives the same claims, as they were, and takes no
   * others; where there was nothing to claim, it looks again.
   */
  default CompletionStage<List<Claim>> claim(
      EntryKey prefix, String worker, Duration lease, int max, WriteOptions options) {
    return options.requestId().isEmpty()
        ? claim(prefix, worker, lease, max)
        : CompletableFuture.failedStage(
            new UnsupportedOperationException("claims under a request id are made on the space"));
  }

  /** Prolongs a claim from now; {@link ErrorCode#CLAIM_LOST} if it is not held any more. */
  CompletionStage<Claim> renew(EntryKey key, long token, Duration lease);

  /** Gives a claim back. */
  CompletionStage<Void> release(EntryKey key, long token);

  /**
   * Watches entries. The stage completes when the watch is active: what is written after that is
   * signalled.
   */
  CompletionStage<Watch> watch(WatchRequest request, WatchHandler handler);

  /** A topic of the space; made by its first message. */
  MountedTopic topic(String name);

  /** Makes a topic; harmless if it is there. */
  CompletionStage<TopicInfo> createTopic(String name);

  /** A page of the topics that the mount covers. */
  CompletionStage<Paged<TopicInfo>> topics(int limit, Optional<String> cursor);
}
