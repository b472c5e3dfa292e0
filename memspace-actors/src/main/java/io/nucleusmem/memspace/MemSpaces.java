package io.nucleusmem.memspace;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * The client: makes, lists and mounts spaces. For code inside and outside of actors; no call
 * blocks. Stages fail with {@link MemSpaceException}.
 */
public interface MemSpaces {
  /**
   * Makes a space and a read-write mount of it for the caller ({@link ErrorCode#SPACE_EXISTS} if
   * the name is taken).
   */
  CompletionStage<CreatedSpace> create(Principal caller, CreateSpace request, WriteOptions options);

  /**
   * What a space is. A private space of somebody else does not exist for a caller who is no
   * administrator.
   */
  CompletionStage<SpaceInfo> describe(Principal caller, String space);

  /**
   * The address of the node on which the space's owner lives now, such as {@code
   * akka://nucleusmem@10.0.0.1:25520}; it may move at any time. {@code SPACE_NOT_FOUND} for whoever
   * may not see the space.
   */
  CompletionStage<String> home(Principal caller, String space);

  /**
   * A page of the spaces that the caller may see, by name.
   *
   * @param label {@code name:value}; empty: all
   */
  CompletionStage<Paged<SpaceInfo>> list(
      Principal caller, Optional<String> label, int limit, Optional<String> cursor);

  /**
   * Changes labels, retention or owner. For the owner and administrators. A private space that gets
   * another owner keeps no mounts but those that administrators made: the others are revoked when
   * the stage completes.
   */
  CompletionStage<SpaceInfo> update(Principal caller, String space, UpdateSpace change);

  /** Forks, bookmarks, differences, merges. */
  Forks forks();

  /** What there was at an instant. */
  Cuts cuts();

  /** Ends writing; reads go on. Archiving twice is harmless. */
  CompletionStage<SpaceInfo> archive(Principal caller, String space);

  /** Removes a space, its topics, mounts and history. The name is free again. */
  CompletionStage<Void> delete(Principal caller, String space);

  /**
   * Makes a mount and opens it.
   *
   * @throws MemSpaceException {@link ErrorCode#NOT_OWNER} for a private space whose owner is
   *     neither the holder nor the caller's own principal
   */
  default CompletionStage<MountedSpace> mount(
      Principal caller, String space, MountRequest request) {
    return mount(caller, space, request, WriteOptions.DEFAULT);
  }

  /** The same under a request id: sent again, to whatever node, it makes no second mount. */
  CompletionStage<MountedSpace> mount(
      Principal caller, String space, MountRequest request, WriteOptions options);

  /**
   * Opens a mount that is there, for its holder; {@link ErrorCode#MOUNT_NOT_FOUND}, {@link
   * ErrorCode#MOUNT_REVOKED}, and {@link ErrorCode#SPACE_NOT_FOUND} if its space was deleted.
   */
  CompletionStage<MountedSpace> open(Principal caller, String mountId);

  /**
   * Opens the caller's own mount of a space.
   *
   * @throws MemSpaceException {@link ErrorCode#MOUNT_REQUIRED} unless there is exactly one
   */
  CompletionStage<MountedSpace> openOnly(Principal caller, String space);

  /** What a mount is. */
  CompletionStage<MountInfo> describeMount(Principal caller, String mountId);

  /** Who holds what of a space. Holders see their own, owners and administrators all. */
  CompletionStage<List<MountInfo>> mounts(Principal caller, String space);

  /** Revokes a mount: when the stage completes, nothing can be begun with it on any node. */
  CompletionStage<Void> unmount(Principal caller, String mountId);
}
