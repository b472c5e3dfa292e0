package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.EntityRef;
import akka.cluster.sharding.typed.javadsl.EntityTypeKey;
import akka.persistence.typed.PersistenceId;
import akka.persistence.typed.RecoveryCompleted;
import akka.persistence.typed.javadsl.CommandHandler;
import akka.persistence.typed.javadsl.Effect;
import akka.persistence.typed.javadsl.EffectBuilder;
import akka.persistence.typed.javadsl.EventHandler;
import akka.persistence.typed.javadsl.EventSourcedBehavior;
import akka.persistence.typed.javadsl.RetentionCriteria;
import akka.persistence.typed.javadsl.SignalHandler;
import io.nucleusmem.agent.AgentProtocol.Acquiring;
import io.nucleusmem.agent.AgentProtocol.ChangeMount;
import io.nucleusmem.agent.AgentProtocol.Command;
import io.nucleusmem.agent.AgentProtocol.CursorAt;
import io.nucleusmem.agent.AgentProtocol.CursorsMoved;
import io.nucleusmem.agent.AgentProtocol.Describe;
import io.nucleusmem.agent.AgentProtocol.Event;
import io.nucleusmem.agent.AgentProtocol.Held;
import io.nucleusmem.agent.AgentProtocol.Info;
import io.nucleusmem.agent.AgentProtocol.Leave;
import io.nucleusmem.agent.AgentProtocol.MountChanged;
import io.nucleusmem.agent.AgentProtocol.MountsHeld;
import io.nucleusmem.agent.AgentProtocol.Question;
import io.nucleusmem.agent.AgentProtocol.Refused;
import io.nucleusmem.agent.AgentProtocol.Released;
import io.nucleusmem.agent.AgentProtocol.Reply;
import io.nucleusmem.agent.AgentProtocol.RunnerAt;
import io.nucleusmem.agent.AgentProtocol.RunnerEnded;
import io.nucleusmem.agent.AgentProtocol.Spawn;
import io.nucleusmem.agent.AgentProtocol.Spawned;
import io.nucleusmem.agent.AgentProtocol.State;
import io.nucleusmem.agent.AgentProtocol.Stop;
import io.nucleusmem.agent.AgentProtocol.Stopped;
import io.nucleusmem.agent.AgentProtocol.SwitchMounts;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.Principal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * Remembers one agent: what it is, what it has mounted, how far its watches have got. Runs it in a
 * child.
 *
 * <p>Lifecycle: {@code none --Spawn--> acquiring --> running --Stop--> stopped}; {@code running
 * --SwitchMounts--> acquiring --> running}. The step from one set of mounts to another is one
 * event; what was acquired before it or is to be released after it is finished on restart.
 */
final class AgentHost extends EventSourcedBehavior<Command, Event, State> {
  static final EntityTypeKey<Command> TYPE_KEY = EntityTypeKey.create(Command.class, "agent");

  private static final CompletionStage<Void> NOTHING = CompletableFuture.completedFuture(null);
  private static final int EVENTS_PER_SNAPSHOT = 500;
  private static final int SNAPSHOTS_KEPT = 2;
  // how long a behavior may take to finish its message when the agent stops, moves or is switched
  private static final Duration RUNNER_END_MAX = Duration.ofSeconds(5);
  private static final int FOR_NEXT_MAX = 1_000; // beyond it, who asked gets no answer in time

  private record Acquired(int attempt, AgentMounts.Change change, Throwable failure)
      implements Command {}

  private record AcquireAgain() implements Command {}

  private record ReleaseDone() implements Command {}

  private record StopDone(ActorRef<Reply> replyTo, Info info) implements Command {}

  private record SaveCursors() implements Command {}

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final String id;
  private final AgentNode node;
  private final ActorRef<ClusterSharding.ShardCommand> shard;
  private final EntityRef<Command> next; // whoever hosts the id once this host has left
  private final List<Command> forNext = new ArrayList<>();
  private boolean leaving; // no agent lives here any more, and sharding is asked to stop this host
  private boolean stopping; // what the agent had is being released
  private final Map<String, Long> unsaved = new HashMap<>();
  private final List<ActorRef<Reply>> waiting =
      new ArrayList<>(); // for the agent to run with its new mounts
  private boolean acquiring;
  private int acquisitions;
  private int releasesUnderWay;
  private Function<State, EffectBuilder<Event, State>> whenEnded; // the runner is asked to end
  private int unsavedSignals;
  private ActorRef<AgentRunner.Message> runner;
  private AgentInfo.State doing = AgentInfo.State.STARTING;
  private int restarts;
  private MountChanged mountChange; // the agent's own change that is under way

