package io.nucleusmem.memspace;

import java.util.Optional;

/**
 * A space as it was at an instant.
 *
 * @param info what it was; empty if its log does not reach back to the instant any more. The
 *     revision in it is the newest of then, and 0 where the space was deleted since
 * @param content whether its entries of then can still be read
 * @param oldestRevision the oldest that can be read; 0 unless the content is compacted
 */
public record SpaceAt(String name, Optional<SpaceInfo> info, Content content, long oldestRevision) {

  /** Whether what a space held can still be read. */
  public enum Content {
    /** It can. */
    PRESENT,
    /** The space's retention has let go of it. */
    COMPACTED,
    /** The space has been deleted. */
    SPACE_DELETED
  }
}
