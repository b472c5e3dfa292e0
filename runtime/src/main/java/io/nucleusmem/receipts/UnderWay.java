package io.nucleusmem.receipts;

import io.nucleusmem.receipts.LifeLog.Mark;
import java.time.Duration;
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
  private final Map<String, OfWatch> watches = new HashMap<>();
  private final Map<String, Runnable> listeners = new HashMap<>();
  private final CompletableFuture<Void> none = CompletableFuture.completedFuture(null);
  private int writes;
  private CompletableFuture<Void> written = none; // what waits for them

  private static final class OfWatch {
    final TreeMap<Long, Begun> begun = new TreeMap<>(); // by revision
    long letGo; // what messages up to here begin holds up nothing
  }

  /** What one message has begun: how much of it is not finished, since when (System.nanoTime). */
  private record Begun(int count, long since) {}

  /** Something begins, of the message with this mark. */
  public synchronized void begins(Mark mark) {
    if (mark.watch().isEmpty()) {
      return;
    }
    OfWatch watch = watches.computeIfAbsent(mark.watch(), any -> new OfWatch());
    if (mark.revision() > watch.letGo) {
      watch.begun.merge(
          mark.revision(),
          new Begun(1, System.nanoTime()),
          (before, one) -> new Begun(before.count() + 1, before.since()));
    }
  }

  /** It has ended, one way or the other. */
  public void ends(Mark mark) {
    Runnable listener;
    synchronized (this) {
      OfWatch watch = watches.get(mark.watch());
      if (watch == null) {
        return;
      }
      watch.begun.computeIfPresent(
          mark.revision(),
          (same, all) -> all.count() == 1 ? null : new Begun(all.count() - 1, all.since()));
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
    OfWatch known = watches.get(watch);
    return known == null || known.begun.isEmpty()
        ? handled
        : Math.min(handled, known.begun.firstKey() - 1);
  }

  /** What messages up to here have begun, and will, holds up their watch no more. */
  public synchronized void letGo(String watch, long upTo) {
    OfWatch known = watches.get(watch);
    if (known != null) {
      known.letGo = Math.max(known.letGo, upTo);
      known.begun.headMap(upTo, true).clear();
    }
  }

  /** The same for the messages whose work has gone on for longer than this. */
  public synchronized void letGoOlderThan(String watch, Duration most) {
    OfWatch known = watches.get(watch);
    if (known != null) {
      long now = System.nanoTime();
      while (!known.begun.isEmpty()
          && now - known.begun.firstEntry().getValue().since() > most.toNanos()) {
        letGo(watch, known.begun.firstKey());
      }
    }
  }

  /** Tells when something of a watch has ended; on whichever thread that is. */
  public synchronized void listen(String watch, Runnable listener) {
    listeners.put(watch, listener);
  }
}
