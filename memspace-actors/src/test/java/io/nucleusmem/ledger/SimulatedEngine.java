package io.nucleusmem.ledger;

import io.nucleusmem.store.KvStore;
import java.util.List;

/**
 * The store of a simulation: its calls end before they return, or when the simulation lets them.
 */
interface SimulatedEngine extends AutoCloseable {
  /** A commit, or the answer to one, that is under way. */
  interface Held {
    /** Lets it arrive. */
    void release();

    /** Loses it. */
    void drop();
  }

  /** The store as it is now. */
  KvStore store();

  /** The store's time, in milliseconds. */
  long millis();

  /** What is under way, oldest first. */
  List<Held> held();

  /** Batches that were sent under the timestamp of another; a right writer leaves none. */
  List<IllegalStateException> violations();

  /**
   * All processes die; {@link #store} is another one then.
   *
   * @param landed how many of the commits under way arrive all the same, where the store dies too
   */
  void crash(int landed);

  @Override
  void close();
}
