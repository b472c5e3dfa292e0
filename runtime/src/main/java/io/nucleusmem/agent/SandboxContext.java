package io.nucleusmem.agent;

import akka.actor.typed.DispatcherSelector;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.receipts.Answer;
import io.nucleusmem.receipts.Failures;
import io.nucleusmem.receipts.LifeCalls;
import io.nucleusmem.receipts.RerunSource;
import io.nucleusmem.receipts.Tape;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.Target;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * The context of a rerun: what the behavior asks for is answered from the tape, what it does goes
 * to a scratch fork or nowhere.
 */
final class SandboxContext<M> extends ContextBase<M, SandboxTurns.Question> {
  private final Tape tape;
  private final AgentType<M> type;
  private final String inboxSpace;
  private final RerunSource source;
  private final Map<String, MountedSpace> mountable;
  private final Map<String, MountedSpace> mounted = new ConcurrentHashMap<>();
  private final SandboxTurns<M> turns;
  private final PlayedRouter router;
  private final ClassLoader loader;
  private final Map<String, Watched<M>> watches = new HashMap<>(); // by cursor
  private final Deque<Timer<M>> timers = new ArrayDeque<>(); // in the order in which they were set
  // by what they were asked in; oldest first; guarded by itself
  private final Map<SandboxTurns.Question, Asked> asked = new LinkedHashMap<>();

  /** What the author wants to get of a watch. */
  private record Watched<M>(
      boolean values, Function<Seen<Signal>, M> signal, Function<Seen<Message>, M> message) {}

  private record Timer<M>(String name, SandboxTurns.Question set, Supplier<M> message) {}

  /** A question to another agent; the id is that of then, where it can be read. */
  private record Asked(CompletableFuture<Message> answer, CompletableFuture<String> id) {}

