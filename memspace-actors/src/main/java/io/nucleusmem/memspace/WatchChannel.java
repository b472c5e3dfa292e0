package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.LogRecord;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.Version;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * All watches of one ledger on one node: one subscription with the owner, whatever the number of
 * watchers.
 *
 * <p>It keeps the newest commits in a ring. A watcher is a cursor: it is fed from the ring while
 * the ring reaches back to it (<em>synced</em>), else from the log (<em>catching up</em>, or
 * <em>behind</em> if it was synced before), so a slow one holds no memory. Every commit says which
 * range it covers: what comes again is dropped, what is missing makes the ring begin anew, and the
 * log fills the gap. The subscription is asked for again every second, which finds an owner that
 * has moved.
 */
final class WatchChannel extends AbstractBehavior<WatchChannel.Message> {
  private static final Duration HEARTBEAT = Duration.ofSeconds(1);
  private static final int SIGNALS_MAX = 1_024; // of one event; a revision is never cut
  private static final int CATCH_UP_ROWS = 64;
  private static final int IDLE_BEATS_MAX = 30;

  sealed interface Message {}

  /** A watch begins; from empty: with what comes. */
  record Open(Watcher watcher, OptionalLong from, Promise<Watch> reply) implements Message {}

  /** A commit of the owner. */
  record Committed(long after, LogRow row) implements Message {}

  /** Something was erased: what the ring holds of it must go. */
  record Forget() implements Message {}

  /** The owner may have moved. */
  record AttachAgain() implements Message {}

  private record Attached(long revision, Throwable failure) implements Message {}

  private record Handled(Watcher watcher, long upTo, Throwable failure) implements Message {}

  private record Caught(Watcher watcher, LedgerReader.LogPage page, long floor, Throwable failure)
      implements Message {}

  private record Renewed(Watcher watcher, Throwable failure) implements Message {}

  private record Closed(Watcher watcher) implements Message {}

  private record Beat() implements Message {}

  /** What the owner tells this channel through. */
  record Listener(ActorRef<Message> channel) implements CommitListener {
    @Override
    public void committed(long after, LogRow row) {
      channel.tell(new Committed(after, row));
    }
  }

  /** A row of the ring and what it signals, made once for all watchers. */
  private static final class Kept {
    final LogRow row;
    final long bytes;
    List<SignalOf> signals;

    Kept(LogRow row) {
      this.row = row;
      long sum = 0;
      for (LogRecord record : row.records()) {
        sum += 128;
        for (Change change : record.changes()) {
          sum +=
              change instanceof Change.OfEntry entry && entry.body() != null
                  ? entry.body().length() + 128
                  : 128;
        }
      }
      this.bytes = sum;
    }

    List<SignalOf> signals() {
      if (signals == null) {
        signals = signalsOf(row);
      }
      return signals;
    }
  }

  private record SignalOf(Change.OfEntry change, Signal plain, Signal full) {}

  private final WatchSource source;
  private final MemSpaceSettings settings;
  private final VersionCache cache;
  private final Supplier<Feeding> feeding;
  private final Runnable onIdle;
  private final Listener listener;
  private final List<Watcher> watchers = new ArrayList<>();
  private final List<Open> opening = new ArrayList<>();
  private final ArrayDeque<Kept> ring = new ArrayDeque<>();
  private long ringBytes;
  private long ringAfter; // the ring holds everything behind this revision, up to position
  private long position = -1; // newest revision known; -1 until attached
  private long beats;
  private int idleBeats;

