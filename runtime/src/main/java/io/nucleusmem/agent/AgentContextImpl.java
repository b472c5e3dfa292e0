package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import akka.actor.typed.javadsl.ActorContext;
import io.nucleusmem.agent.AgentProtocol.Command;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.MountedTopic;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.receipts.How;
import io.nucleusmem.receipts.LifeLog;
import io.nucleusmem.receipts.RecordedSpace;
import io.nucleusmem.receipts.SeenVersion;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.Target;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** The context of one life of an agent's behavior. */
final class AgentContextImpl<M> implements AgentContext<M> {
  static final String INBOX = "inbox";

  private final String id;
  private final AgentSpec spec;
  private final AgentType<M> type;
  private final AgentNode node;
  private final ActorRef<AgentRunner.Message> runner;
  private final ActorRef<Command> host;
  private final MountedSpace inbox;
  private final LifeLog life;
  private final long bornAt = Timestamps.firstOf(System.currentTimeMillis());
  private final Map<String, CompletableFuture<Message>> asked = new ConcurrentHashMap<>();
  private volatile Map<String, RecordedSpace> spaces = Map.of();
  private volatile String current = ""; // what the behavior is handling: watch@revision
  private boolean watchesInbox;
  private ActorContext<M> actor;

  AgentContextImpl(
      String id,
      AgentSpec spec,
      AgentType<M> type,
      AgentNode node,
      ActorRef<AgentRunner.Message> runner,
      ActorRef<Command> host,
      MountedSpace inbox,
      LifeLog life) {
    this.id = id;
    this.spec = spec;
    this.type = type;
    this.node = node;
    this.runner = runner;
    this.host = host;
    this.inbox = inbox;
    this.life = life;
    this.watchesInbox = type.inbox().isPresent();
  }

  void bind(ActorContext<M> itsActor) {
    actor = itsActor;
  }

  /**
   * @param mounts what the agent has mounted, and whether it is to be recorded
   */
  void spaces(Map<String, MountedSpace> now, List<AgentMount> mounts) {
    Map<String, RecordedSpace> recorded = new HashMap<>();
    for (AgentMount mount : mounts) {
      recorded.put(
          mount.space(), new RecordedSpace(now.get(mount.space()), life, mount.isRecorded()));
    }
    spaces = Map.copyOf(recorded);
  }

  LifeLog life() {
    return life;
  }

  long bornAt() {
    return bornAt;
  }

  String current() {
    return current;
  }

