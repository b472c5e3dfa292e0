package io.nucleusmem.memspace;

import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What there was at one instant, over all spaces: the same answer for ever and from every node. An
 * instant includes all of its millisecond. One in the future is refused ({@link
 * ErrorCode#AS_OF_IN_FUTURE}), one that a space's log does not reach back to is {@link
 * ErrorCode#COMPACTED}. A space that was deleted since is in no cut. Who may see what is decided by
 * what holds now. No call blocks.
 */
public interface Cuts {
  /** A page of the spaces that were there, by name, with their properties and newest revisions. */
  CompletionStage<Paged<SpaceInfo>> spaces(
      Principal caller, Instant at, int limit, Optional<String> cursor);

  /** A page of the mounts that held, by space and id. */
  CompletionStage<Paged<MountInfo>> mounts(
      Principal caller, Instant at, int limit, Optional<String> cursor);
}