  static Behavior<Command> create(
      String id,
      AgentNode node,
      ActorRef<ClusterSharding.ShardCommand> shard,
      EntityRef<Command> next) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new AgentHost(context, timers, id, node, shard, next)));
  }

  private AgentHost(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      String id,
      AgentNode node,
      ActorRef<ClusterSharding.ShardCommand> shard,
      EntityRef<Command> next) {
    super(
        PersistenceId.of(TYPE_KEY.name(), id),
        SupervisorStrategy.restartWithBackoff(
            node.settings().backoffMin(), node.settings().backoffMax(), 0.1));
    this.context = context;
    this.timers = timers;
    this.id = id;
    this.node = node;
    this.shard = shard;
    this.next = next;
  }

  @Override
  public State emptyState() {
    return State.NONE;
  }

  @Override
  public EventHandler<State, Event> eventHandler() {
    return (state, event) -> event.applyTo(state);
  }

  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(EVENTS_PER_SNAPSHOT, SNAPSHOTS_KEPT)
        .withDeleteEventsOnSnapshot();
  }

  @Override
  public SignalHandler<State> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(RecoveryCompleted.instance(), this::recovered)
        .build();
  }

  @Override
  public CommandHandler<Command, Event, State> commandHandler() {
    var commands = newCommandHandlerBuilder();
    commands
        .forState(state -> leaving)
        .onCommand(Leave.class, this::onLeft)
        .onCommand(Question.class, this::onAskedOfNext);
    commands
        .forAnyState()
        .onCommand(Spawn.class, this::onSpawn)
        .onCommand(Describe.class, this::onDescribe)
        .onCommand(SwitchMounts.class, this::onSwitchMounts)
        .onCommand(Stop.class, this::onStop)
        .onCommand(Leave.class, this::onLeave)
        .onCommand(ChangeMount.class, this::onChangeMount)
        .onCommand(Acquired.class, this::onAcquired)
        .onCommand(AcquireAgain.class, this::onAcquireAgain)
        .onCommand(RunnerEnded.class, this::onRunnerEnded)
        .onCommand(ReleaseDone.class, this::onReleaseDone)
        .onCommand(StopDone.class, this::onStopDone)
        .onCommand(CursorAt.class, this::onCursorAt)
        .onCommand(SaveCursors.class, this::onSaveCursors)
        .onCommand(RunnerAt.class, this::onRunnerAt);
    return commands.build();
  }

  private void recovered(State state) {
    // what was under way ended with the life before, if the journal failed in this one
    runner = null;
    whenEnded = null;
    acquisitions++;
    acquiring = false;
    releasesUnderWay = 0;
    if (mountChange != null) {
      mountChange.done(null, changing().toException());
      mountChange = null;
    }
    if (state.spec() == null || state.stopped()) {
      return;
    }
    if (!state.releasing().isEmpty()) {
      release(state, state.releasing());
    }
    if (state.acquiring() != null) {
      acquireAnew();
    } else {
      run(state, true);
      runsHere(state);
    }
  }

  private void acquireAnew() {
    context.getSelf().tell(new AcquireAgain());
  }

  /** What a try before acquired without recording it is found by its holder and released first. */
  private Effect<Event, State> onAcquireAgain(State state, AcquireAgain command) {
    if (state.acquiring() != null) {
      acquire(
          state,
          node.mounts().releaseStrays(principal(state), id, state.acquiring(), state.held()));
    }
    return Effect().none();
  }

  // ---- life ----

  private Effect<Event, State> onSpawn(State state, Spawn command) {
    if (whenEnded != null) {
      return Effect().stash();
    }
    if (state.lives()) {
      waitForMounts(state, command.replyTo());
      return Effect().none(); // the directory has let it through: the same spawn, sent again
    }
    Principal caller = new Principal(command.principal(), command.admin());
    if (state.spec() != null && !isOwners(state, caller)) {
      command.replyTo().tell(notOwner(state, caller)); // its inbox may hold what he must not read
      askToLeave();
      return Effect().none();
    }
    waiting.add(command.replyTo());
    return Effect()
        .persist(
            List.<Event>of(
                new Spawned(command.spec(), command.principal(), command.admin()),
                new Acquiring(command.spec().mounts())))
        .thenRun((State next) -> acquire(next, NOTHING));
  }

  private void waitForMounts(State state, ActorRef<Reply> replyTo) {
    if (state.acquiring() == null) {
      replyTo.tell(new Info(info(state)));
    } else {
      waiting.add(replyTo);
    }
  }

  private Effect<Event, State> onDescribe(State state, Describe command) {
    command.replyTo().tell(state.spec() == null ? unknown() : new Info(info(state)));
    return Effect().none();
  }

  /** An agent acts for who spawned it; its id and its inbox are his, also when it has stopped. */
  private static boolean isOwners(State state, Principal caller) {
    return caller.admin() || caller.name().equals(state.principal());
  }

  private Refused notOwner(State state, Principal caller) {
    return new Refused(
        ErrorCode.FORBIDDEN,
        "agent [%s] is [%s]'s; he and administrators may change it or spawn it again, [%s] is neither"
            .formatted(id, state.principal(), caller.name()));
  }

  private static Refused changing() {
    return new Refused(ErrorCode.BUSY, "the agent's mounts are being changed already; try again");
  }

  private Refused unknown() {
    return new Refused(ErrorCode.AGENT_NOT_FOUND, "there is no agent [%s]".formatted(id));
  }

  private Effect<Event, State> onStop(State state, Stop command) {
    if (whenEnded != null || acquiring) {
      return Effect().stash();
    }
    if (!state.lives()) {
      command.replyTo().tell(unknown());
      return Effect().none();
    }
    if (!isOwners(state, command.caller())) {
      command.replyTo().tell(notOwner(state, command.caller()));
      return Effect().none();
    }
    return endRunner(state, now -> stop(now, command));
  }

  private EffectBuilder<Event, State> stop(State state, Stop command) {
    List<Held> all = new ArrayList<>(state.held());
    all.addAll(state.releasing());
    List<Event> events = new ArrayList<>();
    if (!unsaved.isEmpty()) {
      events.add(new CursorsMoved(Map.copyOf(unsaved)));
      unsaved.clear();
    }
    events.add(new Stopped());
    Principal principal = principal(state);
    return Effect()
        .persist(events)
        .thenRun(
            (State last) -> {
              leaving = true; // a spawn must not find what is about to be released
              stopping = true;
              Info info = new Info(info(last));
              context.pipeToSelf(
                  node.mounts()
                      .release(principal, all)
                      .thenCompose(done -> node.inboxes().close(id)),
                  (done, failure) -> new StopDone(command.replyTo(), info));
            });
  }

  private Effect<Event, State> onStopDone(State state, StopDone done) {
    stopping = false;
    askToLeave();
    done.replyTo().tell(done.info());
    return Effect().none().thenUnstashAll();
  }

  /**
   * Asks sharding to stop this host. Until it does, messages for the id still come here; they are
   * for the next host: an agent that began to live here would be stopped with it, and forgotten.
   */
  private void askToLeave() {
    leaving = true;
    shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
  }

  private Effect<Event, State> onAskedOfNext(State state, Question command) {
    if (forNext.size() < FOR_NEXT_MAX) {
      forNext.add(command);
    }
    return Effect().none();
  }

  /** From now on sharding keeps what is sent to the id until its next host is there. */
  private Effect<Event, State> onLeft(State state, Leave command) {
    if (stopping) {
      return Effect().stash();
    }
    forNext.forEach(next::tell);
    return Effect().stop();
  }

  private Effect<Event, State> onLeave(State state, Leave command) {
    return whenEnded != null ? Effect().stash() : endRunner(state, this::leave);
  }

  private EffectBuilder<Event, State> leave(State state) {
    return unsaved.isEmpty() || !state.lives()
        ? Effect().stop()
        : Effect().persist(new CursorsMoved(Map.copyOf(unsaved))).thenStop();
  }

  // ---- mounts ----

  private Effect<Event, State> onSwitchMounts(State state, SwitchMounts command) {
    if (whenEnded != null) {
      return Effect().stash();
    }
    if (!state.lives()) {
      command.replyTo().tell(unknown());
      return Effect().none();
    }
    if (!isOwners(state, command.caller())) {
      command.replyTo().tell(notOwner(state, command.caller()));
      return Effect().none();
    }
    if (state.acquiring() != null) {
      command.replyTo().tell(changing());
      return Effect().none();
    }
    waiting.add(command.replyTo());
    return Effect()
        .persist(new Acquiring(command.mounts()))
        .thenRun((State next) -> acquire(next, NOTHING));
  }

  private Effect<Event, State> onChangeMount(State state, ChangeMount command) {
    if (!state.lives() || state.acquiring() != null || whenEnded != null) {
      command.reply().done(null, changing().toException());
      return Effect().none();
    }
    List<AgentMount> wanted = new ArrayList<>();
    state.held().stream()
        .map(Held::mount)
        .filter(mount -> !mount.space().equals(command.mount().space()))
        .forEach(wanted::add);
    if (command.add()) {
      wanted.add(command.mount());
    }
    mountChange = command.reply();
    return Effect().persist(new Acquiring(wanted)).thenRun((State next) -> acquire(next, NOTHING));
  }

  /** Acquires what is not held yet in the same form. */
  private void acquire(State state, CompletionStage<Void> before) {
    int attempt = ++acquisitions;
    acquiring = true;
    context.pipeToSelf(
        before.thenCompose(
            done -> node.mounts().change(principal(state), id, state.held(), state.acquiring())),
        (change, failure) -> new Acquired(attempt, change, failure));
  }

  private Effect<Event, State> onAcquired(State state, Acquired result) {
    if (result.attempt() != acquisitions) { // of a life before
      if (result.failure() == null) {
        release(state, result.change().acquired());
      }
      return Effect().none();
    }
    acquiring = false;
    if (result.failure() != null) {
      return notAcquired(state, result.failure()).thenUnstashAll();
    }
    // its own change: the behavior goes on and is told
    List<Held> held = result.change().held();
    return mountChange != null
        ? hold(state, held).thenUnstashAll()
        : endRunner(state, now -> hold(now, held));
  }

  private EffectBuilder<Event, State> hold(State state, List<Held> held) {
    List<Held> old = state.held().stream().filter(each -> !held.contains(each)).toList();
    List<Held> releasing = new ArrayList<>(state.releasing());
    releasing.addAll(old);
    return Effect()
        .persist(new MountsHeld(held, releasing))
        .thenRun(
            (State next) -> {
              if (runner == null) {
                run(next, !next.cursors().isEmpty() || !unsaved.isEmpty());
              } else {
                runner.tell(new AgentRunner.MountsChanged(next.held(), mountChange));
              }
              mountChange = null;
              if (!old.isEmpty()) {
                release(next, old);
              }
              Info info = new Info(info(next));
              List<ActorRef<Reply>> told = List.copyOf(waiting);
              waiting.clear();
              // whoever hears of the new mounts finds them in the past of this moment
              runsHere(next)
                  .whenComplete((done, failure) -> told.forEach(replyTo -> replyTo.tell(info)));
            });
  }

  /** Has it written down where the agent runs and with what. */
  private CompletionStage<Void> runsHere(State state) {
    List<String> mounts = state.held().stream().map(Held::mountId).toList();
    return node.directory()
        .runs(state.spec().id(), new AgentDirectory.Runs(node.address(), mounts));
  }

  private EffectBuilder<Event, State> notAcquired(State state, Throwable failure) {
    Refused refused = Refused.of(failure);
    if (state.begins() && !refused.code().retryable()) {
      return Effect()
          .persist(new Stopped())
          .thenRun(
              (State last) -> {
                askToLeave();
                refuse(refused);
              });
    }
    refuse(refused);
    if (state.begins()) {
      // without its mounts it would only crash
      timers.startSingleTimer(new AcquireAgain(), node.settings().backoffMin().multipliedBy(5));
      return Effect().none();
    }
    // what was held before stays: a switch happens whole or not at all
    return Effect()
        .persist(new MountsHeld(state.held(), state.releasing()))
        .thenRun(
            (State next) -> {
              if (runner == null) {
                run(next, true);
              }
            });
  }

  private void refuse(Refused refused) {
    waiting.forEach(replyTo -> replyTo.tell(refused));
    waiting.clear();
    if (mountChange != null) {
      mountChange.done(null, refused.toException());
      mountChange = null;
    }
  }

  private void release(State state, List<Held> mounts) {
    releasesUnderWay++;
    context.pipeToSelf(
        node.mounts().release(principal(state), mounts), (done, failure) -> new ReleaseDone());
  }

  private Effect<Event, State> onReleaseDone(State state, ReleaseDone command) {
    releasesUnderWay--;
    return state.releasing().isEmpty() || releasesUnderWay > 0
        ? Effect().none()
        : Effect().persist(new Released());
  }

  private static Principal principal(State state) {
    return new Principal(state.principal(), state.admin());
  }

  // ---- running ----

  private void run(State state, boolean maybeSeen) {
    Map<String, Long> cursors = new HashMap<>(state.cursors());
    cursors.putAll(unsaved);
    runner =
        context.spawnAnonymous(
            AgentRunner.create(
                id,
                state.spec(),
                state.held(),
                cursors,
                maybeSeen,
                state.principal(),
                node,
                context.getSelf()));
  }

  /**
   * Ends the runner, waits until it has told what its behavior handled, then goes on: so no message
   * is handled by two lives, and none twice unmarked.
   */
  private Effect<Event, State> endRunner(
      State state, Function<State, EffectBuilder<Event, State>> then) {
    if (runner == null) {
      return then.apply(state).thenUnstashAll();
    }
    whenEnded = then;
    runner.tell(new AgentRunner.End());
    timers.startSingleTimer(new RunnerEnded(runner), RUNNER_END_MAX);
    return Effect().none();
  }

  private Effect<Event, State> onRunnerEnded(State state, RunnerEnded ended) {
    if (whenEnded == null || !ended.runner().equals(runner)) {
      return Effect().none(); // the other of its word and the timer came first
    }
    Function<State, EffectBuilder<Event, State>> then = whenEnded;
    whenEnded = null;
    runner = null;
    return then.apply(state).thenUnstashAll();
  }

  private Effect<Event, State> onRunnerAt(State state, RunnerAt at) {
    doing = at.state();
    restarts = at.restarts();
    return Effect().none();
  }

  private Effect<Event, State> onCursorAt(State state, CursorAt at) {
    boolean begins = !state.cursors().containsKey(at.watch()) && !unsaved.containsKey(at.watch());
    unsaved.merge(at.watch(), at.revision(), Math::max);
    if (begins) { // where a watch began is not found again, and what came since would be lost
      return onSaveCursors(state, new SaveCursors());
    }
    if (++unsavedSignals >= node.settings().cursorSaveSignals()) {
      return onSaveCursors(state, new SaveCursors());
    }
    if (!timers.isTimerActive(SaveCursors.class)) {
      timers.startSingleTimer(
          SaveCursors.class, new SaveCursors(), node.settings().cursorSaveInterval());
    }
    return Effect().none();
  }

  private Effect<Event, State> onSaveCursors(State state, SaveCursors command) {
    timers.cancel(SaveCursors.class);
    unsavedSignals = 0;
    if (unsaved.isEmpty() || !state.lives()) {
      return Effect().none();
    }
    CursorsMoved moved = new CursorsMoved(Map.copyOf(unsaved));
    unsaved.clear();
    return Effect().persist(moved);
  }

  private AgentInfo info(State state) {
    Map<String, Long> cursors = new HashMap<>(state.cursors());
    cursors.putAll(unsaved);
    AgentInfo.State now =
        state.stopped()
            ? AgentInfo.State.STOPPED
            : runner == null || state.acquiring() != null ? AgentInfo.State.STARTING : doing;
    return new AgentInfo(
        id,
        state.spec().type(),
        state.principal(),
        now,
        node.address(),
        state.mounts(),
        restarts,
        cursors,
        state.spec().config());
  }
}
