package io.nucleusmem.store.tikv.server;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Requests that have arrived and are not looked at until the test lets them go, however late. A
 * caller that has given up meanwhile changes nothing: the request is then done all the same.
 */
public final class Held implements Fault {
  private final List<Call> waiting = new ArrayList<>();
  private boolean released;
  private int arrived;

  @Override
  public void meet(Call call) {
    synchronized (this) {
      arrived++;
      notifyAll();
      if (!released) {
        waiting.add(call);
        return;
      }
    }
    call.answer();
  }

  /** Whether a request waits to be let go. */
  public synchronized boolean isWaiting() {
    return !waiting.isEmpty();
  }

  /** Returns when that many have arrived, in all. */
  public synchronized void awaitArrivals(int count, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (arrived < count) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        throw new AssertionError(
            "waited %s for %d requests, %d arrived".formatted(limit, count, arrived));
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }

  /** Handles what waits, in the order of arrival, and whatever comes later at once. */
  public void release() {
    List<Call> calls;
    synchronized (this) {
      released = true;
      calls = List.copyOf(waiting);
      waiting.clear();
    }
    calls.forEach(Call::answer);
  }

  /** Forgets what waits, as a network does; its callers never hear of it. */
  public synchronized void drop() {
    waiting.clear();
  }
}