  /** Ends steps whose call has never been answered. */
  private static final class NeverAnswered extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NeverAnswered(String what) {
      super("[%s] was never answered".formatted(what), null, false, false);
    }
  }

  SandboxContext(
      String id,
      Tape tape,
      AgentType<M> type,
      String inboxSpace,
      RerunSource source,
      Map<String, MountedSpace> spaces) {
    super(id);
    this.tape = tape;
    this.type = type;
    this.inboxSpace = inboxSpace;
    this.source = source;
    this.mountable = Map.copyOf(spaces);
    this.turns = new SandboxTurns<>(tape);
    this.loader = type.messages().getClassLoader();
    this.router = new PlayedRouter(id, tape, loader);
    tape.mountedFirst().stream()
        .filter(mountable::containsKey)
        .forEach(space -> mounted.put(space, mountable.get(space)));
  }

  SandboxTurns<M> turns() {
    return turns;
  }

  // ---- feeding ----

  /** Gives the behavior a step; completes when it and all that comes of it now is handled. */
  CompletionStage<Void> give(Tape.Step step) {
    return turns.loose().thenCompose(done -> given(step));
  }

  private CompletionStage<Void> given(Tape.Step step) {
    if (step instanceof Tape.Result result) {
      expire(new SandboxTurns.Question(result.input(), result.ask()));
      return turns.result(result);
    }
    if (step instanceof Tape.Own own) {
      return turns.own(own);
    }
    if (step instanceof Tape.Raw raw) {
      MountedSpace space = mountable.get(raw.space());
      tape.begins(raw);
      return source.deliver(space, raw).thenCompose(done -> turns.quiet());
    }
    Tape.Input input = (Tape.Input) step;
    tape.begins(input);
    if (input.isTimer()) {
      return timer(input);
    }
    return input.version().topic()
        ? source.message(input).thenCompose(message -> message(input, message))
        : source.entry(input).thenCompose(entry -> signal(input, entry));
  }

  private CompletionStage<Void> signal(Tape.Input input, Entry entry) {
    Watched<M> watch = watches.get(input.watch());
    if (watch == null || watch.signal() == null) {
      tape.diverged("it does not watch [%s], as it had".formatted(input.watch()));
      return CompletableFuture.completedStage(null);
    }
    Signal signal = RerunSource.signal(entry, watch.values());
    return turns.give(input, () -> watch.signal().apply(new Seen<>(signal, input.redelivered())));
  }

  private CompletionStage<Void> message(Tape.Input input, Message message) {
    Seen<Message> seen = new Seen<>(message, input.redelivered());
    if (!input.watch().equals(ContextWatches.INBOX)) {
      Watched<M> watch = watches.get(input.watch());
      if (watch == null || watch.message() == null) {
        tape.diverged("it is not subscribed to [%s], as it had been".formatted(input.watch()));
        return CompletableFuture.completedStage(null);
      }
      return turns.give(input, () -> watch.message().apply(seen));
    }
    return questionOf(message)
        .thenCompose(
            question ->
                turns.give(
                    input,
                    () -> {
                      if (question.isPresent()) {
                        question.get().complete(message);
                        return null;
                      }
                      return type.inbox().map(adapter -> adapter.apply(seen)).orElse(null);
                    }));
  }

  /** What a message answers, if anybody waits for that. */
  private CompletionStage<Optional<CompletableFuture<Message>>> questionOf(Message message) {
    String answers = message.content().metadata().get(Inboxes.ANSWER);
    if (answers == null) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    List<Asked> open;
    synchronized (asked) {
      open = asked.values().stream().filter(each -> !each.answer().isDone()).toList();
    }
    return CompletableFuture.allOf(
            open.stream().map(Asked::id).toArray(CompletableFuture<?>[]::new))
        .thenApply(
            done ->
                open.stream()
                    .filter(each -> each.id().join().equals(answers))
                    .findFirst()
                    // a question that can't be read any more: they came in some order
                    .or(() -> open.stream().filter(each -> each.id().join().isEmpty()).findFirst())
                    .map(Asked::answer));
  }

  /** The result comes now: where nobody has answered by now, nobody had. */
  private void expire(SandboxTurns.Question question) {
    Asked waiting;
    synchronized (asked) {
      waiting = asked.get(question);
    }
    if (waiting != null) {
      waiting.answer().completeExceptionally(new TimeoutException());
    }
  }

  private CompletionStage<Void> timer(Tape.Input input) {
    Optional<Timer<M>> set =
        timers.stream()
            .filter(each -> each.name().equals(input.watch()))
            .filter(
                each ->
                    input.ask() == 0
                        || each.set()
                            .equals(new SandboxTurns.Question(input.during(), input.ask())))
            .findFirst()
            .or(
                () -> // in a life that has become another one
                tape.isFree()
                        ? timers.stream()
                            .filter(each -> each.name().equals(input.watch()))
                            .findFirst()
                        : Optional.empty());
    if (set.isEmpty()) {
      tape.notSet(input);
      return CompletableFuture.completedStage(null);
    }
    timers.remove(set.get());
    return turns.give(input, set.get().message());
  }

  // ---- the context ----

  @Override
  Map<String, MountedSpace> mounted() {
    return mounted;
  }

  @Override
  SandboxTurns.Question question() {
    return turns.asks(false);
  }

  @Override
  void tell(SandboxTurns.Question question, Supplier<M> message) {
    turns.arrived(question, message);
  }

  @Override
  public String type() {
    return tape.type();
  }

  @Override
  public Map<String, String> config() {
    return tape.config();
  }

  @Override
  public void mount(String space, Access access, BiFunction<MountedSpace, Throwable, M> result) {
    SandboxTurns.Question question = question();
    Answer then = tape.call(LifeCalls.MOUNT, space, Bytes.utf8("mount"));
    MountedSpace there = mountable.get(space);
    Throwable failure =
        then.isGiven() && then.failed()
            ? then.failure(loader)
            : there == null ? refused("mount space [%s]".formatted(space)) : null;
    tell(
        question,
        () -> {
          if (failure == null) {
            mounted.put(space, there);
          }
          return result.apply(failure == null ? there : null, failure);
        });
  }

  private MemSpaceException refused(String what) {
    tape.diverged("it asks to %s, which it had not".formatted(what));
    return new MemSpaceException(ErrorCode.UNAVAILABLE, "a rerun can't " + what);
  }

  @Override
  public void unmount(String space, BiFunction<Boolean, Throwable, M> result) {
    SandboxTurns.Question question = question();
    Answer then = tape.call(LifeCalls.MOUNT, space, Bytes.utf8("unmount"));
    Throwable failure = then.isGiven() && then.failed() ? then.failure(loader) : null;
    tell(
        question,
        () -> {
          if (failure == null) {
            mounted.remove(space);
          }
          return result.apply(failure == null, failure);
        });
  }

  @Override
  public void watch(
      String name, String space, WatchRequest request, Function<Seen<Signal>, M> message) {
    watches.put(space + "/" + name, new Watched<>(request.values(), message, null));
  }

  @Override
  public void subscribe(
      String name, String space, String topic, Function<Seen<Message>, M> message) {
    watches.put(space + "/" + name, new Watched<>(true, null, message));
  }

  @Override
  public CompletionStage<Published> send(String agent, Content content) {
    return sent(agent, content).thenApply(Sent::published);
  }

  /**
   * A message that was sent then, or would be now.
   *
   * @param askId empty unless it was a question
   */
  private record Sent(Published published, String askId) {}

  private CompletionStage<Sent> sent(String agent, Content content) {
    String topic = Inboxes.topic(agent);
    Optional<Tape.Done> then = tape.sent(inboxSpace, topic, Inboxes.withoutCorrelation(content));
    if (then.isPresent() && !then.get().done()) {
      return CompletableFuture.failedStage(then.get().why(loader));
    }
    if (then.isEmpty() || then.get().versions().isEmpty()) {
      return CompletableFuture.completedStage(new Sent(published(topic, 0), ""));
    }
    long revision = then.get().versions().get(0).revision();
    return source
        .sent(then.get())
        .thenApply(
            message ->
                message
                    .map(
                        it ->
                            new Sent(
                                new Published(it.id(), revision, it.timestamp(), false),
                                it.content().metadata().getOrDefault(Inboxes.ASK, "")))
                    .orElseGet(() -> new Sent(published(topic, revision), "")));
  }

  private Published published(String topic, long revision) {
    long timestamp = Timestamps.firstOf(System.currentTimeMillis());
    return new Published(
        Message.id(topic, timestamp, AgentSpec.holder(id())), revision, timestamp, false);
  }

  @Override
  public void ask(
      String agent, Content question, Duration timeout, BiFunction<Message, Throwable, M> answer) {
    SandboxTurns.Question number = question();
    Asked open = new Asked(new CompletableFuture<>(), new CompletableFuture<>());
    synchronized (asked) {
      asked.put(number, open);
    }
    sent(agent, question)
        .whenComplete(
            (sent, failure) -> {
              open.id().complete(sent == null ? "" : sent.askId());
              if (failure != null) {
                open.answer().completeExceptionally(Failures.unwrap(failure));
              }
            });
    pipe(number, open.answer(), answer);
  }

  @Override
  public CompletionStage<Published> route(Content content) {
    return router.route(content);
  }

  @Override
  public CompletionStage<RegisteredRoute> offer(
      String name, boolean all, String description, List<String> examples) {
    Target target = all ? new Target.AgentType(type()) : new Target.Agent(id());
    return router.offer(new Route(name, target, description, examples, Map.of()), all);
  }

  @Override
  public CompletionStage<Void> withdraw(String name) {
    return router.withdraw(name);
  }

  @Override
  public CompletionStage<Published> handOver(HandOver handOver) {
    return router.handOver(handOver);
  }

  // ---- what comes from outside ----

  @Override
  @SuppressWarnings("unchecked") // the result was recorded where one of this type was given
  public <T> void blocking(Callable<T> call, BiFunction<T, Throwable, M> result) {
    SandboxTurns.Question question = question();
    Answer then = tape.call(LifeCalls.BLOCKING, Long.toString(question.ask()), Bytes.EMPTY);
    if (then.state() == Answer.State.UNKNOWN && !tape.isOrdered()) {
      tape.notPlayed("the result of blocking work: an older version has not recorded it");
    }
    given(question, then, "blocking work", () -> (T) then.value(loader), result);
  }

  @Override
  public void call(
      String name, String request, Callable<Reply> call, BiFunction<Reply, Throwable, M> result) {
    SandboxTurns.Question question = question();
    Answer then = tape.call(LifeCalls.CALL, name, Bytes.utf8(request));
    given(
        question,
        then,
        "a call of [%s]".formatted(name),
        () -> new Reply(then.text(), then.tokens()),
        result);
  }

  private <T> void given(
      SandboxTurns.Question question,
      Answer then,
      String what,
      Supplier<T> value,
      BiFunction<T, Throwable, M> result) {
    if (then.state() == Answer.State.NEVER) {
      return; // nor now
    }
    Throwable failure = failure(then, what);
    tell(
        question,
        () -> failure == null ? result.apply(value.get(), null) : result.apply(null, failure));
  }

  /** Why there is no answer; null if there is. */
  private Throwable failure(Answer then, String what) {
    return switch (then.state()) {
      case GIVEN -> then.failed() ? then.failure(loader) : null;
      case LOST -> new MemSpaceException(ErrorCode.UNAVAILABLE, then.text());
      case NEVER -> new NeverAnswered(what);
      case UNKNOWN -> {
        tape.diverged(what + " is asked for that it had not asked for");
        yield new MemSpaceException(
            ErrorCode.UNAVAILABLE,
            "a rerun calls nothing, and no answer to this is recorded: " + what);
      }
    };
  }

  @Override
  public Reply callAndWait(String name, String request, Callable<Reply> call) {
    Answer then = tape.call(LifeCalls.CALL, name, Bytes.utf8(request));
    Throwable failure = failure(then, "a call of [%s]".formatted(name));
    if (failure == null) {
      return new Reply(then.text(), then.tokens());
    }
    throw failure instanceof RuntimeException unchecked
        ? unchecked
        : new CompletionException(failure);
  }

  @Override
  public <T> void steps(Callable<T> steps, BiFunction<T, Throwable, M> result) {
    SandboxTurns.Question question = turns.asks(true);
    Answer refused = tape.call(LifeCalls.STEPS, Long.toString(question.ask()), Bytes.EMPTY);
    if (refused.isGiven()) {
      tell(question, () -> result.apply(null, refused.failure(loader)));
      return;
    }
    actor()
        .getSystem()
        .dispatchers()
        .lookup(DispatcherSelector.blocking())
        .execute(() -> run(question, steps, result));
  }

  private <T> void run(
      SandboxTurns.Question question, Callable<T> steps, BiFunction<T, Throwable, M> result) {
    try {
      T value = tape.during(question.input(), steps);
      tell(question, () -> result.apply(value, null));
    } catch (NeverAnswered end) {
      turns.never(question);
    } catch (Throwable failure) { // an Error too: the behavior waits for an answer
      tell(question, () -> result.apply(null, Failures.unwrap(failure)));
    }
  }

  @Override
  public Instant now() {
    Answer then = tape.call(LifeCalls.CLOCK, "", Bytes.EMPTY);
    return then.isGiven() ? Instant.parse(then.text()) : more("clock", Instant.now());
  }

  @Override
  public RandomGenerator random() {
    Answer then = tape.call(LifeCalls.RANDOM, "", Bytes.EMPTY);
    return new SplittableRandom(
        then.isGiven()
            ? Long.parseLong(then.text())
            : more("source of random numbers", ThreadLocalRandom.current().nextLong()));
  }

  private <T> T more(String what, T other) {
    tape.diverged("it asked for the %s more often than it had".formatted(what));
    return other;
  }

  @Override
  public void schedule(String name, Duration delay, Supplier<M> message) {
    timers.add(new Timer<>(name, turns.number(), message));
  }
}
