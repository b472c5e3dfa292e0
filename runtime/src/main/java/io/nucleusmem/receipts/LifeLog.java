package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.store.Bytes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/**
 * What one life of an agent got and did, in its order: receipts are numbered from 1.
 *
 * <p>What the agent got is recorded before anything leaves that may come of it. What was offered is
 * confirmed when the behavior has handled it, or lets something leave while it does.
 */
public final class LifeLog {
  private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

  /**
   * What the behavior is handling, and what it can have seen by then.
   *
   * @param input its number; 0: nothing, or the behavior's begin
   * @param seen number of the newest read
   */
  public record Mark(String watch, long revision, long input, long seen, Asks asks) {}

  /** What one input has asked for so far. Results name their question by it. */
  public static final class Asks {
    final boolean recorded; // else its input is not, nor what comes of it
    private final AtomicLong count = new AtomicLong();

    Asks(boolean recorded) {
      this.recorded = recorded;
    }

    /** The number of the next question. */
    public long next() {
      return count.incrementAndGet();
    }
  }

  /** Work on a thread of its own. */
  private static final class Work {
    private final Mark asked;
    private boolean read; // something of the memory

    private Work(Mark asked) {
      this.asked = asked;
    }
  }

  private final ReceiptLog log;
  private final String agent;
  private final Life id;

  private final UnderWay underWay = new UnderWay();
  private final Mark idle = new Mark("", 0, 0, 0, new Asks(true));
  private volatile Mark current = idle; // on the behavior's thread
  private final LifeTurns turns;
  private final LifeCalls calls;
  private final ThreadLocal<Work> work = new ThreadLocal<>(); // on threads of its work

  // keeps effects in their order; taken before the other
  private final Object leavingLock = new Object();
  private CompletableFuture<Void> leaving = DONE; // the effect before has left

  // guards all below
  private final Object lock = new Object();
  private final Map<String, Long> confirmed = new HashMap<>();
  private boolean confirming; // the log writes its mark with the next round
  private final Map<Long, Long> watches = new HashMap<>(); // of its own, by what they ask for
  private long seq;
  private long lastRead; // its seq
  private long ticket; // of the newest read, which an effect has to wait for

  LifeLog(ReceiptLog log, String agent, Life id) {
    this.log = log;
    this.agent = agent;
    this.id = id;
    this.turns = new LifeTurns(this, agent, id);
    this.calls = new LifeCalls(this, agent, id);
  }

  ReceiptSettings settings() {
    return log.settings();
  }

  /** What the agent is, and has mounted from now on. */
  public void began(Began what) {
    synchronized (lock) {
      log.offer(new LogRecord.LifeBegan(agent, id, what.at(seq)), false);
    }
  }

  // ---- what comes in ----

  /**
   * Records what a watch brought; the stage gives the number of the first, once it is on disk. The
   * behavior gets it after that.
   *
   * @param redelivered how many of the first ones may have been seen before
   */
  public CompletionStage<Long> input(
      How how,
      String space,
      String mount,
      String watch,
      int redelivered,
      List<SeenVersion> versions) {
    return input(how, true, space, mount, watch, 0, redelivered, versions);
  }

  /** What a watch of the behavior's own asks for, and which one of those it is. */
  record OwnWatch(long request, long number) {
    static final String VIA = "watch";
  }

  /** A watch that the behavior opens by itself. */
  OwnWatch watching(long request) {
    synchronized (lock) {
      return new OwnWatch(request, watches.merge(request, 1L, Long::sum));
    }
  }

  /** The same of a watch of the behavior's own. */
  CompletionStage<Long> input(
      How how, String space, String mount, OwnWatch watch, List<SeenVersion> versions) {
    return input(how, false, space, mount, OwnWatch.VIA, watch.request(), watch.number(), versions);
  }

  private CompletionStage<Long> input(
      How how,
      boolean input,
      String space,
      String mount,
      String watch,
      long request,
      long at,
      List<SeenVersion> versions) {
    long first;
    CompletionStage<Void> written;
    synchronized (lock) {
      first = seq + 1;
      // no effect has to wait for it: the behavior has it when it is on disk
      written =
          log.write(
              new LogRecord.Delivered(
                  agent, id, first, how, input, space, mount, watch, 0, request, at, versions));
      seq += Math.max(1, versions.size());
    }
    return written.thenApply(done -> first);
  }

