package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import io.nucleusmem.receipts.Tape;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * Gives a behavior its turns in a rerun, one after the other: a result that arrives is held until
 * its step, as is what the actor sends to itself. What the record does not place comes at once
 * where the rerun is another life by now ({@link Tape#isFree}), and else not at all: then it had
 * not come before the life ended.
 */
final class SandboxTurns<M> implements MailInterceptor.Others {
  private static final int QUIET_LOOKS = 3; // at the mailbox, before a step is over
  private static final Duration LOOK_INTERVAL = Duration.ofMillis(1);

  /** How long something that stands still is waited for: it may need what comes later. */
  private static final Duration STILL_MAX = Duration.ofSeconds(60);

  /** What was asked for in an input, and its number there. */
  record Question(long input, long ask) {}

  private final Tape tape;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final AtomicInteger mails = new AtomicInteger(); // on their way
  private final AtomicLong moved = new AtomicLong(); // counts all that happens
  private ActorSystem<?> system;
  private ActorRef<Object> self;

  // guards all below
  private final Object lock = new Object();
  private final Set<Question> working = new HashSet<>(); // will arrive by themselves, soon
  private final Set<Question> asked = new HashSet<>(); // not arrived
  private final Map<Question, Supplier<M>> held = new HashMap<>(); // arrived before their step
  private final Set<Question> passed = new HashSet<>(); // their step came before them
  private final Deque<M> own = new ArrayDeque<>(); // messages of the actor to itself

  private long ownLeft; // steps for those

  SandboxTurns(Tape tape) {
    this.tape = tape;
    this.ownLeft = tape.steps().stream().filter(Tape.Own.class::isInstance).count();
  }

  void bind(ActorSystem<?> itsSystem, ActorRef<Object> itsSelf) {
    system = itsSystem;
    self = itsSelf;
  }

  /** The behavior has stopped or crashed. */
  void ended(Throwable failure) {
    ended.completeExceptionally(failure);
  }

  // ---- what arrives ----

  /**
   * Something is asked for.
   *
   * @param works true if the step is over only when it has arrived
   */
  Question asks(boolean works) {
    Question question = new Question(tape.seq(), tape.nextAsk());
    boolean waits = works || isLoose();
    synchronized (lock) {
      asked.add(question);
      if (waits) {
        working.add(question);
      }
    }
    return question;
  }

  /** The number of something that is not waited for. */
  Question number() {
    return new Question(tape.seq(), tape.nextAsk());
  }

  /** It does not arrive. */
  void never(Question question) {
    synchronized (lock) {
      moved.incrementAndGet();
      working.remove(question);
    }
  }

  /** A result has arrived. */
  void arrived(Question question, Supplier<M> message) {
    boolean now;
    synchronized (lock) {
      moved.incrementAndGet();
      asked.remove(question);
      working.remove(question);
      now =
          passed.remove(question) || !tape.isPlaced(question.input(), question.ask()) && isLoose();
      if (!now) {
        held.put(question, message);
      }
    }
    if (now) {
      take(question.input(), message);
    }
  }

  /** True where a result that is not placed comes all the same. */
  private boolean isLoose() {
    return !tape.isOrdered() || tape.isFree();
  }

  @Override
  @SuppressWarnings("unchecked") // the actor's messages
  public boolean takes(Object message) {
    moved.incrementAndGet();
    boolean loose = isLoose();
    synchronized (lock) {
      if (loose && ownLeft == 0 && own.isEmpty()) {
        return true;
      }
      own.add((M) message);
    }
    return false;
  }

  @Override
  public void handled() {}

  // ---- mail ----

  private void mail(Runnable begins, Supplier<M> message) {
    mails.incrementAndGet();
    self.tell(
        new MailInterceptor.Mail<>(
            message,
            begins,
            () -> {
              mails.decrementAndGet();
              moved.incrementAndGet();
            }));
  }

  /** A result, in whatever order. */
  private void take(long input, Supplier<M> message) {
    mail(() -> tape.beginsResultOf(input), message);
  }

  // ---- steps ----

  /** Gives a message; completes when all that can come of it now has come. */
  CompletionStage<Void> give(Tape.Step step, Supplier<M> message) {
    mail(() -> tape.begins(step), message);
    return quiet();
  }

  /** Waits for what the behavior has begun with. */
  CompletionStage<Void> begun() {
    return quiet();
  }

  /** Gives a result where it had come. */
  CompletionStage<Void> result(Tape.Result step) {
    Question question = new Question(step.input(), step.ask());
    Supplier<M> message;
    boolean waits;
    synchronized (lock) {
      message = held.remove(question);
      waits = asked.contains(question);
    }
    if (message != null) {
      return give(step, message);
    }
    if (!waits) {
      tape.diverged("it did not ask for something whose result it had got here");
      return CompletableFuture.completedStage(null);
    }
    synchronized (lock) {
      working.add(question);
    }
    return quiet().thenCompose(done -> late(step, question));
  }

  /** It has been waited for. */
  private CompletionStage<Void> late(Tape.Result step, Question question) {
    Supplier<M> message;
    synchronized (lock) {
      message = held.remove(question);
      if (message == null) {
        passed.add(question);
      }
    }
    if (message != null) {
      return give(step, message);
    }
    tape.diverged("a result that it had got here does not come");
    return CompletableFuture.completedStage(null);
  }

  /** Gives a message of the actor to itself where it had come. */
  CompletionStage<Void> own(Tape.Own step) {
    return quiet() // it may be on its way
        .thenCompose(
            done -> {
              M message; // of those of a class, the oldest
              synchronized (lock) {
                ownLeft--;
                message = own.stream().filter(step::isOf).findFirst().orElse(null);
                if (message == null && tape.isFree()) {
                  message = own.peek();
                }
                own.remove(message);
              }
              if (message != null) {
                M taken = message;
                return give(step, () -> taken);
              }
              if (!tape.isFree()) {
                tape.notPlayed(
                    "a message that did not come by the context: of the actor to itself, of its"
                        + " timers or children");
              }
              return CompletableFuture.completedStage(null);
            });
  }

  /** All steps are given: what is left comes too, if the rerun is another life by now. */
  CompletionStage<Void> rest() {
    return isLeft() && tape.isFree() ? release().thenCompose(done -> rest()) : quiet();
  }

  private boolean isLeft() {
    synchronized (lock) {
      return !held.isEmpty() || !own.isEmpty();
    }
  }

  /** Before the next step: what waits for no step, if the rerun is another life by now. */
  CompletionStage<Void> loose() {
    if (!tape.isFree()) {
      return CompletableFuture.completedStage(null);
    }
    List<Map.Entry<Question, Supplier<M>>> loose = new ArrayList<>();
    List<M> messages = List.of();
    synchronized (lock) {
      if (ownLeft == 0) {
        messages = List.copyOf(own);
        own.clear();
      }
      held.entrySet().stream()
          .filter(each -> !tape.isPlaced(each.getKey().input(), each.getKey().ask()))
          .forEach(loose::add);
      loose.forEach(each -> held.remove(each.getKey()));
    }
    loose.forEach(each -> take(each.getKey().input(), each.getValue()));
    messages.forEach(each -> mail(() -> {}, () -> each));
    return loose.isEmpty() && messages.isEmpty() ? CompletableFuture.completedStage(null) : quiet();
  }

  private CompletionStage<Void> release() {
    List<Map.Entry<Question, Supplier<M>>> results;
    List<M> messages;
    synchronized (lock) {
      results = List.copyOf(held.entrySet());
      messages = List.copyOf(own);
      held.clear();
      own.clear();
    }
    results.forEach(each -> take(each.getKey().input(), each.getValue()));
    messages.forEach(each -> mail(() -> {}, () -> each));
    return quiet();
  }

  // ---- quiet ----

  CompletionStage<Void> quiet() {
    CompletableFuture<Void> quiet = new CompletableFuture<>();
    look(quiet, 0, moved.get(), System.nanoTime());
    return quiet.applyToEither(ended, done -> done);
  }

  /**
   * Looks from behind what the behavior has sent to itself, again until nothing is on its way. What
   * stands still for too long is not waited for any more.
   */
  private void look(CompletableFuture<Void> quiet, int quietLooks, long seen, long since) {
    self.tell(
        new MailInterceptor.Mail<M>(
            () -> null,
            () -> {},
            () -> {
              long now = moved.get();
              long still = now == seen ? since : System.nanoTime();
              if (isQuiet()) {
                if (quietLooks + 1 >= QUIET_LOOKS) {
                  quiet.complete(null);
                } else {
                  look(quiet, quietLooks + 1, now, still);
                }
              } else if (System.nanoTime() - still > STILL_MAX.toNanos()) {
                synchronized (lock) {
                  working.clear();
                }
                look(quiet, 0, now, System.nanoTime());
              } else {
                system
                    .scheduler()
                    .scheduleOnce(
                        LOOK_INTERVAL, () -> look(quiet, 0, now, still), system.executionContext());
              }
            }));
  }

  private boolean isQuiet() {
    synchronized (lock) {
      return mails.get() == 0 && working.isEmpty();
    }
  }
}
