package io.nucleusmem.receipts;

import io.nucleusmem.receipts.LifeLog.Mark;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What a life has begun while it handled its messages and has not finished: writes without an
 * answer, and results that its behavior waits for. A message is done when nothing of it is under
 * way: were its watch's cursor to move before, a crash would lose what was to come of it.
 */
public final class UnderWay {
  private final Map<String, TreeMap<Long, Integer>> begun =
      new HashMap<>(); // by watch and revision
  private final Map<String, Runnable> listeners = new HashMap<>();
  private final CompletableFuture<Void> none = CompletableFuture.completedFuture(null);
  private int writes;
  private CompletableFuture<Void> written = none; // what waits for them

  /** Something begins, of the message with this mark. */
  public synchronized void begins(Mark mark) {
    if (!mark.watch().isEmpty()) {
      begun
          .computeIfAbsent(mark.watch(), any -> new TreeMap<>())
          .merge(mark.revision(), 1, Integer::sum);
    }
  }

  /** It has ended, one way or the other. */
  public void ends(Mark mark) {
    Runnable listener;
    synchronized (this) {
      TreeMap<Long, Integer> ofWatch = begun.get(mark.watch());
      if (ofWatch == null) {
        return;
      }
      ofWatch.computeIfPresent(mark.revision(), (same, count) -> count == 1 ? null : count - 1);
      listener = listeners.get(mark.watch());
    }
    if (listener != null) {
      listener.run();
    }
  }

  /** A write leaves. */
  public void write(Mark mark, CompletionStage<?> left) {
    synchronized (this) {
      writes++;
    }
    begins(mark);
    left.whenComplete(
        (done, failure) -> {
          ends(mark);
          CompletableFuture<Void> all = none;
          synchronized (this) {
            if (--writes == 0) {
              all = written;
              written = none;
            }
          }
          all.complete(null);
        });
  }

  /** Completes when no write is under way. */
  public synchronized CompletionStage<Void> written() {
    if (writes > 0 && written == none) {
      written = new CompletableFuture<>();
    }
    return written;
  }

  /** Up to where the messages of a watch are done, of those up to {@code handled}. */
  public synchronized long doneUpTo(String watch, long handled) {
    TreeMap<Long, Integer> ofWatch = begun.get(watch);
    return ofWatch == null || ofWatch.isEmpty()
        ? handled
        : Math.min(handled, ofWatch.firstKey() - 1);
  }

  /** What messages up to here have begun holds up their watch no more. */
  public synchronized void letGo(String watch, long upTo) {
    TreeMap<Long, Integer> ofWatch = begun.get(watch);
    if (ofWatch != null) {
      ofWatch.headMap(upTo, true).clear();
    }
  }

  /** Tells when something of a watch has ended; on whichever thread that is. */
  public synchronized void listen(String watch, Runnable listener) {
    listeners.put(watch, listener);
  }
}
