package io.nucleusmem.routing.router;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** The newest view of the routes on this node, and who waits for one. */
final class LiveView implements Consumer<LiveRoutes> {
  private record Waiter(long revision, CompletableFuture<LiveRoutes> view) {}

  private final List<Consumer<LiveRoutes>> listeners = new CopyOnWriteArrayList<>();
  private final AtomicLong written = new AtomicLong(); // newest revision acknowledged here
  private final List<Waiter> waiters = new ArrayList<>(); // guarded by itself, with current
  private LiveRoutes current = LiveRoutes.NONE;

  /** Tells of each new view. */
  void listen(Consumer<LiveRoutes> listener) {
    listeners.add(listener);
  }

  /** A write of this node: who routes here from now on sees it. */
  void written(long revision) {
    written.accumulateAndGet(revision, Math::max);
  }

  @Override
  public void accept(LiveRoutes view) {
    List<Waiter> done;
    synchronized (waiters) {
      current = view;
      done = waiters.stream().filter(each -> each.revision() <= view.revision()).toList();
      waiters.removeAll(done);
    }
    done.forEach(each -> each.view().complete(view));
    listeners.forEach(each -> each.accept(view));
  }

  LiveRoutes current() {
    synchronized (waiters) {
      return current;
    }
  }

  /** A view that shows all writes of this node; after the time-out the newest one there is. */
  CompletionStage<LiveRoutes> fresh(Duration timeout) {
    // a space has a revision 1 from its mount on: 0 has not been read yet
    long wanted = Math.max(1, written.get());
    Waiter waiter = new Waiter(wanted, new CompletableFuture<>());
    synchronized (waiters) {
      if (current.revision() >= wanted) {
        return CompletableFuture.completedStage(current);
      }
      waiters.add(waiter);
    }
    return waiter
        .view()
        .completeOnTimeout(LiveRoutes.NONE, timeout.toMillis(), TimeUnit.MILLISECONDS)
        .thenApply(
            view -> {
              if (view != LiveRoutes.NONE) {
                return view;
              }
              synchronized (waiters) {
                waiters.remove(waiter);
                return current;
              }
            });
  }
}
