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
  /** A call of a model or tool. */
  public static final String CALL = "call";

  /** The clock was read. */
  public static final String CLOCK = "clock";

  /** The seed of a source of random numbers. */
  public static final String RANDOM = "random";

  /** A timer fired. */
  public static final String TIMER = "timer";

  static final String TOO_LARGE = "/too-large"; // behind a kind: the reply is its hash

  private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

  /** What the behavior is handling, and what it can have seen by then. */
  public record Mark(String watch, long revision, long input, long seen) {
    /** Nothing is being handled. */
    public static final Mark NONE = new Mark("", 0, 0, 0);
  }

  private final ReceiptLog log;
  private final String agent;
  private final Life id;

  private final UnderWay underWay = new UnderWay();
  private volatile Mark current = Mark.NONE; // on the behavior's thread
  private final ThreadLocal<Mark> ofSteps = new ThreadLocal<>(); // on threads of its steps

  // keeps effects in their order; taken before the other
  private final Object leavingLock = new Object();
  private CompletableFuture<Void> leaving = DONE; // the effect before has left

  // guards all below
  private final Object lock = new Object();
  private final Map<String, Long> confirmed = new HashMap<>();
  private boolean confirming; // the log writes its mark with the next round
  private long seq;
  private long ticket; // of the newest read, which an effect has to wait for

  LifeLog(ReceiptLog log, String agent, Life id) {
    this.log = log;
    this.agent = agent;
    this.id = id;
  }

  ReceiptSettings settings() {
    return log.settings();
  }

  /** What the agent is, and has mounted from now on. */
  public void began(Began what) {
    log.offer(new LogRecord.LifeBegan(agent, id, what), false);
  }

  // ---- what comes in ----

  /**
   * Records what a watch brought; the stage gives the number of the first, once it is on disk. The
   * behavior gets it after that.
   *
   * @param input true if the behavior takes it as a message, whose {@link Mark} is told to be
   *     handled
   */
  public CompletionStage<Long> input(
      How how,
      boolean input,
      String space,
      String mount,
      String watch,
      List<SeenVersion> versions) {
    long first;
    CompletionStage<Void> written;
    synchronized (lock) {
      first = seq + 1;
      // no effect has to wait for it: the behavior has it when it is on disk
      written =
          log.write(
              new LogRecord.Delivered(
                  agent, id, first, how, input, space, mount, watch, 0, 0, 0, versions));
      seq += Math.max(1, versions.size());
    }
    return written.thenApply(done -> first);
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
  }

  /**
   * Records that a timer fired, in place of an input: what comes of it belongs to it.
   *
   * @param set what was being handled when it was set
   * @throws MemSpaceException {@code BUSY}: then it must not be handed over
   */
  public void fired(String timer, Mark set) {
    synchronized (lock) {
      addRead(
          1,
          at ->
              new LogRecord.Called(
                  agent, id, at, TIMER, timer, set.input(), Bytes.EMPTY, false, Bytes.EMPTY, 0, 0));
      current = new Mark("", 0, seq, seq);
    }
  }

  /** Records what the clock or a source of random numbers gave. */
  public void called(String kind, String name, Mark during, Bytes reply) {
    called(kind, name, during, Bytes.EMPTY, false, reply, 0, 0);
  }

  /**
   * Records an answer from outside. On disk before the next effect leaves. Of the request its hash
   * is kept; of a reply that is too large too.
   *
   * @param micros how long it took
   * @throws MemSpaceException {@code BUSY}: then it must not be handed over
   */
  public void called(
      String kind,
      String name,
      Mark during,
      Bytes request,
      boolean failed,
      Bytes reply,
      long micros,
      long tokens) {
    boolean kept = reply.length() <= log.settings().replyBytesMax();
    Bytes text = kept ? reply : Hashes.sha256(reply);
    synchronized (lock) {
      addRead(
          1,
          at ->
              new LogRecord.Called(
                  agent,
                  id,
                  at,
                  kept ? kind : kind + TOO_LARGE,
                  name,
                  during.input(),
                  request.isEmpty() ? request : Hashes.sha256(request),
                  failed,
                  text,
                  micros,
                  tokens));
    }
  }

  // ---- how far it is ----

  /** What its messages have begun and not finished. */
  public UnderWay underWay() {
    return underWay;
  }

  /** What is being handled now, by the behavior or by those of its steps that this thread runs. */
  public Mark current() {
    Mark steps = ofSteps.get();
    return steps == null ? current : steps;
  }

  /** Runs steps on this thread: what they read and do belongs to what they were asked for in. */
  public <T> T during(Mark asked, Callable<T> steps) throws Exception {
    ofSteps.set(asked);
    try {
      return steps.call();
    } finally {
      ofSteps.remove();
    }
  }

  /** The place of an input. */
  public Mark markOf(String watch, long revision, long input) {
    synchronized (lock) {
      return new Mark(watch, revision, input, seq);
    }
  }

  /** The behavior takes a message. */
  public void begins(Mark mark) {
    current = mark;
  }

  /** The behavior has taken the message. */
  public void handled(Mark mark) {
    confirm(mark);
    current = Mark.NONE;
  }

  private void confirm(Mark mark) {
    boolean further = false;
    synchronized (lock) {
      if (mark.input() > 0 && !mark.watch().isEmpty()) {
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
        seen = seq;
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
    confirm(new Mark(mark.watch(), mark.revision(), mark.input(), seen));
    if (record != null) {
      underWay.write(mark, left);
    }
    return record == null
        ? left
        : left.whenComplete((value, failure) -> acted(mark, record, value, failure));
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
            later.completeExceptionally(
                failure instanceof CompletionException && failure.getCause() != null
                    ? failure.getCause()
                    : failure);
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
                effect.versions()),
            false);
      }
    } catch (MemSpaceException stopping) {
      // the log of the space that was written has it too
      return;
    }
  }
}
