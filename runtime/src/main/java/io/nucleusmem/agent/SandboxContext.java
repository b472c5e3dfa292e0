package io.nucleusmem.agent;

import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.ActorContext;
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
import io.nucleusmem.receipts.LifeLog;
import io.nucleusmem.receipts.Tape;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * The context of a rerun: what the behavior asks for is answered from the tape, what it does goes
 * to a scratch fork or nowhere.
 */
final class SandboxContext<M> implements AgentContext<M> {
  private static final long SPINS_MAX = 2; // quiet looks at the mailbox before an input is over

  private final String id;
  private final Tape tape;
  private final AgentType<M> type;
  private final String inboxSpace;
  private final Map<String, MountedSpace> spaces;
  private final Map<String, Watched<M>> watches = new HashMap<>(); // by cursor
  private final Map<String, Deque<Supplier<M>>> timers = new HashMap<>();
  private final Deque<CompletableFuture<Message>> asked = new ArrayDeque<>();
  private final AtomicInteger pending = new AtomicInteger(); // stages and mails on their way
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private ActorContext<M> actor;

  /** What the author wants to get of a watch. */
  private record Watched<M>(
      boolean values, Function<Seen<Signal>, M> signal, Function<Seen<Message>, M> message) {}

  SandboxContext(
      String id,
      Tape tape,
      AgentType<M> type,
      String inboxSpace,
      Map<String, MountedSpace> spaces) {
    this.id = id;
    this.tape = tape;
    this.type = type;
    this.inboxSpace = inboxSpace;
    this.spaces = Map.copyOf(spaces);
  }

  void bind(ActorContext<M> itsActor) {
    actor = itsActor;
  }

  /** The behavior has stopped or crashed. */
  void ended(Throwable failure) {
    if (failure == null) {
      ended.complete(null);
    } else {
      ended.completeExceptionally(failure);
    }
  }

  // ---- feeding ----

  /** Gives the behavior a signal; completes when it and all that came of it is handled. */
  CompletionStage<Void> signal(Tape.Input input, Entry entry) {
    Watched<M> watch = watches.get(input.watch());
    if (watch == null || watch.signal() == null) {
      tape.diverged("it does not watch [%s], as it had".formatted(input.watch()));
      return CompletableFuture.completedStage(null);
    }
    boolean inline =
        watch.values()
            && !entry.deleted()
            && entry.content().value().length() <= WatchRequest.INLINE_BYTES_MAX;
    Signal signal =
        new Signal(
            entry.key(),
            entry.revision(),
            entry.timestamp(),
            entry.author(),
            entry.deleted(),
            Optional.empty(),
            inline ? Optional.of(entry.content()) : Optional.empty());
    return feed(() -> watch.signal().apply(new Seen<>(signal, false)));
  }

  /** Gives it a message. */
  CompletionStage<Void> message(Tape.Input input, Message message) {
    if (!input.watch().equals(AgentContextImpl.INBOX)) {
      Watched<M> watch = watches.get(input.watch());
      if (watch == null || watch.message() == null) {
        tape.diverged("it is not subscribed to [%s], as it had been".formatted(input.watch()));
        return CompletableFuture.completedStage(null);
      }
      return feed(() -> watch.message().apply(new Seen<>(message, false)));
    }
    boolean answer = message.content().metadata().containsKey(Inboxes.ANSWER);
    return feed(
        () -> {
          CompletableFuture<Message> question = answer ? asked.poll() : null;
          if (question != null) {
            question.complete(message);
            return null;
          }
          return type.inbox()
              .map(adapter -> adapter.apply(new Seen<>(message, false)))
              .orElse(null);
        });
  }

  /** Lets a timer fire. */
  CompletionStage<Void> timer(Tape.Input input) {
    Deque<Supplier<M>> set = timers.get(input.watch());
    Supplier<M> message = set == null ? null : set.poll();
    if (message == null) {
      tape.notSet(input);
      return CompletableFuture.completedStage(null);
    }
    return feed(message);
  }

  /** Waits for what the behavior has begun with. */
  CompletionStage<Void> begun() {
    return feed(() -> null);
  }

  private CompletionStage<Void> feed(Supplier<M> message) {
    tell(message);
    CompletableFuture<Void> quiet = new CompletableFuture<>();
    whenQuiet(quiet, 0);
    return quiet.applyToEither(ended, done -> done);
  }

  /** Behind what the behavior has sent to itself, and again, until nothing is on its way. */
  private void whenQuiet(CompletableFuture<Void> quiet, int quietLooks) {
    self()
        .tell(
            new MailInterceptor.Mail<M>(
                () -> null,
                () -> {},
                () -> {
                  int looks = pending.get() == 0 ? quietLooks + 1 : 0;
                  if (looks > SPINS_MAX) {
                    quiet.complete(null);
                  } else if (looks > 0) {
                    whenQuiet(quiet, looks);
                  } else {
                    actor
                        .getSystem()
                        .scheduler()
                        .scheduleOnce(
                            Duration.ofMillis(1),
                            () -> whenQuiet(quiet, 0),
                            actor.getExecutionContext());
                  }
                }));
  }

  private akka.actor.typed.ActorRef<Object> self() {
    return actor.getSelf().unsafeUpcast();
  }

  private void tell(Supplier<M> message) {
    pending.incrementAndGet();
    self().tell(new MailInterceptor.Mail<>(message, () -> {}, () -> pending.decrementAndGet()));
  }

  // ---- the context ----

