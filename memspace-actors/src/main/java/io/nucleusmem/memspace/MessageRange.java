package io.nucleusmem.memspace;

import io.nucleusmem.store.Direction;
import java.time.Instant;
import java.util.Optional;

/**
 * Which messages of a topic to fetch. Bounds are revisions or instants, both ends included.
 *
 * @param from empty: from the oldest
 * @param until empty: to the newest
 * @param limit 1 to 1,000
 * @param cursor from the page before
 */
public record MessageRange(
    Optional<Bound> from,
    Optional<Bound> until,
    Direction direction,
    boolean values,
    int limit,
    Optional<String> cursor) {

  /** A place in a topic. */
  public sealed interface Bound {
    /** A revision. */
    record Revision(long revision) implements Bound {}

    /** An instant; a millisecond includes all of itself. */
    record Time(Instant instant) implements Bound {}
  }

  /** The first 100 messages. */
  public static MessageRange all() {
    return new MessageRange(
        Optional.empty(), Optional.empty(), Direction.ASCENDING, true, 100, Optional.empty());
  }
}
