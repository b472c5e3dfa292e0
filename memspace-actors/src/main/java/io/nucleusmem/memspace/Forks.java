package io.nucleusmem.memspace;

import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Spaces that begin as another one was, and what goes with them. No call blocks. Stages fail with
 * {@link MemSpaceException}.
 */
public interface Forks {
  /**
   * Makes a fork, and a read-write mount of it for the caller, in a time that does not depend on
   * what is forked: reads fall through to the base, writes stay in the fork. Its revisions follow
   * the base's, so that a key and a revision name one version in both; topics likewise. Mounts,
   * claims, subscriptions and labels are not inherited.
   *
   * <p>The caller must hold a mount of the base that is not limited to a part of it. While the fork
   * lives, the base can't be deleted ({@link ErrorCode#SPACE_PINNED}) nor compacted beyond the
   * fork's revision.
   */
  CompletionStage<CreatedSpace> fork(Principal caller, ForkRequest request, WriteOptions options);

  /**
   * Sets a bookmark, or moves it: usable wherever a past state is named. Through a read-write
   * mount.
   */
  CompletionStage<Bookmark> bookmark(
      MountedSpace space, String name, ReadAt at, WriteOptions options);

  /** As the other, under a request id of the client's. */
  default CompletionStage<Bookmark> bookmark(MountedSpace space, String name, ReadAt at) {
    return bookmark(space, name, at, WriteOptions.DEFAULT);
  }

  /** A bookmark; {@link ErrorCode#BOOKMARK_NOT_FOUND}. */
  CompletionStage<Bookmark> bookmark(MountedSpace space, String name);

  /** A page of a space's bookmarks, by name. */
  CompletionStage<Paged<Bookmark>> bookmarks(
      MountedSpace space, int limit, Optional<String> cursor);

  /** Removes a bookmark; {@link ErrorCode#BOOKMARK_NOT_FOUND}. */
  CompletionStage<Void> removeBookmark(MountedSpace space, String name, WriteOptions options);

  /** As the other, under a request id of the client's. */
  default CompletionStage<Void> removeBookmark(MountedSpace space, String name) {
    return removeBookmark(space, name, WriteOptions.DEFAULT);
  }

  /** A page of what is not the same in two states, by region and key. */
  CompletionStage<Diff> diff(DiffRequest request);

  /**
   * Merges a fork into its base. What fits one commit is merged at once; more is merged in parts
   * and not atomic, and merging again goes on where that was cut short.
   *
   * @return fails with {@link ErrorCode#MERGE_CONFLICT}, and then (unless it says otherwise)
   *     nothing was merged
   */
  CompletionStage<Merged> merge(MergeRequest request);
}
