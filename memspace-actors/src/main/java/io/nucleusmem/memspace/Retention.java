package io.nucleusmem.memspace;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Which superseded versions a space keeps. A version goes when any of the limits lets it go; the
 * newest of a key stays. Each topic keeps its messages by the same limits: a message is superseded
 * when it is published, and {@code maxVersions} counts the topic's messages.
 *
 * <p>What goes raises the space's floor: reads as of an earlier revision fail as compacted then,
 * for all keys. So a limit in versions on a space with one key that changes all the time leaves
 * little of the past of the others.
 *
 * @param maxAge how long a version is kept after it was superseded
 * @param maxVersions versions kept per key, the newest included
 * @param maxBytes bytes of all versions together; the oldest that were superseded go first
 */
public record Retention(
    Optional<Duration> maxAge, OptionalLong maxVersions, OptionalLong maxBytes) {
  /** The default. */
  public static final Retention KEEP_ALL = new Retention(Optional.empty(), OptionalLong.empty());

  /** Limits without one in bytes. */
  public Retention(Optional<Duration> maxAge, OptionalLong maxVersions) {
    this(maxAge, maxVersions, OptionalLong.empty());
  }

  /** True if nothing ever goes. */
  public boolean keepsAll() {
    return maxAge.isEmpty() && maxVersions.isEmpty() && maxBytes.isEmpty();
  }
}