  void current(String place) {
    current = place;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public String type() {
    return spec.type();
  }

  AgentSettings settings() {
    return node.settings();
  }

  @Override
  public Map<String, String> config() {
    return spec.config();
  }

  @Override
  public ActorContext<M> actor() {
    return actor;
  }

  // ---- memory ----

  @Override
  public RecordedSpace space(String name) {
    RecordedSpace space = spaces.get(name);
    if (space == null) {
      throw new MemSpaceException(
          ErrorCode.MOUNT_REQUIRED,
          "agent [%s] has not mounted space [%s]; it has %s".formatted(id, name, spaces.keySet()));
    }
    return space;
  }

  @Override
  public Set<String> spaces() {
    return spaces.keySet();
  }

  @Override
  public void mount(String space, Access access, BiFunction<MountedSpace, Throwable, M> result) {
    LifeLog.Mark asked = awaited();
    change(AgentMount.of(space, access), true)
        .whenComplete(
            (done, failure) ->
                tell(
                    asked,
                    () -> result.apply(failure == null ? space(space) : null, unwrap(failure))));
  }

  @Override
  public void unmount(String space, BiFunction<Boolean, Throwable, M> result) {
    LifeLog.Mark asked = awaited();
    change(AgentMount.of(space, Access.READ_ONLY), false)
        .whenComplete(
            (done, failure) -> tell(asked, () -> result.apply(failure == null, unwrap(failure))));
  }

  private CompletionStage<Void> change(AgentMount mount, boolean add) {
    if (add && mount.space().equals(node.settings().space())) {
      return CompletableFuture.failedFuture(
          MemSpaceException.invalid(
              "space", mount.space(), "a space other than the runtime's own"));
    }
    CompletableFuture<Void> done = new CompletableFuture<>();
    CompletionStage<Void> left =
        life.effect(
            () -> {
              tellHost(mount, add, done);
              return done;
            });
    return left;
  }

  private void tellHost(AgentMount mount, boolean add, CompletableFuture<Void> done) {
    host.tell(
        new AgentProtocol.ChangeMount(
            mount,
            add,
            (mountId, failure) -> {
              if (failure == null) {
                done.complete(null);
              } else {
                done.completeExceptionally(failure);
              }
            }));
  }

  @Override
  public <T> void pipe(CompletionStage<T> stage, BiFunction<T, Throwable, M> result) {
    LifeLog.Mark asked = awaited();
    stage.whenComplete((value, failure) -> tell(asked, () -> result.apply(value, unwrap(failure))));
  }

  /** What is being handled; it is not done before {@link #tell} has told of a result. */
  private LifeLog.Mark awaited() {
    LifeLog.Mark asked = life.current();
    life.underWay().begins(asked);
    return asked;
  }

  /**
   * Makes the message on the agent's own thread. What it brings was asked for while something else
   * was handled, and what comes of it belongs to that.
   */
  private void tell(LifeLog.Mark asked, Supplier<M> message) {
    LifeLog.Mark mark = life.markOf(asked.watch(), asked.revision(), asked.input());
    actor
        .getSelf()
        .<Object>unsafeUpcast()
        .tell(
            new MailInterceptor.Mail<>(
                message,
                () -> {
                  current(AgentWatch.place(asked));
                  life.begins(mark);
                },
                () -> {
                  current("");
                  life.handled(mark);
                  life.underWay().ends(asked);
                }));
  }

  private static Throwable unwrap(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  @Override
  public void watch(
      String name, String space, WatchRequest request, Function<Seen<Signal>, M> message) {
    RecordedSpace recorded = space(space);
    MountedSpace mounted = recorded.unrecorded();
    startWatch(
        new AgentWatch(
            name,
            space,
            request.from(),
            (from, handler) ->
                mounted.watch(
                    new WatchRequest(request.region(), request.prefix(), from, request.values()),
                    handler),
            signal ->
                CompletableFuture.completedFuture(
                    redelivered -> message.apply(new Seen<>(signal, redelivered))),
            recorded.receipts()
                ? signals -> signalled(space, name, mounted, signals)
                : AgentWatch.Receipts.NONE,
            this));
  }

  private CompletionStage<Long> signalled(
      String space, String watch, MountedSpace mounted, List<Signal> signals) {
    return life.input(
        How.SIGNAL,
        true,
        space,
        mounted.mount().id(),
        space + "/" + watch,
        signals.stream()
            .map(s -> SeenVersion.entry(s.key().region(), s.key().name(), s.revision()))
            .toList());
  }

  @Override
  public void subscribe(
      String name, String space, String topic, Function<Seen<Message>, M> message) {
    RecordedSpace recorded = space(space);
    MountedSpace mounted = recorded.unrecorded();
    startWatch(
        topicWatch(
            name,
            space,
            mounted.topic(topic),
            OptionalLong.empty(),
            message::apply,
            recorded.receipts()
                ? signals -> messages(space, space + "/" + name, mounted, topic, signals)
                : AgentWatch.Receipts.NONE));
  }

  private CompletionStage<Long> messages(
      String space, String watch, MountedSpace mounted, String topic, List<Signal> signals) {
    return life.input(
        How.MESSAGE,
        true,
        space,
        mounted.mount().id(),
        watch,
        signals.stream().map(s -> SeenVersion.message(topic, s.revision())).toList());
  }

  private AgentWatch topicWatch(
      String name,
      String space,
      MountedTopic topic,
      OptionalLong firstFrom,
      Function<Seen<Message>, Object> message,
      AgentWatch.Receipts receipts) {
    return new AgentWatch(
        name,
        space,
        firstFrom,
        (from, handler) -> topic.watch(from, Optional.of(id), true, handler),
        signal ->
            fetch(topic, signal)
                .thenApply(found -> redelivered -> message.apply(new Seen<>(found, redelivered))),
        receipts,
        this);
  }

  private static CompletionStage<Message> fetch(MountedTopic topic, Signal signal) {
    if (signal.content().isEmpty()) {
      return topic.message(signal.revision()).thenApply(Optional::orElseThrow);
    }
    return CompletableFuture.completedFuture(
        new Message(
            Message.id(topic.name(), signal.timestamp(), signal.author()),
            topic.name(),
            signal.revision(),
            signal.timestamp(),
            signal.author(),
            signal.to(),
            signal.content().get()));
  }

  private void startWatch(AgentWatch watch) {
    if (watch.name().equals(INBOX)) {
      throw new IllegalArgumentException(
          "the watch name [inbox] is the runtime's own; choose another");
    }
    runner.tell(new AgentRunner.StartWatch(watch));
  }

  // ---- others ----

  /**
   * The watch of the inbox: answers to what was asked go to whoever asked, the rest to the
   * behavior.
   */
  AgentWatch inboxWatch() {
    String space = node.settings().space();
    String topic = Inboxes.topic(id);
    return topicWatch(
        INBOX,
        space,
        inbox.topic(topic),
        OptionalLong.of(1),
        this::received,
        signals -> messages(space, INBOX, inbox, topic, signals));
  }

  private M received(Seen<Message> seen) {
    String answered = seen.what().content().metadata().get(Inboxes.ANSWER);
    CompletableFuture<Message> question = answered == null ? null : asked.remove(answered);
    if (question != null) {
      question.complete(seen.what());
      return null;
    }
    return type.inbox().map(adapter -> adapter.apply(seen)).orElse(null);
  }

  @Override
  public CompletionStage<Published> send(String agent, Content content) {
    return life.sent(
        () ->
            node.directory()
                .require(agent)
                .thenCompose(
                    there ->
                        node.inboxes()
                            .send(AgentSpec.holder(id), agent, content, WriteOptions.DEFAULT)),
        node.settings().space(),
        inbox.mount().id(),
        Inboxes.topic(agent),
        Inboxes.withoutCorrelation(content));
  }

  @Override
  public CompletionStage<Published> reply(Message question, Content answer) {
    String ask = question.content().metadata().get(Inboxes.ASK);
    Map<String, String> metadata = new HashMap<>(answer.metadata());
    if (ask != null) {
      metadata.put(Inboxes.ANSWER, ask);
    }
    String prefix = AgentSpec.holder("");
    if (!question.sender().startsWith(prefix)) {
      return CompletableFuture.failedFuture(
          new MemSpaceException(
              ErrorCode.AGENT_NOT_FOUND,
              "the message came from [%s], which is no agent and has no inbox"
                  .formatted(question.sender())));
    }
    return send(question.sender().substring(prefix.length()), answer.withMetadata(metadata));
  }

  @Override
  public void ask(
      String agent, Content question, Duration timeout, BiFunction<Message, Throwable, M> answer) {
    LifeLog.Mark asking = awaited();
    String askId = UUID.randomUUID().toString();
    CompletableFuture<Message> answered = new CompletableFuture<>();
    asked.put(askId, answered);
    if (!watchesInbox) {
      watchesInbox = true;
      runner.tell(new AgentRunner.StartWatch(inboxWatch()));
    }
    Map<String, String> metadata = new HashMap<>(question.metadata());
    metadata.put(Inboxes.ASK, askId);
    send(agent, question.withMetadata(metadata))
        .whenComplete(
            (sent, failure) -> {
              if (failure != null) {
                answered.completeExceptionally(unwrap(failure));
              }
            });
    answered
        .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
        .whenComplete(
            (message, failure) -> {
              asked.remove(askId);
              tell(asking, () -> answer.apply(message, unwrap(failure)));
            });
  }

  @Override
  public CompletionStage<Published> route(Content content) {
    return left(router().thenCompose(router -> router.route(AgentSpec.holder(id), content)));
  }

  @Override
  public CompletionStage<RegisteredRoute> offer(
      String name, boolean all, String description, List<String> examples) {
    Target target = all ? new Target.AgentType(spec.type()) : new Target.Agent(id);
    return router()
        .thenCompose(
            router ->
                router.offer(
                    all ? ofType() : AgentSpec.holder(id),
                    new Route(name, target, description, examples, Map.of()),
                    Set.of()));
  }

  @Override
  public CompletionStage<Void> withdraw(String name) {
    return router()
        .thenCompose(router -> router.withdraw(List.of(AgentSpec.holder(id), ofType()), name));
  }

  @Override
  public CompletionStage<Published> handOver(HandOver handOver) {
    List<MountInfo> held = spaces.values().stream().map(MountedSpace::mount).toList();
    return left(router().thenCompose(router -> router.handOver(id, held, handOver)));
  }

  private <T> CompletionStage<T> left(CompletionStage<T> write) {
    life.underWay().write(life.current(), write);
    return write;
  }

  /** The owner of what any agent of the type may take. */
  private String ofType() {
    return "agent-type/" + spec.type();
  }

  private CompletionStage<RouterHook> router() {
    return life.effect(
        () ->
            node.router()
                .map(CompletableFuture::completedFuture)
                .orElseGet(
                    () ->
                        CompletableFuture.failedFuture(
                            new MemSpaceException(
                                ErrorCode.UNAVAILABLE,
                                "no router is configured on this node; send to an agent or publish"
                                    + " to a topic"))));
  }

  @Override
  public <T> void blocking(Callable<T> call, BiFunction<T, Throwable, M> result) {
    if (!node.blockingCalls().tryAcquire()) {
      MemSpaceException busy =
          new MemSpaceException(
              ErrorCode.BUSY,
              "[%d] blocking calls are under way or waiting on this node, as many as nucleusmem.agents.blocking-max allows; try again later"
                  .formatted(node.settings().blockingMax()));
      tell(awaited(), () -> result.apply(null, busy));
      return;
    }
    CompletableFuture<T> called = new CompletableFuture<>();
    CompletionStage<T> left =
        life.effect(
            () -> {
              execute(call, called);
              return called;
            });
    // the place is free before the agent hears of it and asks for the next
    pipe(left.whenComplete((value, failure) -> node.blockingCalls().release()), result);
  }

  @Override
  public void call(
      String name, String request, Callable<Reply> call, BiFunction<Reply, Throwable, M> result) {
    LifeLog.Mark asked = life.current();
    long begun = System.nanoTime();
    blocking(
        call,
        (reply, failure) -> {
          // before the behavior has it, and on disk before anything comes of it
          life.called(
              LifeLog.CALL,
              name,
              asked,
              Bytes.utf8(request),
              failure != null,
              Bytes.utf8(failure == null ? reply.text() : String.valueOf(failure.getMessage())),
              (System.nanoTime() - begun) / 1_000,
              failure == null ? reply.tokens() : 0);
          return result.apply(reply, failure);
        });
  }

  @Override
  public <T> void steps(Callable<T> steps, BiFunction<T, Throwable, M> result) {
    LifeLog.Mark asked = life.current();
    blocking(() -> life.during(asked, steps), result);
  }

  @Override
  public Reply callAndWait(String name, String request, Callable<Reply> call) {
    // what was read is on disk before the call leaves
    life.effect(() -> CompletableFuture.completedFuture(null)).toCompletableFuture().join();
    long begun = System.nanoTime();
    try {
      Reply reply = call.call();
      called(name, request, false, reply.text(), begun, reply.tokens());
      return reply;
    } catch (RuntimeException failure) {
      called(name, request, true, String.valueOf(failure.getMessage()), begun, 0);
      throw failure;
    } catch (Exception failure) {
      called(name, request, true, String.valueOf(failure.getMessage()), begun, 0);
      throw new CompletionException(failure);
    }
  }

  private void called(
      String name, String request, boolean failed, String reply, long begun, long tokens) {
    life.called(
        LifeLog.CALL,
        name,
        life.current(),
        Bytes.utf8(request),
        failed,
        Bytes.utf8(reply),
        (System.nanoTime() - begun) / 1_000,
        tokens);
  }

  @Override
  public Instant now() {
    Instant now = Instant.now();
    life.called(LifeLog.CLOCK, "", life.current(), Bytes.utf8(now.toString()));
    return now;
  }

  @Override
  public RandomGenerator random() {
    long seed = ThreadLocalRandom.current().nextLong();
    life.called(LifeLog.RANDOM, "", life.current(), Bytes.utf8(Long.toString(seed)));
    return new SplittableRandom(seed);
  }

  @Override
  public void schedule(String name, Duration delay, Supplier<M> message) {
    LifeLog.Mark set = life.current();
    actor
        .getSystem()
        .scheduler()
        .scheduleOnce(
            delay,
            () ->
                tell(
                    LifeLog.Mark.NONE,
                    () -> {
                      life.fired(name, set);
                      return message.get();
                    }),
            actor.getExecutionContext());
  }

  private <T> void execute(Callable<T> call, CompletableFuture<T> called) {
    try {
      node.blocking()
          .execute(
              () -> {
                try {
                  called.complete(call.call());
                } catch (Throwable failure) { // an Error too: the agent waits for an answer
                  called.completeExceptionally(failure);
                }
              });
    } catch (RejectedExecutionException stopping) {
      called.completeExceptionally(stopping);
    }
  }
}
