package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchEvent;
import io.nucleusmem.memspace.WatchHandler;
import io.nucleusmem.receipts.LifeLog;
import io.nucleusmem.receipts.UnderWay;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * One watch of an agent, in one life of its behavior. Signals become mail; the next event is asked
 * for when all mail of this one has been handled, so an agent that is slow holds up nobody and
 * nothing piles up.
 */
final class AgentWatch {
  /** Opens the watch at the place given, or where it begins by itself. */
  interface Opener {
    CompletionStage<Watch> open(OptionalLong from, WatchHandler handler);
  }

  /** Records that signals are delivered, before they are. */
  interface Receipts {
    /**
     * The number of the first signal, once all are on disk.
     *
     * @param redelivered how many of the first ones may have been seen before
     */
    CompletionStage<Long> record(List<Signal> signals, int redelivered);
  }

  /** Turns a signal into what the behavior gets; may have to fetch what the signal names. */
  interface Fetch extends Function<Signal, CompletionStage<Function<Boolean, Object>>> {}

  private final String name;
  private final String space;
  private final OptionalLong firstFrom;
  private final Opener opener;
  private final Fetch fetch;
  private final Optional<Receipts> receipts; // empty: its mount keeps none
  private final AgentContextImpl<?> context;
  private final AgentSettings settings;
  private volatile Watch watch;
  private volatile boolean closed;
  private volatile long startedAt;
  private long seenUpTo; // up to here an earlier life may have seen what comes
  private final long mailedBefore; // up to here this life may have: the watch broke off and goes on
  private volatile long mailedUpTo;
  private volatile long handledUpTo; // the behavior has taken all up to here
  private long toldUpTo;
  private int held; // messages that it has taken since the cursor moved

  /**
   * @param firstFrom where a watch of this name begins the first time; empty: with what comes
   */
  AgentWatch(
      String name,
      String space,
      OptionalLong firstFrom,
      Opener opener,
      Fetch fetch,
      Optional<Receipts> receipts,
      AgentContextImpl<?> context) {
    this(name, space, firstFrom, opener, fetch, receipts, context, 0);
  }

  private AgentWatch(
      String name,
      String space,
      OptionalLong firstFrom,
      Opener opener,
      Fetch fetch,
      Optional<Receipts> receipts,
      AgentContextImpl<?> context,
      long mailedBefore) {
    this.mailedBefore = mailedBefore;
    this.name = name;
    this.space = space;
    this.firstFrom = firstFrom;
    this.opener = opener;
    this.fetch = fetch;
    this.receipts = receipts;
    this.context = context;
    this.settings = context.settings();
  }

  String name() {
    return name;
  }

  /** The name of its cursor: a revision of one space means nothing in another. */
  String cursor() {
    return name.equals(ContextWatches.INBOX) ? name : space + "/" + name;
  }

  String space() {
    return space;
  }

  long startedAt() {
    return startedAt;
  }

  boolean belongsTo(AgentContextImpl<?> other) {
    return context == other;
  }

  /** The same, not started yet. */
  AgentWatch again() {
    return new AgentWatch(
        name,
        space,
        firstFrom,
        opener,
        fetch,
        receipts,
        context,
        Math.max(mailedBefore, mailedUpTo));
  }

  void start(
      ActorRef<Object> behavior,
      Long cursor,
      long maybeSeenUpTo,
      ActorRef<AgentRunner.Message> runner) {
    OptionalLong from = cursor == null ? firstFrom : OptionalLong.of(cursor + 1);
    seenUpTo = maybeSeenUpTo;
    context.life().underWay().listen(cursor(), () -> tellHandled(runner));
    CompletionStage<Watch> opening;
    try {
      opening = opener.open(from, event -> on(event, behavior, runner));
    } catch (RuntimeException refused) {
      opening = CompletableFuture.failedFuture(refused);
    }
    opening.whenComplete(
        (opened, failure) -> {
          if (opened != null) {
            watch = opened;
            startedAt = from.isPresent() ? from.getAsLong() - 1 : opened.cursor();
            if (closed) {
              opened.close();
            }
          }
          runner.tell(new AgentRunner.WatchStarted(this, failure));
        });
  }

