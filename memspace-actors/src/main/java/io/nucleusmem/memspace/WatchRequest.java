package io.nucleusmem.memspace;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * What to watch in a space.
 *
 * @param region empty: all regions
 * @param prefix of entry names; empty: all
 * @param from first revision wanted; empty: what comes after the call
 * @param values whether values up to {@link #INLINE_BYTES_MAX} are to travel with their signal
 */
public record WatchRequest(
    Optional<Region> region, String prefix, OptionalLong from, boolean values) {
  /** Largest value that travels with a signal. */
  public static final int INLINE_BYTES_MAX = 4_096;

  /** Everything below a prefix in one region that comes after the call. */
  public static WatchRequest of(Region region, String prefix) {
    return new WatchRequest(Optional.of(region), prefix, OptionalLong.empty(), false);
  }

  /** The same, from a revision on. */
  public WatchRequest from(long revision) {
    return new WatchRequest(region, prefix, OptionalLong.of(revision), values);
  }

  /** The same, with small values. */
  public WatchRequest withValues() {
    return new WatchRequest(region, prefix, from, true);
  }
}
