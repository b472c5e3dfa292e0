package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.EntityTypeKey;
import akka.persistence.typed.PersistenceId;
import akka.persistence.typed.RecoveryCompleted;
import akka.persistence.typed.javadsl.CommandHandler;
import akka.persistence.typed.javadsl.Effect;
import akka.persistence.typed.javadsl.EventHandler;
import akka.persistence.typed.javadsl.EventSourcedBehavior;
import akka.persistence.typed.javadsl.RetentionCriteria;
import akka.persistence.typed.javadsl.SignalHandler;
import io.nucleusmem.agent.AgentProtocol.Acquiring;
import io.nucleusmem.agent.AgentProtocol.Command;
import io.nucleusmem.agent.AgentProtocol.CursorsMoved;
import io.nucleusmem.agent.AgentProtocol.Describe;
import io.nucleusmem.agent.AgentProtocol.Event;
import io.nucleusmem.agent.AgentProtocol.Held;
import io.nucleusmem.agent.AgentProtocol.Info;
import io.nucleusmem.agent.AgentProtocol.Leave;
import io.nucleusmem.agent.AgentProtocol.MountsHeld;
import io.nucleusmem.agent.AgentProtocol.Refused;
import io.nucleusmem.agent.AgentProtocol.Released;
import io.nucleusmem.agent.AgentProtocol.Reply;
import io.nucleusmem.agent.AgentProtocol.Spawn;
import io.nucleusmem.agent.AgentProtocol.Spawned;
import io.nucleusmem.agent.AgentProtocol.State;
import io.nucleusmem.agent.AgentProtocol.Stop;
import io.nucleusmem.agent.AgentProtocol.Stopped;
import io.nucleusmem.agent.AgentProtocol.SwitchMounts;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.Principal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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

  private static final int EVENTS_PER_SNAPSHOT = 500;
  private static final int SNAPSHOTS_KEPT = 2;

  // ---- what its own parts tell it ----

  /** A watch of the agent has been handled up to here. */
  record CursorAt(String watch, long revision) implements Command {}

  /** How the agent is doing. */
  record RunnerAt(AgentInfo.State state, int restarts) implements Command {}

  /** The agent itself wants a mount, or gives one back. */
  record ChangeMount(AgentMount mount, boolean add, MountChanged reply) implements Command {}

  /** Where the result of {@link ChangeMount} goes. */
  interface MountChanged {
    void done(String mountId, Throwable failure);
  }

  private record Acquired(List<Held> held, Throwable failure) implements Command {}

  private record ReleaseDone() implements Command {}

  private record SaveCursors() implements Command {}

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final String id;
  private final AgentNode node;
  private final ActorRef<ClusterSharding.ShardCommand> shard;
  private final Map<String, Long> unsaved = new HashMap<>();
  private final List<ActorRef<Reply>> waiting =
      new ArrayList<>(); // for the agent to run with its new mounts
  private int unsavedSignals;
  private ActorRef<AgentRunner.Message> runner;
  private AgentInfo.State doing = AgentInfo.State.STARTING;
  private int restarts;
  private MountChanged mountChange; // the agent's own change that is under way

  static Behavior<Command> create(
      String id, AgentNode node, ActorRef<ClusterSharding.ShardCommand> shard) {
    return Behaviors.setup(
        context -> Behaviors.withTimers(timers -> new AgentHost(context, timers, id, node, shard)));
  }

  private AgentHost(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      String id,
      AgentNode node,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    super(
        PersistenceId.of(TYPE_KEY.name(), id),
        akka.actor.typed.SupervisorStrategy.restartWithBackoff(
            node.settings().backoffMin(), node.settings().backoffMax(), 0.1));
    this.context = context;
    this.timers = timers;
    this.id = id;
    this.node = node;
    this.shard = shard;
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
    return newCommandHandlerBuilder()
        .forAnyState()
        .onCommand(Spawn.class, this::onSpawn)
        .onCommand(Describe.class, this::onDescribe)
        .onCommand(SwitchMounts.class, this::onSwitchMounts)
        .onCommand(Stop.class, this::onStop)
        .onCommand(Leave.class, this::onLeave)
        .onCommand(ChangeMount.class, this::onChangeMount)
        .onCommand(Acquired.class, this::onAcquired)
        .onCommand(ReleaseDone.class, this::onReleaseDone)
        .onCommand(CursorAt.class, this::onCursorAt)
        .onCommand(SaveCursors.class, this::onSaveCursors)
        .onCommand(RunnerAt.class, this::onRunnerAt)
        .build();
  }

  private void recovered(State state) {
    if (state.spec() == null || state.stopped()) {
      return;
    }
    if (!state.releasing().isEmpty()) {
      release(state, state.releasing());
    }
    if (state.acquiring() != null) {
      // what an earlier life acquired without recording it is found by its holder and released;
      // then acquire anew
      node.mounts()
          .releaseStrays(principal(state), id, state.acquiring(), state.held())
          .whenComplete((done, failure) -> acquire(state, state.acquiring()));
    } else {
      run(state, true);
    }
  }

  // ---- life ----

  private Effect<Event, State> onSpawn(State state, Spawn command) {
    if (state.lives()) {
      waitForMounts(state, command.replyTo());
      return Effect().none(); // the directory has let it through: the same spawn, sent again
    }
    waiting.add(command.replyTo());
    return Effect()
        .persist(
            List.<Event>of(
                new Spawned(command.spec(), command.principal(), command.admin()),
                new Acquiring(command.spec().mounts())))
        .thenRun((State next) -> acquire(next, next.acquiring()));
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

  private Refused unknown() {
    return new Refused(ErrorCode.AGENT_NOT_FOUND, "there is no agent [%s]".formatted(id));
  }

  private Effect<Event, State> onStop(State state, Stop command) {
    if (!state.lives()) {
      command.replyTo().tell(unknown());
      return Effect().none();
    }
    stopRunner();
    List<Held> all = new ArrayList<>(state.held());
    all.addAll(state.releasing());
    List<Event> events = new ArrayList<>();
    if (!unsaved.isEmpty()) {
      events.add(new CursorsMoved(Map.copyOf(unsaved)));
    }
    events.add(new Stopped());
    Principal principal = principal(state);
    return Effect()
        .persist(events)
        .thenRun(
            (State next) ->
                node.mounts()
                    .release(principal, all)
                    .whenComplete(
                        (done, failure) -> {
                          command.replyTo().tell(new Info(info(next)));
                          shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
                        }));
  }

  private Effect<Event, State> onLeave(State state, Leave command) {
    stopRunner();
    return unsaved.isEmpty() || !state.lives()
        ? Effect().stop()
        : Effect().persist(new CursorsMoved(Map.copyOf(unsaved))).thenStop();
  }

  // ---- mounts ----

  private Effect<Event, State> onSwitchMounts(State state, SwitchMounts command) {
    if (!state.lives()) {
      command.replyTo().tell(unknown());
      return Effect().none();
    }
    if (state.acquiring() != null) {
      command
          .replyTo()
          .tell(
              new Refused(
                  ErrorCode.BUSY, "the agent's mounts are being changed already; try again"));
      return Effect().none();
    }
    waiting.add(command.replyTo());
    return Effect()
        .persist(new Acquiring(command.mounts()))
        .thenRun((State next) -> acquire(next, next.acquiring()));
  }

  private Effect<Event, State> onChangeMount(State state, ChangeMount command) {
    if (!state.lives() || state.acquiring() != null) {
      command
          .reply()
          .done(
              null,
              new Refused(ErrorCode.BUSY, "the agent's mounts are being changed already; try again")
                  .toException());
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
    return Effect()
        .persist(new Acquiring(wanted))
        .thenRun((State next) -> acquire(next, next.acquiring()));
  }

  /** Acquires what is not held yet in the same form. */
  private void acquire(State state, List<AgentMount> wanted) {
    List<Held> keep = state.held().stream().filter(held -> wanted.contains(held.mount())).toList();
    List<AgentMount> missing =
        wanted.stream()
            .filter(mount -> keep.stream().noneMatch(held -> held.mount().equals(mount)))
            .toList();
    context.pipeToSelf(
        node.mounts().acquire(principal(state), id, missing),
        (acquired, failure) -> {
          if (failure != null) {
            return new Acquired(null, failure);
          }
          List<Held> all = new ArrayList<>(keep);
          all.addAll(acquired);
          return new Acquired(all, null);
        });
  }

  private Effect<Event, State> onAcquired(State state, Acquired result) {
    if (result.failure() != null) {
      return notAcquired(state, result.failure());
    }
    List<Held> releasing =
        state.held().stream().filter(held -> !result.held().contains(held)).toList();
    boolean own = mountChange != null;
    return Effect()
        .persist(new MountsHeld(result.held(), releasing))
        .thenRun(
            (State next) -> {
              if (own) {
                tellRunner(next, releasing);
              } else {
                stopRunner();
                run(next, false);
              }
              if (!releasing.isEmpty()) {
                release(next, releasing);
              }
              waiting.forEach(replyTo -> replyTo.tell(new Info(info(next))));
              waiting.clear();
            });
  }

  /** The agent changed its own mounts: it goes on running and is told. */
  private void tellRunner(State state, List<Held> releasing) {
    runner.tell(new AgentRunner.MountsChanged(state.held(), mountChange));
    mountChange = null;
  }

  private Effect<Event, State> notAcquired(State state, Throwable failure) {
    Refused refused = Refused.of(failure);
    waiting.forEach(replyTo -> replyTo.tell(refused));
    waiting.clear();
    if (mountChange != null) {
      mountChange.done(null, refused.toException());
      mountChange = null;
    }
    boolean first = state.held().isEmpty() && runner == null;
    if (first && !refused.code().retryable()) {
      return Effect()
          .persist(new Stopped())
          .thenRun((State next) -> shard.tell(new ClusterSharding.Passivate<>(context.getSelf())));
    }
    // what was held before stays: a switch happens whole or not at all
    return Effect()
        .persist(new MountsHeld(state.held(), List.of()))
        .thenRun(
            (State next) -> {
              if (runner == null) {
                run(next, true);
              }
            });
  }

  private void release(State state, List<Held> mounts) {
    context.pipeToSelf(
        node.mounts().release(principal(state), mounts), (done, failure) -> new ReleaseDone());
  }

  private Effect<Event, State> onReleaseDone(State state, ReleaseDone command) {
    return state.releasing().isEmpty() ? Effect().none() : Effect().persist(new Released());
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
                id, state.spec(), state.held(), cursors, maybeSeen, node, context.getSelf()));
  }

  private void stopRunner() {
    if (runner != null) {
      runner.tell(new AgentRunner.End());
      runner = null;
    }
  }

  private Effect<Event, State> onRunnerAt(State state, RunnerAt at) {
    doing = at.state();
    restarts = at.restarts();
    return Effect().none();
  }

  private Effect<Event, State> onCursorAt(State state, CursorAt at) {
    unsaved.merge(at.watch(), at.revision(), Math::max);
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
    List<MountInfo> mounts =
        state.held().stream()
            .map(
                held ->
                    new MountInfo(
                        held.mountId(),
                        held.mount().space(),
                        AgentSpec.holder(id),
                        held.mount().access(),
                        held.mount().regions(),
                        held.mount().prefixes(),
                        held.mount().topics(),
                        state.principal(),
                        state.admin()))
            .toList();
    return new AgentInfo(
        id,
        state.spec().type(),
        now,
        node.address(),
        mounts,
        restarts,
        cursors,
        state.spec().config());
  }
}
