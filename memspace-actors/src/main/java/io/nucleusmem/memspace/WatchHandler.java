package io.nucleusmem.memspace;

import java.util.concurrent.CompletionStage;

/** Receives what a watch tells, one event at a time. */
@FunctionalInterface
public interface WatchHandler {
  /**
   * Handles an event; must not block. The next one comes when the returned stage has completed, so
   * a slow handler falls behind without holding memory and goes on from its cursor. A failed stage
   * ends the watch.
   */
  CompletionStage<?> on(WatchEvent event);
}
