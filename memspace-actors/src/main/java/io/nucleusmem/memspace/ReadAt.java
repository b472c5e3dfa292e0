package io.nucleusmem.memspace;

import java.time.Duration;
import java.time.Instant;

/** Which state a read shows. */
public sealed interface ReadAt {
  /** Linearizable: every write acknowledged before the read began is in it. */
  record Latest() implements ReadAt {}

  /** At least the state of a revision: read-your-writes, and never back. */
  record AtLeast(long revision) implements ReadAt {}

  /** Served from the node if what it has is no older than this. */
  record Bounded(Duration age) implements ReadAt {}

  /** The state as it was at a revision; the same answer for ever. */
  record AtRevision(long revision) implements ReadAt {}

  /**
   * The state as it was at the end of a millisecond, consistent over all spaces; the same answer
   * for ever.
   */
  record AtInstant(Instant instant) implements ReadAt {}

  /** The state that a bookmark names; the same answer until the bookmark is moved. */
  record AtBookmark(String name) implements ReadAt {}

  /** The newest state. */
  ReadAt LATEST = new Latest();

  /** The state at a revision. */
  static ReadAt revision(long revision) {
    return new AtRevision(revision);
  }

  /** The state that a bookmark names. */
  static ReadAt bookmark(String name) {
    return new AtBookmark(name);
  }

  /** The state at an instant. */
  static ReadAt instant(Instant instant) {
    return new AtInstant(instant);
  }
}