  /** Numbers what a watch brought whose space keeps no receipts; the first number. */
  public long unrecorded(int versions) {
    synchronized (lock) {
      long first = seq + 1;
      seq += versions;
      return first;
    }
  }

  /**
   * Records what a read gave. On disk before the next effect leaves.
   *
   * @param during what was being handled when it was asked for
   * @throws MemSpaceException {@code BUSY}: then it must not be handed over
   */
  void read(
      How how,
      String space,
      String mount,
      String via,
      Mark during,
      long request,
      long at,
      List<SeenVersion> versions) {
    synchronized (lock) {
      addRead(
          versions.size(),
          from ->
              new LogRecord.Delivered(
                  agent,
                  id,
                  from,
                  how,
                  false,
                  space,
                  mount,
                  via,
                  during.input(),
                  request,
                  at,
                  versions));
    }
  }

  /** Adds a record that takes so many numbers, and for which the next effect waits. */
  private void addRead(int numbers, LongFunction<LogRecord> record) {
    ticket = log.offer(record.apply(seq + 1), true);
    seq += Math.max(1, numbers);
    lastRead = seq;
  }

  /** The same of a record that has one number, and is the agent's only if it fits. */
  void addRead(LongFunction<LogRecord> record) {
    synchronized (lock) {
      addRead(1, record);
    }
  }

  /** Adds a record for which nothing waits. */
  long add(LongFunction<LogRecord> record) {
    synchronized (lock) {
      log.offer(record.apply(seq + 1), true);
      return ++seq;
    }
  }

  // ---- what the behavior is at ----

  /** What its messages have begun and not finished. */
  public UnderWay underWay() {
    return underWay;
  }

  /** What is being handled now, by the behavior or by that work of its that this thread runs. */
  public Mark current() {
    Work own = work.get();
    return own == null ? current : own.asked;
  }

  /** The same, for a read. */
  Mark reads() {
    Work own = work.get();
    if (own != null) {
      own.read = true;
    }
    return current();
  }

  void current(Mark mark) {
    current = mark;
  }

  /** The result of work, and whether it read something of the memory. */
  public record Worked<T>(T result, Throwable failure, boolean read) {}

  /** Runs work on this thread: what it reads and does belongs to what it was asked for in. */
  public <T> Worked<T> during(Mark asked, Callable<T> task) {
    Work own = new Work(asked);
    Work before = work.get();
    work.set(own);
    try {
      return new Worked<>(task.call(), null, own.read);
    } catch (Throwable failure) { // an Error too: the agent waits for an answer
      return new Worked<>(null, failure, own.read);
    } finally {
      work.set(before);
    }
  }

  /** The place of an input. */
  public Mark markOf(String watch, long revision, long input) {
    return markOf(watch, revision, input, new Asks(true));
  }

  /** The place of an input that is not recorded. */
  public Mark markOfUnrecorded(String watch, long revision, long input) {
    return markOf(watch, revision, input, new Asks(false));
  }

  /** The place of a result of what was asked for in an input. */
  public Mark markOfResult(Mark asked) {
    return markOf(asked.watch(), asked.revision(), asked.input(), asked.asks());
  }

  private Mark markOf(String watch, long revision, long input, Asks asks) {
    synchronized (lock) {
      return new Mark(watch, revision, input, lastRead, asks);
    }
  }

  /** In which order the behavior takes what comes. */
  public LifeTurns turns() {
    return turns;
  }

  /** What comes from outside. */
  public LifeCalls calls() {
    return calls;
  }

  // ---- how far it is ----

  /** The behavior has taken the message. */
  public void handled(Mark mark) {
    confirm(mark);
    current = idle;
  }

  private void confirm(Mark mark) {
    boolean further = false;
    synchronized (lock) {
      if (mark.input() > 0 && !mark.watch().isEmpty() && mark.asks().recorded) {
        further = raise(mark.watch(), mark.revision());
      }
      if (mark.seen() > 0) {
        further |= raise(LogRecord.Confirmed.READS, mark.seen());
      }
      further &= !confirming;
      confirming |= further;
    }
    if (further) {
      log.confirm(this);
    }
  }