  private CompletionStage<?> on(
      WatchEvent event, ActorRef<Object> behavior, ActorRef<AgentRunner.Message> runner) {
    if (closed) {
      return CompletableFuture.completedFuture(null);
    }
    if (event instanceof WatchEvent.Signals signals) {
      return deliver(signals.signals(), behavior, runner);
    }
    if (event instanceof WatchEvent.Progress progress) {
      seenUpTo = Math.min(seenUpTo, progress.upTo());
    } else if (event instanceof WatchEvent.Ended || event instanceof WatchEvent.Compacted) {
      MemSpaceEnds.report(this, event, runner);
    }
    return CompletableFuture.completedFuture(null);
  }

  private CompletionStage<?> deliver(
      List<Signal> signals, ActorRef<Object> behavior, ActorRef<AgentRunner.Message> runner) {
    List<CompletableFuture<Function<Boolean, Object>>> fetched = new ArrayList<>();
    signals.forEach(signal -> fetched.add(fetch.apply(signal).toCompletableFuture()));
    return CompletableFuture.allOf(fetched.toArray(CompletableFuture[]::new))
        .thenCompose(all -> record(signals))
        .thenCompose(
            receipt -> {
              List<CompletableFuture<Void>> handled = new ArrayList<>();
              for (int i = 0; i < signals.size(); i++) {
                Signal signal = signals.get(i);
                boolean last =
                    i + 1 == signals.size() || signals.get(i + 1).revision() > signal.revision();
                LifeLog.Mark mark =
                    receipts.isPresent()
                        ? context.life().markOf(cursor(), signal.revision(), receipt + i)
                        : context.life().markOfUnrecorded(cursor(), signal.revision(), receipt + i);
                handled.add(mail(signal, fetched.get(i).join(), mark, last, behavior, runner));
              }
              return CompletableFuture.allOf(handled.toArray(CompletableFuture[]::new));
            });
  }

  private CompletionStage<Long> record(List<Signal> signals) {
    if (receipts.isEmpty()) {
      return CompletableFuture.completedFuture(context.life().unrecorded(signals.size()));
    }
    int redelivered = 0;
    while (redelivered < signals.size() && isRedelivered(signals.get(redelivered))) {
      redelivered++;
    }
    return receipts.get().record(signals, redelivered);
  }

  private boolean isRedelivered(Signal signal) {
    return signal.revision() <= mailedBefore
        || signal.revision() <= seenUpTo && signal.timestamp() < context.bornAt();
  }

  private CompletableFuture<Void> mail(
      Signal signal,
      Function<Boolean, Object> message,
      LifeLog.Mark mark,
      boolean lastOfRevision,
      ActorRef<Object> behavior,
      ActorRef<AgentRunner.Message> runner) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    AtomicBoolean taken = new AtomicBoolean();
    boolean redelivered = isRedelivered(signal);
    mailedUpTo = signal.revision();
    behavior.tell(
        new MailInterceptor.Mail<>(
            () -> {
              taken.set(!closed); // else what comes after this watch brings it again
              return taken.get() ? message.apply(redelivered) : null;
            },
            () -> {
              context.current(place(mark));
              context.life().turns().takes(mark);
            },
            () -> {
              context.current("");
              context.life().handled(mark);
              if (lastOfRevision && taken.get()) {
                handled(signal.revision(), runner);
              }
              done.complete(null);
            }));
    return done;
  }

  private synchronized void handled(long revision, ActorRef<AgentRunner.Message> runner) {
    handledUpTo = revision;
    UnderWay underWay = context.life().underWay();
    if (++held > settings.unfinishedMax()) {
      underWay.letGo(cursor(), revision);
    }
    underWay.letGoOlderThan(cursor(), settings.unfinishedTimeMax());
    tellHandled(runner);
  }

  /** The cursor goes as far as all that came of the messages is done. */
  private synchronized void tellHandled(ActorRef<AgentRunner.Message> runner) {
    long upTo = context.life().underWay().doneUpTo(cursor(), handledUpTo);
    if (upTo > toldUpTo) {
      toldUpTo = upTo;
      held = upTo == handledUpTo ? 0 : held;
      runner.tell(new AgentRunner.Handled(this, upTo));
    }
  }

  long handledUpTo() {
    return handledUpTo;
  }

  static String place(LifeLog.Mark mark) {
    return mark.watch() + "@" + mark.revision();
  }

  /** True if the place is one of this watch. */
  boolean isCurrent(String place) {
    return place.startsWith(cursor() + "@") && place.lastIndexOf('@') == cursor().length();
  }

  long currentRevision(String place) {
    return Long.parseLong(place.substring(cursor().length() + 1));
  }

  boolean isClosed() {
    return closed;
  }

  void close() {
    closed = true;
    Watch running = watch;
    if (running != null) {
      running.close();
    }
  }
}
