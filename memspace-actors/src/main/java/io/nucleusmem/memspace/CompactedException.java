package io.nucleusmem.memspace;

import java.util.Map;

/**
 * A read or cursor lies behind what the space's retention keeps. Never succeeds again; start from
 * {@link #oldest()}.
 */
public final class CompactedException extends MemSpaceException {
  private static final long serialVersionUID = 1L;

  private final long oldest;

  public CompactedException(long asked, long oldest) {
    super(
        ErrorCode.COMPACTED,
        "revision [%d] is compacted; the oldest that can be read is [%d]".formatted(asked, oldest),
        Map.of("oldest_revision", oldest));
    this.oldest = oldest;
  }

  /** The oldest revision that can be read. */
  public long oldest() {
    return oldest;
  }
}
