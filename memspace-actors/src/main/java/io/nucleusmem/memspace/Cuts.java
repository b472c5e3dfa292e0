package io.nucleusmem.memspace;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What there was at one instant, over all spaces: the same answer for ever (as far as retention
 * reaches) and from every node. An instant includes all of its millisecond; one in the future is
 * refused ({@link ErrorCode#AS_OF_IN_FUTURE}). Spaces that were deleted since are among it: what
 * they were stays known, their content does not. One whose log does not reach back to the instant
 * says so for itself and hides no other. Who may see what is decided by what holds now. No call
 * blocks.
 */
public interface Cuts {
  /** A page of the spaces that were there, by name. */
  CompletionStage<Paged<SpaceAt>> spaces(
      Principal caller, Instant at, int limit, Optional<String> cursor);

  /** A page of the mounts that held, by space and id. */
  CompletionStage<Paged<MountAt>> mounts(
      Principal caller, Instant at, int limit, Optional<String> cursor);

  /** The space that had a name then; empty if none had that the caller may see. */
  CompletionStage<Optional<SpaceAt>> space(Principal caller, String name, Instant at);

  /**
   * Those of some mounts that held then; for the node's own parts, which have asked whether the
   * caller may know.
   */
  CompletionStage<List<MountInfo>> held(Collection<String> mountIds, Instant at);
}