  static Behavior<Message> create(
      WatchSource source,
      MemSpaceSettings settings,
      VersionCache cache,
      Supplier<Feeding> feeding,
      Runnable onIdle) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new WatchChannel(context, timers, source, settings, cache, feeding, onIdle)));
  }

  private WatchChannel(
      ActorContext<Message> context,
      TimerScheduler<Message> timers,
      WatchSource source,
      MemSpaceSettings settings,
      VersionCache cache,
      Supplier<Feeding> feeding,
      Runnable onIdle) {
    super(context);
    this.source = source;
    this.feeding = feeding;
    this.settings = settings;
    this.cache = cache;
    this.onIdle = onIdle;
    this.listener = new Listener(context.getSelf());
    timers.startTimerWithFixedDelay(new Beat(), HEARTBEAT);
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Committed.class, this::onCommitted)
        .onMessage(Handled.class, this::onHandled)
        .onMessage(Caught.class, this::onCaught)
        .onMessage(Open.class, this::onOpen)
        .onMessage(Attached.class, this::onAttached)
        .onMessage(Renewed.class, this::onRenewed)
        .onMessage(Closed.class, this::onClosed)
        .onMessage(Beat.class, this::onBeat)
        .onMessage(AttachAgain.class, this::onAttachAgain)
        .onMessage(Forget.class, this::onForget)
        .onSignal(PostStop.class, this::onPostStop)
        .build();
  }

  // ---- the subscription with the owner ----

  private Behavior<Message> onOpen(Open open) {
    opening.add(open);
    attach();
    return this;
  }

  private void attach() {
    Promise<Long> promise = new Promise<>();
    getContext()
        .pipeToSelf(
            promise.future(),
            (revision, failure) -> new Attached(revision == null ? -1 : revision, failure));
    source.attach(listener, promise);
  }

  private Behavior<Message> onAttached(Attached attached) {
    if (attached.failure() != null) {
      MemSpaceException why = Calls.explain(attached.failure());
      if (!why.code().retryable()) {
        opening.forEach(open -> open.reply().fail(why));
        opening.clear();
        List.copyOf(watchers).forEach(watcher -> end(watcher, new WatchEvent.Ended(why)));
      }
      return this; // else the next beat asks again, and callers' time-outs are theirs
    }
    if (attached.revision() > position) {
      restartRing(attached.revision());
    }
    for (Open open : opening) {
      Watcher watcher = open.watcher();
      watcher.startAt(open.from().isPresent() ? open.from().getAsLong() - 1 : attached.revision());
      watcher.onClose(() -> getContext().getSelf().tell(new Closed(watcher)));
      if (open.reply().succeed(watcher)) { // else its caller asks again, and would hear all twice
        watchers.add(watcher);
      }
    }
    opening.clear();
    watchers.forEach(this::feed);
    return this;
  }

  private Behavior<Message> onForget(Forget message) {
    if (position >= 0) {
      restartRing(position);
    }
    return this;
  }

  private void restartRing(long revision) {
    ring.clear();
    ringBytes = 0;
    ringAfter = revision;
    position = revision;
  }

  private Behavior<Message> onCommitted(Committed message) {
    LogRow row = message.row();
    if (row.last() <= position) {
      return this;
    }
    if (message.after() > position) {
      restartRing(message.after()); // something was lost; the log has it
    }
    Kept kept = new Kept(row);
    ring.add(kept);
    ringBytes += kept.bytes;
    position = row.last();
    while (ringBytes > settings.watchRingBytes() && ring.size() > 1) {
      Kept oldest = ring.poll();
      ringBytes -= oldest.bytes;
      ringAfter = oldest.row.last();
    }
    cache.committed(source.id(), row);
    feedAll();
    removeEnded();
    return this;
  }

  // ---- feeding a watcher ----

  private void feedAll() {
    Feeding round = watchers.size() > 1 ? feeding.get() : Feeding.NONE;
    round.begins();
    try {
      for (int i = 0; i < watchers.size(); i++) {
        feed(watchers.get(i));
      }
    } finally {
      round.ends();
    }
  }

  private void feed(Watcher watcher) {
    while (!watcher.isBusy() && !watcher.isClosed() && watcher.cursor() < position) {
      if (!mayDeliver(watcher)) {
        return;
      }
      if (watcher.cursor() < ringAfter) {
        catchUp(watcher);
        return;
      }
      watcher.state(Watch.State.SYNCED);
      Batch batch = new Batch(watcher);
      for (Kept kept : since(watcher.cursor())) {
        if (!batch.take(kept.row, kept.signals())) {
          break;
        }
      }
      deliver(watcher, batch);
    }
    if (watcher.cursor() >= position && watcher.state() != Watch.State.ENDED) {
      watcher.state(Watch.State.SYNCED);
    }
  }

  private Iterable<Kept> since(long cursor) {
    Kept newest = ring.peekLast();
    if (newest != null && newest.row.first() <= cursor + 1) {
      return List.of(newest); // the usual case
    }
    ArrayDeque<Kept> wanted = new ArrayDeque<>();
    for (Iterator<Kept> back = ring.descendingIterator(); back.hasNext(); ) {
      Kept kept = back.next();
      if (kept.row.last() <= cursor) {
        break;
      }
      wanted.addFirst(kept);
    }
    return wanted;
  }

  /** Signals for one watcher, up to a limit, never cut inside of a revision. */
  private static final class Batch {
    private final Watcher watcher;
    private final List<Signal> signals = new ArrayList<>();
    private long upTo;

    Batch(Watcher watcher) {
      this.watcher = watcher;
      this.upTo = watcher.cursor();
    }

    /** False once the batch is full. */
    boolean take(LogRow row, List<SignalOf> all) {
      long revision = upTo;
      for (SignalOf each : all) {
        if (each.plain().revision() <= upTo) {
          continue;
        }
        if (each.plain().revision() > revision) {
          if (signals.size() >= SIGNALS_MAX) {
            upTo = revision;
            return false;
          }
          revision = each.plain().revision();
        }
        if (watcher.wants(each.change())) {
          signals.add(watcher.values() ? shown(each) : each.plain());
        }
      }
      upTo = row.last();
      return true;
    }

    /** Values travel with a signal only where a pull would give them. */
    private Signal shown(SignalOf each) {
      ReadRules rules = watcher.grant().rules();
      if (rules == ReadRules.NONE || each.full().content().isEmpty()) {
        return each.full();
      }
      Version version =
          new Version(
              each.change().entry(),
              each.full().revision(),
              each.full().timestamp(),
              each.full().author(),
              false,
              each.change().body(),
              each.change().size(),
              each.change().to());
      return rules.show(version) == version ? each.full() : each.plain();
    }
  }

  private void deliver(Watcher watcher, Batch batch) {
    if (batch.signals.isEmpty()) {
      watcher.moveTo(batch.upTo);
    } else {
      handle(watcher, new WatchEvent.Signals(batch.signals, batch.upTo), batch.upTo);
    }
  }

  private void handle(Watcher watcher, WatchEvent event, long upTo) {
    CompletionStage<?> handled;
    try {
      handled = watcher.handler().on(event);
    } catch (RuntimeException failure) {
      fail(watcher, failure);
      return;
    }
    var future = handled.toCompletableFuture();
    if (future.isDone() && !future.isCompletedExceptionally()) {
      watcher.moveTo(upTo);
      return;
    }
    watcher.busy(true);
    getContext()
        .pipeToSelf(
            future.thenApply(any -> upTo), (done, failure) -> new Handled(watcher, upTo, failure));
  }

  private Behavior<Message> onHandled(Handled handled) {
    Watcher watcher = handled.watcher();
    watcher.busy(false);
    if (handled.failure() != null) {
      fail(watcher, handled.failure());
    } else {
      watcher.moveTo(handled.upTo());
      feed(watcher);
    }
    removeEnded();
    return this;
  }

  private void fail(Watcher watcher, Throwable failure) {
    getContext()
        .getLog()
        .warn("a watch handler of {} failed; its watch ends", source.id(), failure);
    end(watcher, new WatchEvent.Ended(Calls.explain(failure)));
  }

  private void end(Watcher watcher, WatchEvent last) {
    if (!watcher.isClosed()) {
      watcher.onClose(() -> {});
      watcher.close();
      try {
        watcher.handler().on(last);
      } catch (RuntimeException ignored) {
        getContext().getLog().debug("a watch handler failed on its last event", ignored);
      }
    }
  }

  private void removeEnded() {
    watchers.removeIf(Watcher::isClosed);
  }

  // ---- the mount ----

  private boolean mayDeliver(Watcher watcher) {
    if (watcher.grant().isValid(System.nanoTime())) {
      return true;
    }
    watcher.busy(true);
    getContext()
        .pipeToSelf(watcher.renewMount(), (valid, failure) -> new Renewed(watcher, failure));
    return false;
  }

  private Behavior<Message> onRenewed(Renewed renewed) {
    Watcher watcher = renewed.watcher();
    watcher.busy(false);
    MemSpaceException why = renewed.failure() == null ? null : Calls.explain(renewed.failure());
    if (why == null) {
      feed(watcher);
    } else if (!why.code().retryable()) {
      end(watcher, new WatchEvent.Ended(why));
    }
    removeEnded();
    return this;
  }

  // ---- catching up from the log ----

  private void catchUp(Watcher watcher) {
    if (watcher.state() == Watch.State.SYNCED) {
      watcher.state(Watch.State.BEHIND);
    }
    watcher.busy(true);
    CompletionStage<LedgerReader.LogPage> page =
        source.reader().log(watcher.cursor() + 1, CATCH_UP_ROWS);
    // the floor is read after the page: what was compacted before it had been read may be missing
    // in it
    CompletionStage<Caught> caught =
        page.thenCompose(
            rows ->
                withBodies(watcher, rows)
                    .thenCompose(
                        full ->
                            source
                                .reader()
                                .floor(watcher.cursor() + 1)
                                .thenApply(floor -> new Caught(watcher, full, floor, null))));
    getContext()
        .pipeToSelf(
            caught,
            (done, failure) -> failure == null ? done : new Caught(watcher, null, 0, failure));
  }

  /**
   * Log rows of an indexed store carry no bodies; a watcher that wants values gets the very
   * versions.
   */
  private CompletionStage<LedgerReader.LogPage> withBodies(
      Watcher watcher, LedgerReader.LogPage page) {
    if (!watcher.values()) {
      return CompletableFuture.completedStage(page);
    }
    CompletionStage<List<LogRow>> rows = CompletableFuture.completedStage(new ArrayList<>());
    for (LogRow row : page.rows()) {
      rows =
          rows.thenCombine(
              source.reader().withBodies(row, watcher::wants, WatchRequest.INLINE_BYTES_MAX),
              (list, full) -> {
                list.add(full);
                return list;
              });
    }
    return rows.thenApply(list -> new LedgerReader.LogPage(list, page.more()));
  }

  private Behavior<Message> onCaught(Caught caught) {
    Watcher watcher = caught.watcher();
    watcher.busy(false);
    if (watcher.isClosed()) {
      return this;
    }
    if (caught.failure() != null) {
      getContext()
          .getLog()
          .info("watch of {} could not read the log: {}", source.id(), caught.failure().toString());
      return this; // the next beat feeds it again
    }
    if (caught.floor() > watcher.cursor() + 1) {
      end(watcher, new WatchEvent.Compacted(caught.floor()));
      removeEnded();
      return this;
    }
    Batch batch = new Batch(watcher);
    for (LogRow row : caught.page().rows()) {
      if (!batch.take(row, signalsOf(row))) {
        break;
      }
    }
    if (mayDeliver(watcher)) {
      deliver(watcher, batch);
      feed(watcher);
    }
    removeEnded();
    return this;
  }

  private static List<SignalOf> signalsOf(LogRow row) {
    List<SignalOf> signals = new ArrayList<>();
    for (int i = 0; i < row.records().size(); i++) {
      LogRecord record = row.records().get(i);
      for (Change change : record.changes()) {
        if (change instanceof Change.OfEntry entry) {
          Signal plain = signal(row, i, record, entry, Optional.empty());
          boolean inline =
              entry.body() != null
                  && !entry.deleted()
                  && entry.size() <= WatchRequest.INLINE_BYTES_MAX;
          signals.add(
              new SignalOf(
                  entry,
                  plain,
                  inline
                      ? signal(
                          row, i, record, entry, Optional.of(ContentCodec.decode(entry.body())))
                      : plain));
        }
      }
    }
    return signals;
  }

  private static Signal signal(
      LogRow row, int index, LogRecord record, Change.OfEntry entry, Optional<Content> content) {
    return new Signal(
        SpaceRows.key(entry.entry()),
        row.first() + index,
        row.timestamp(),
        record.author(),
        entry.deleted(),
        Optional.ofNullable(entry.to()),
        content);
  }

  // ---- maintenance ----

  private Behavior<Message> onClosed(Closed closed) {
    removeEnded();
    if (watchers.isEmpty() && opening.isEmpty()) {
      source.detach(listener);
    }
    return this;
  }

  private Behavior<Message> onBeat(Beat beat) {
    beats++;
    removeEnded();
    if (watchers.isEmpty() && opening.isEmpty()) {
      if (++idleBeats > IDLE_BEATS_MAX) {
        onIdle.run();
        return Behaviors.stopped();
      }
      return this;
    }
    idleBeats = 0;
    attach();
    boolean progress = beats % Math.max(1, settings.progressInterval().toSeconds()) == 0;
    for (Watcher watcher : List.copyOf(watchers)) {
      boolean due =
          watcher.grant().hasEnded() || progress && watcher.cursor() >= position; // hears of it
      if (due && !watcher.isBusy() && mayDeliver(watcher)) {
        handle(
            watcher,
            new WatchEvent.Progress(Math.max(position, watcher.cursor())),
            watcher.cursor());
      }
    }
    removeEnded();
    return this;
  }

  private Behavior<Message> onAttachAgain(AttachAgain again) {
    if (!watchers.isEmpty() || !opening.isEmpty()) {
      attach();
    }
    return this;
  }

  private Behavior<Message> onPostStop(PostStop signal) {
    source.detach(listener);
    MemSpaceException why =
        new MemSpaceException(
            ErrorCode.UNAVAILABLE, "the node is stopping", Map.of("node", "stopping"));
    opening.forEach(open -> open.reply().fail(why));
    watchers.forEach(watcher -> end(watcher, new WatchEvent.Ended(why)));
    return this;
  }
}
