package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchEvent;
import io.nucleusmem.memspace.WatchHandler;
import io.nucleusmem.memspace.WatchRequest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The watches that a behavior opens by itself in a rerun: each gets what it had got. */
final class SandboxWatches {
  private final String space;
  private final Tape tape;
  private final VersionSource versions;
  private final Map<LifeLog.OwnWatch, Open> open = new HashMap<>(); // guarded by this
  private final Map<Long, Long> numbers = new HashMap<>(); // by request; guarded by this

  SandboxWatches(String space, Tape tape, VersionSource versions) {
    this.space = space;
    this.tape = tape;
    this.versions = versions;
  }

  private static final class Open implements Watch {
    private final boolean values;
    private final WatchHandler handler;
    private volatile long cursor;
    private volatile boolean closed;

    Open(boolean values, WatchHandler handler) {
      this.values = values;
      this.handler = handler;
    }

    @Override
    public long cursor() {
      return cursor;
    }

    @Override
    public State state() {
      return closed ? State.ENDED : State.SYNCED;
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  synchronized Watch open(long request, boolean values, WatchHandler handler) {
    Open watch = new Open(values, handler);
    open.put(new LifeLog.OwnWatch(request, numbers.merge(request, 1L, Long::sum)), watch);
    return watch;
  }

  CompletionStage<Void> deliver(Tape.Raw watched) {
    if (watched.request() == 0) {
      tape.notPlayed(
          "what its own watch brought of space [%s]: an older version has not recorded which one"
              .formatted(space));
      return CompletableFuture.completedStage(null);
    }
    Open watch;
    synchronized (this) {
      watch = open.get(new LifeLog.OwnWatch(watched.request(), watched.number()));
    }
    if (watch == null || watch.closed) {
      tape.diverged("it does not watch space [%s] by itself, as it had".formatted(space));
      return CompletableFuture.completedStage(null);
    }
    CompletionStage<List<Signal>> signals = CompletableFuture.completedStage(new ArrayList<>());
    for (SeenVersion version : watched.versions()) {
      signals =
          signals.thenCombine(
              signal(watched.mount(), version, watch.values),
              (all, one) -> {
                all.add(one);
                return all;
              });
    }
    return signals.thenCompose(all -> deliver(watched, watch, all));
  }

  private CompletionStage<Void> deliver(Tape.Raw watched, Open watch, List<Signal> signals) {
    long last = signals.get(signals.size() - 1).revision();
    try {
      return tape.during(
              watched.seq(), () -> watch.handler.on(new WatchEvent.Signals(signals, last)))
          .thenAccept(done -> watch.cursor = last);
    } catch (Exception failure) {
      tape.diverged("the handler of its own watch failed: " + failure);
      return CompletableFuture.completedStage(null);
    }
  }

  private CompletionStage<Signal> signal(String mount, SeenVersion version, boolean values) {
    return version.topic()
        ? VersionSource.required(space, version, versions.message(mount, version))
            .thenApply(found -> of(found, values))
        : VersionSource.required(space, version, versions.entry(mount, version))
            .thenApply(found -> of(found, values));
  }

  private static Signal of(Entry entry, boolean values) {
    return RerunSource.signal(entry, values);
  }

  private static Signal of(Message message, boolean values) {
    boolean inline = values && message.content().value().length() <= WatchRequest.INLINE_BYTES_MAX;
    return new Signal(
        new EntryKey(Region.COMM, "%020d".formatted(message.revision())),
        message.revision(),
        message.timestamp(),
        message.sender(),
        false,
        message.to(),
        inline ? Optional.of(message.content()) : Optional.empty());
  }
}
