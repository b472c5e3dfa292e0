package io.nucleusmem.memspace;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Which superseded versions a space keeps. A version goes when any of the limits lets it go; the
 * newest of a key stays.
 *
 * @param maxAge how long a version is kept after it was superseded
 * @param maxVersions versions kept per key, the newest included
 */
public record Retention(Optional<Duration> maxAge, OptionalLong maxVersions) {
  /** The default. */
  public static final Retention KEEP_ALL = new Retention(Optional.empty(), OptionalLong.empty());
}
