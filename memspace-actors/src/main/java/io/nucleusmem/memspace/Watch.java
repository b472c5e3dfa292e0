package io.nucleusmem.memspace;

/** A running watch. */
public interface Watch extends AutoCloseable {
  /**
   * The last revision that the handler has finished with. A new watch from {@code cursor() + 1}
   * goes on without a gap.
   */
  long cursor();

  /** Whether the watcher keeps up. */
  State state();

  /** Ends the watch; an event under way is finished, none comes after it. */
  @Override
  void close();

  /** Where a watcher reads from. */
  enum State {
    /** Reads the log from its cursor. */
    CATCHING_UP,
    /** Served from memory as commits happen. */
    SYNCED,
    /** Slower than the writer. */
    BEHIND,
    /** Closed, compacted or ended. */
    ENDED
  }
}
