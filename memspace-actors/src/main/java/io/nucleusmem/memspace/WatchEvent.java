package io.nucleusmem.memspace;

import java.util.List;

/** What a watcher is told, in the order of revisions. */
public sealed interface WatchEvent {
  /**
   * Changes, whole atomic batches each, oldest first. Behind them the watcher's cursor is {@code
   * upTo}.
   */
  record Signals(List<Signal> signals, long upTo) implements WatchEvent {
    public Signals {
      signals = List.copyOf(signals);
    }
  }

  /** Nothing that concerns the watcher happened up to here. */
  record Progress(long upTo) implements WatchEvent {}

  /** What the cursor asks for is gone; the watch has ended. Start again from {@code oldest}. */
  record Compacted(long oldest) implements WatchEvent {}

  /**
   * The watch has ended and will not go on by itself: mount revoked, space deleted, node stopping.
   */
  record Ended(MemSpaceException reason) implements WatchEvent {}
}