  @Override
  public String id() {
    return id;
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
  public ActorContext<M> actor() {
    return actor;
  }

  @Override
  public MountedSpace space(String name) {
    MountedSpace space = spaces.get(name);
    if (space == null) {
      throw new MemSpaceException(
          ErrorCode.MOUNT_REQUIRED,
          "agent [%s] had not mounted space [%s]; it had %s".formatted(id, name, spaces.keySet()));
    }
    return space;
  }

  @Override
  public Set<String> spaces() {
    return spaces.keySet();
  }

  @Override
  public void mount(String space, Access access, BiFunction<MountedSpace, Throwable, M> result) {
    MountedSpace there = spaces.get(space);
    tell(() -> result.apply(there, there == null ? refused("mount") : null));
  }

  private MemSpaceException refused(String what) {
    tape.diverged("it asks for [%s], which a rerun cannot give".formatted(what));
    return new MemSpaceException(ErrorCode.UNAVAILABLE, "a rerun can't " + what);
  }

  @Override
  public void unmount(String space, BiFunction<Boolean, Throwable, M> result) {
    tell(() -> result.apply(true, null));
  }

  @Override
  public <T> void pipe(CompletionStage<T> stage, BiFunction<T, Throwable, M> result) {
    pending.incrementAndGet();
    stage.whenComplete(
        (value, failure) -> {
          Throwable cause =
              failure instanceof CompletionException && failure.getCause() != null
                  ? failure.getCause()
                  : failure;
          tell(() -> result.apply(value, cause));
          pending.decrementAndGet();
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
    String topic = Inboxes.topic(agent);
    long revision =
        tape.sent(inboxSpace, topic, Inboxes.withoutCorrelation(content))
            .map(version -> version.revision())
            .orElse(0L);
    long timestamp = Timestamps.firstOf(System.currentTimeMillis());
    return CompletableFuture.completedStage(
        new Published(
            Message.id(topic, timestamp, AgentSpec.holder(id)), revision, timestamp, false));
  }

  @Override
  public CompletionStage<Published> reply(Message question, Content answer) {
    String prefix = AgentSpec.holder("");
    return question.sender().startsWith(prefix)
        ? send(question.sender().substring(prefix.length()), answer)
        : CompletableFuture.failedStage(
            new MemSpaceException(
                ErrorCode.AGENT_NOT_FOUND,
                "the message came from [%s], which is no agent and has no inbox"
                    .formatted(question.sender())));
  }

  @Override
  public void ask(
      String agent, Content question, Duration timeout, BiFunction<Message, Throwable, M> answer) {
    CompletableFuture<Message> answered = new CompletableFuture<>();
    asked.add(answered); // answers come in the order in which they came
    send(agent, question);
    answered.thenAccept(message -> tell(() -> answer.apply(message, null)));
  }

  @Override
  public CompletionStage<Published> route(Content content) {
    return CompletableFuture.failedStage(refused("route a message"));
  }

  @Override
  public CompletionStage<RegisteredRoute> offer(
      String name, boolean all, String description, List<String> examples) {
    return CompletableFuture.failedStage(refused("offer a route"));
  }

  @Override
  public CompletionStage<Void> withdraw(String name) {
    return CompletableFuture.failedStage(refused("withdraw a route"));
  }

  @Override
  public CompletionStage<Published> handOver(HandOver handOver) {
    return CompletableFuture.failedStage(refused("hand a conversation over"));
  }

  @Override
  public <T> void blocking(Callable<T> call, BiFunction<T, Throwable, M> result) {
    MemSpaceException refused = refused("make a call that was not recorded");
    tell(() -> result.apply(null, refused));
  }

  @Override
  public void call(
      String name, String request, Callable<Reply> call, BiFunction<Reply, Throwable, M> result) {
    tell(
        () -> {
          Reply reply;
          try {
            reply = callAndWait(name, request, call);
          } catch (MemSpaceException failed) {
            return result.apply(null, failed);
          }
          return result.apply(reply, null);
        });
  }

  @Override
  public Reply callAndWait(String name, String request, Callable<Reply> call) {
    Tape.Answer then =
        tape.call(LifeLog.CALL, name, Bytes.utf8(request))
            .orElseThrow(
                () ->
                    new MemSpaceException(
                        ErrorCode.UNAVAILABLE,
                        "a rerun calls nothing, and no reply of [%s] to this is recorded"
                            .formatted(name)));
    if (then.failed()) {
      throw new MemSpaceException(ErrorCode.UNAVAILABLE, then.text());
    }
    return new Reply(then.text(), then.tokens());
  }

  @Override
  public <T> void steps(Callable<T> steps, BiFunction<T, Throwable, M> result) {
    CompletableFuture<T> done = new CompletableFuture<>();
    pipe(done, result);
    actor
        .getSystem()
        .dispatchers()
        .lookup(DispatcherSelector.blocking())
        .execute(
            () -> {
              try {
                done.complete(steps.call());
              } catch (Throwable failure) { // an Error too: the behavior waits for an answer
                done.completeExceptionally(failure);
              }
            });
  }

  @Override
  public Instant now() {
    return tape.call(LifeLog.CLOCK, "", Bytes.EMPTY)
        .map(then -> Instant.parse(then.text()))
        .orElseGet(Instant::now);
  }

  @Override
  public RandomGenerator random() {
    return new SplittableRandom(
        tape.call(LifeLog.RANDOM, "", Bytes.EMPTY)
            .map(then -> Long.parseLong(then.text()))
            .orElseGet(() -> ThreadLocalRandom.current().nextLong()));
  }

  @Override
  public void schedule(String name, Duration delay, Supplier<M> message) {
    timers.computeIfAbsent(name, key -> new ArrayDeque<>()).add(message);
  }
}