  private boolean raise(String what, long upTo) {
    Long before = confirmed.get(what);
    if (before != null && before >= upTo) {
      return false;
    }
    confirmed.put(what, upTo);
    return true;
  }

  LogRecord confirmed() {
    synchronized (lock) {
      confirming = false;
      return new LogRecord.Confirmed(agent, id, confirmed);
    }
  }

  // ---- what leaves ----

  /**
   * Lets something leave, behind all that was read before and behind what left before.
   *
   * @param effect begun when the receipts are on disk
   * @param record of what came of it; null if it is not to be recorded
   */
  <T> CompletionStage<T> effect(
      Supplier<CompletionStage<T>> effect, BiFunction<T, Throwable, Effect> record) {
    Mark mark = current();
    CompletionStage<T> left;
    long seen;
    synchronized (leavingLock) {
      long upTo;
      synchronized (lock) {
        seen = lastRead;
        upTo = ticket;
      }
      if (leaving.isDone() && log.isDurable(upTo)) {
        left = effect.get();
      } else {
        CompletableFuture<T> later = new CompletableFuture<>();
        leaving =
            leaving
                .thenCompose(before -> log.durable(upTo))
                .orTimeout(log.settings().recordTimeout().toMillis(), TimeUnit.MILLISECONDS)
                .handle(
                    (recorded, failure) -> {
                      if (failure == null) {
                        leave(effect, later);
                      } else {
                        later.completeExceptionally(notRecorded(failure));
                      }
                      return null;
                    });
        left = later;
      }
    }
    confirm(new Mark(mark.watch(), mark.revision(), mark.input(), seen, mark.asks()));
    if (record != null) {
      underWay.write(mark, left);
    }
    return record == null
        ? left
        : log.leaves(left.whenComplete((value, failure) -> acted(mark, record, value, failure)));
  }

  /** Lets something leave that is no record of its own. */
  public <T> CompletionStage<T> effect(Supplier<CompletionStage<T>> effect) {
    return effect(effect, null);
  }

  /** Sends a message into an inbox. */
  public CompletionStage<Published> sent(
      Supplier<CompletionStage<Published>> send,
      String space,
      String mount,
      String topic,
      Content content) {
    return effect(
        send,
        (published, failure) ->
            new Effect(
                "send",
                space,
                mount,
                Hashes.of(topic, content),
                published == null
                    ? List.of()
                    : List.of(SeenVersion.message(topic, published.revision()))));
  }

  private static <T> void leave(Supplier<CompletionStage<T>> effect, CompletableFuture<T> later) {
    CompletionStage<T> left;
    try {
      left = effect.get();
    } catch (RuntimeException refused) {
      later.completeExceptionally(refused);
      return;
    }
    left.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            later.complete(value);
          } else {
            later.completeExceptionally(Failures.unwrap(failure));
          }
        });
  }

  private MemSpaceException notRecorded(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    String why =
        cause instanceof TimeoutException
            ? "not within nucleusmem.receipts.record-timeout, which is [%s]"
                .formatted(log.settings().recordTimeout())
            : String.valueOf(cause.getMessage());
    return new MemSpaceException(
        ErrorCode.UNAVAILABLE,
        "what agent [%s] had read could not be recorded, so nothing was sent: %s"
            .formatted(agent, why));
  }

  /**
   * What an effect was and made.
   *
   * @param request hash of what was to be done
   */
  record Effect(
      String kind, String space, String mount, long request, List<SeenVersion> versions) {}

  private <T> void acted(
      Mark mark, BiFunction<T, Throwable, Effect> record, T value, Throwable failure) {
    Effect effect = record.apply(value, failure);
    try {
      synchronized (lock) {
        log.offer(
            new LogRecord.Acted(
                agent,
                id,
                ++seq,
                effect.kind(),
                effect.space(),
                effect.mount(),
                mark.input(),
                effect.request(),
                failure == null,
                failure == null ? Bytes.EMPTY : Failures.encode(failure),
                effect.versions()),
            false);
      }
    } catch (MemSpaceException stopping) {
      // the log of the space that was written has it too
      return;
    }
  }
}
