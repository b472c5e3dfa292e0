package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import io.nucleusmem.agent.AgentProtocol.Command;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.receipts.Failures;
import io.nucleusmem.receipts.LifeCalls;
import io.nucleusmem.receipts.LifeLog;
import io.nucleusmem.receipts.RecordedSpace;
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
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** The context of one life of an agent's behavior: what it gets and does is recorded. */
final class AgentContextImpl<M> extends ContextBase<M, AgentContextImpl.Question> {
  private final AgentSpec spec;
  private final AgentNode node;
  private final ActorRef<Command> host;
  private final MountedSpace inbox;
  private final LifeLog life;
  private final ContextWatches<M> watches;
  private final OutsideCalls outside;
  private final RecordedRouter router;
  private final long bornAt = Timestamps.firstOf(System.currentTimeMillis());
  private volatile Map<String, RecordedSpace> spaces = Map.of();
  private volatile String current = ""; // what the behavior is handling: watch@revision

  /** What was asked for while an input was handled, and its number among all that was. */
  record Question(LifeLog.Mark during, long ask) {}

  AgentContextImpl(
      String id,
      AgentSpec spec,
      AgentType<M> type,
      AgentNode node,
      ActorRef<AgentRunner.Message> runner,
      ActorRef<Command> host,
      MountedSpace inbox,
      LifeLog life) {
    super(id);
    this.spec = spec;
    this.node = node;
    this.host = host;
    this.inbox = inbox;
    this.life = life;
    this.watches = new ContextWatches<>(this, type, node.settings().space(), runner, inbox);
    this.outside = new OutsideCalls(node, life, type.messages().getClassLoader());
    this.router = new RecordedRouter(id, spec.type(), node.router(), life);
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
  Map<String, RecordedSpace> mounted() {
    return spaces;
  }

  @Override
  public RecordedSpace space(String name) {
    return (RecordedSpace) super.space(name);
  }

  @Override
  public String type() {
    return spec.type();
  }

  @Override
  public Map<String, String> config() {
    return spec.config();
  }

  AgentSettings settings() {
    return node.settings();
  }

  /** What is being handled is not done before {@link #tell} has told of the result. */
  @Override
  Question question() {
    Question question = number();
    life.underWay().begins(question.during());
    return question;
  }

  private Question number() {
    LifeLog.Mark during = life.current();
    return new Question(during, during.asks().next());
  }

  /** What it brings was asked for while something else was handled, and belongs to that. */
  @Override
  void tell(Question asked, Supplier<M> message) {
    LifeLog.Mark mark = life.markOfResult(asked.during());
    self()
        .tell(
            new MailInterceptor.Mail<>(
                message,
                () -> {
                  current(AgentWatch.place(mark));
                  life.turns().takes(mark, asked.ask());
                },
                () -> {
                  current("");
                  life.handled(mark);
                  life.underWay().ends(mark);
                }));
  }

  /** Messages that do not come by the context have turns too. */
  MailInterceptor.Others others() {
    return new MailInterceptor.Others() {
      private LifeLog.Mark mark;

      @Override
      public boolean takes(Object message) {
        mark = life.turns().takesOwn(message.getClass());
        return true;
      }

      @Override
      public void handled() {
        life.handled(mark);
      }
    };
  }

  // ---- mounts ----

  @Override
  public void mount(String space, Access access, BiFunction<MountedSpace, Throwable, M> result) {
    change(
        AgentMount.of(space, access),
        true,
        failure -> result.apply(failure == null ? space(space) : null, failure));
  }

  @Override
  public void unmount(String space, BiFunction<Boolean, Throwable, M> result) {
    change(
        AgentMount.of(space, Access.READ_ONLY),
        false,
        failure -> result.apply(failure == null, failure));
  }

  private void change(AgentMount mount, boolean add, Function<Throwable, M> result) {
    Question asked = question();
    Bytes request = Bytes.utf8(add ? "mount" : "unmount");
    changed(mount, add)
        .whenComplete(
            (done, failure) ->
                tell(
                    asked,
                    () -> {
                      Throwable why = Failures.unwrap(failure);
                      if (why == null) {
                        life.calls()
                            .answered(
                                LifeCalls.MOUNT,
                                mount.space(),
                                asked.during(),
                                request,
                                Bytes.EMPTY,
                                0,
                                0);
                      } else {
                        life.calls()
                            .failed(
                                LifeCalls.MOUNT, mount.space(), asked.during(), request, why, 0);
                      }
                      return result.apply(why);
                    }));
  }

  private CompletionStage<Void> changed(AgentMount mount, boolean add) {
    if (add && mount.space().equals(node.settings().space())) {
      return CompletableFuture.failedFuture(
          MemSpaceException.invalid(
              "space", mount.space(), "a space other than the runtime's own"));
    }
    CompletableFuture<Void> done = new CompletableFuture<>();
    return life.effect(
        () -> {
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
          return done;
        });
  }

  // ---- watches ----

  @Override
  public void watch(
      String name, String space, WatchRequest request, Function<Seen<Signal>, M> message) {
    watches.watch(name, space, request, message);
  }

  @Override
  public void subscribe(
      String name, String space, String topic, Function<Seen<Message>, M> message) {
    watches.subscribe(name, space, topic, message);
  }

  AgentWatch inboxWatch() {
    return watches.inbox();
  }

  // ---- others ----

  @Override
  public CompletionStage<Published> send(String agent, Content content) {
    return life.sent(
        () ->
            node.directory()
                .require(agent)
                .thenCompose(
                    there ->
                        node.inboxes()
                            .send(AgentSpec.holder(id()), agent, content, WriteOptions.DEFAULT)),
        node.settings().space(),
        inbox.mount().id(),
        Inboxes.topic(agent),
        Inboxes.withoutCorrelation(content));
  }

  @Override
  public void ask(
      String agent, Content question, Duration timeout, BiFunction<Message, Throwable, M> answer) {
    Question asked = question();
    String askId = UUID.randomUUID().toString(); // nobody else can answer
    CompletableFuture<Message> answered = watches.answerTo(askId);
    Map<String, String> metadata = new HashMap<>(question.metadata());
    metadata.put(Inboxes.ASK, askId);
    send(agent, question.withMetadata(metadata))
        .whenComplete(
            (sent, failure) -> {
              if (failure != null) {
                answered.completeExceptionally(Failures.unwrap(failure));
              }
            });
    answered
        .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
        .whenComplete(
            (message, failure) -> {
              watches.forget(askId);
              tell(asked, () -> answer.apply(message, Failures.unwrap(failure)));
            });
  }

  @Override
  public CompletionStage<Published> route(Content content) {
    return router.route(content);
  }

  @Override
  public CompletionStage<RegisteredRoute> offer(
      String name, boolean all, String description, List<String> examples) {
    Target target = all ? new Target.AgentType(spec.type()) : new Target.Agent(id());
    return router.offer(new Route(name, target, description, examples, Map.of()), all);
  }

  @Override
  public CompletionStage<Void> withdraw(String name) {
    return router.withdraw(name);
  }

  @Override
  public CompletionStage<Published> handOver(HandOver handOver) {
    return router.handOver(spaces.values().stream().map(MountedSpace::mount).toList(), handOver);
  }

  // ---- work that blocks, and what else comes from outside ----

  @Override
  public <T> void blocking(Callable<T> call, BiFunction<T, Throwable, M> result) {
    Question asked = question();
    given(asked, outside.blocking(asked.during(), asked.ask(), call), result);
  }

  @Override
  public void call(
      String name, String request, Callable<Reply> call, BiFunction<Reply, Throwable, M> result) {
    Question asked = question();
    given(asked, outside.call(asked.during(), name, request, call), result);
  }

  @Override
  public <T> void steps(Callable<T> steps, BiFunction<T, Throwable, M> result) {
    Question asked = question();
    given(asked, outside.steps(asked.during(), asked.ask(), steps), result);
  }

  private <T> void given(
      Question asked,
      CompletionStage<OutsideCalls.Given<T>> stage,
      BiFunction<T, Throwable, M> result) {
    stage.thenAccept(
        given ->
            tell(
                asked,
                () -> {
                  given.record().run();
                  return result.apply(given.result(), given.failure());
                }));
  }

  @Override
  public Reply callAndWait(String name, String request, Callable<Reply> call) {
    return outside.callAndWait(name, request, call);
  }

  @Override
  public Instant now() {
    Instant now = Instant.now();
    life.calls().answered(LifeCalls.CLOCK, life.current(), Bytes.utf8(now.toString()));
    return now;
  }

  @Override
  public RandomGenerator random() {
    long seed = ThreadLocalRandom.current().nextLong();
    life.calls().answered(LifeCalls.RANDOM, life.current(), Bytes.utf8(Long.toString(seed)));
    return new SplittableRandom(seed);
  }

  @Override
  public void schedule(String name, Duration delay, Supplier<M> message) {
    Question set = number();
    LifeLog.Mark[] fired = new LifeLog.Mark[1]; // on the behavior's thread
    actor()
        .getSystem()
        .scheduler()
        .scheduleOnce(
            delay,
            () ->
                self()
                    .tell(
                        new MailInterceptor.Mail<>(
                            message,
                            () -> fired[0] = life.turns().fires(name, set.during(), set.ask()),
                            () -> life.handled(fired[0]))),
            actor().getExecutionContext());
  }
}
