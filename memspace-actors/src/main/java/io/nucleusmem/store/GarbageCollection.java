package io.nucleusmem.store;

import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * The garbage collection of a store that keeps what a row was before: somebody has to tell it what
 * nobody will read any more. History that NucleusMem keeps has rows of its own and never needs it.
 */
public interface GarbageCollection {
  /** How often it should be moved on. */
  Duration interval();

  /**
   * How long the safe point has to stand still, if somebody has moved it, before it is taken over.
   */
  Duration observe();

  /**
   * The safe point, a timestamp: versions older than the newest one at it may be gone. 0 where
   * nobody ever moved it.
   */
  CompletionStage<Long> safePoint();

  /**
   * Moves it on, to as long ago as is configured, or to what another service still needs.
   *
   * @return where it is now
   */
  CompletionStage<Long> advance();
}
