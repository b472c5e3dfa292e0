package io.nucleusmem.memspace;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Keeps what a watch tells; says when it has told enough. */
final class WatchRecorder implements WatchHandler {
  private static final long DEADLINE_SECONDS = 120;

  private final LinkedBlockingQueue<WatchEvent> events = new LinkedBlockingQueue<>();
  private final List<Signal> signals = new ArrayList<>();
  private final List<List<Signal>> batches = new ArrayList<>();
  private volatile CompletionStage<?> next = CompletableFuture.completedFuture(null);

  @Override
  public CompletionStage<?> on(WatchEvent event) {
    CompletionStage<?> handled = next; // before the test hears of the event, and sets another
    events.add(event);
    return handled;
  }

  /** From here on an event is handled when this has completed. */
  void handleUntil(CompletionStage<?> done) {
    next = done;
  }

  /** All signals, oldest first, once there are so many. */
  List<Signal> signals(int count) {
    while (signals.size() < count) {
      take();
    }
    return List.copyOf(signals);
  }

  /** All signals up to the one of a revision. */
  List<Signal> signalsUpTo(long revision) {
    while (signals.isEmpty() || signals.get(signals.size() - 1).revision() < revision) {
      take();
    }
    return List.copyOf(signals);
  }

  /** The signals of each event that was taken. */
  List<List<Signal>> batches() {
    return batches;
  }

  /** The event that ends the watch; what comes before it is kept. */
  WatchEvent end() {
    while (true) {
      WatchEvent event = take();
      if (event instanceof WatchEvent.Ended || event instanceof WatchEvent.Compacted) {
        return event;
      }
    }
  }

  private WatchEvent take() {
    try {
      WatchEvent event = events.poll(DEADLINE_SECONDS, TimeUnit.SECONDS);
      if (event == null) {
        throw new AssertionError("nothing more came behind " + signals);
      }
      if (event instanceof WatchEvent.Signals some) {
        signals.addAll(some.signals());
        batches.add(some.signals());
      }
      return event;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
