package io.nucleusmem.memspace;

import java.util.Optional;

/**
 * A comparison of two states: of two spaces, or of one. Where one of two spaces is a fork of the
 * other, the base is the side before, whichever is named first.
 *
 * @param before through this mount; what it does not cover is left out
 * @param after through this mount; may be the same
 * @param region empty: all
 * @param limit items of a page, 1 to 1,000; a page ends earlier when it holds 4 MiB, or when 16,000
 *     keys have been compared
 */
public record DiffRequest(
    MountedSpace before,
    ReadAt beforeAt,
    MountedSpace after,
    ReadAt afterAt,
    Optional<Region> region,
    String prefix,
    int limit,
    Optional<String> cursor) {

  /** Two spaces as they are now. */
  public static DiffRequest of(MountedSpace before, MountedSpace after) {
    return new DiffRequest(
        before, ReadAt.LATEST, after, ReadAt.LATEST, Optional.empty(), "", 100, Optional.empty());
  }

  /** One space at two states. */
  public static DiffRequest of(MountedSpace space, ReadAt from, ReadAt until) {
    return new DiffRequest(space, from, space, until, Optional.empty(), "", 100, Optional.empty());
  }

  /** The page behind another. */
  public DiffRequest after(String pageCursor) {
    return new DiffRequest(
        before, beforeAt, after, afterAt, region, prefix, limit, Optional.of(pageCursor));
  }

  /** The same, in pages of another size. */
  public DiffRequest limit(int other) {
    return new DiffRequest(before, beforeAt, after, afterAt, region, prefix, other, cursor);
  }

  DiffRequest swapped() {
    return new DiffRequest(after, afterAt, before, beforeAt, region, prefix, limit, cursor);
  }
}
