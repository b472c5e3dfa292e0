package io.nucleusmem.agent;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.PostStop;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.nucleusmem.agent.AgentProtocol.Command;
import io.nucleusmem.agent.AgentProtocol.Held;
import io.nucleusmem.memspace.CompactedException;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.receipts.Began;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Runs one agent's behavior: opens its mounts, feeds it what its watches bring, starts it again
 * when it crashes.
 *
 * <p>A cursor moves when the behavior has taken the message, so a crash loses none; a message that
 * crashes it too often goes to the dead letters, and the agent goes on behind it.
 */
final class AgentRunner extends AbstractBehavior<AgentRunner.Message> {
  sealed interface Message {}

  /** Opened mounts, by space. */
  private record Opened(Map<String, MountedSpace> spaces, MountedSpace inbox, Throwable failure)
      implements Message {}

  private record Retry() implements Message {}

  /** The behavior asks for a watch. */
  record StartWatch(AgentWatch watch) implements Message {}

  /** A watch is active, or is not. */
  record WatchStarted(AgentWatch watch, Throwable failure) implements Message {}

  /** The behavior has handled everything of a watch up to here, and all that came of it is done. */
  record Handled(AgentWatch watch, long revision) implements Message {}

  /** The agent's mounts changed by its own wish. */
  record MountsChanged(List<Held> held, AgentProtocol.MountChanged reply) implements Message {}

  private record Reopened(Map<String, MountedSpace> spaces, MountsChanged change, Throwable failure)
      implements Message {}

  private record Buried(AgentWatch watch, long revision, Throwable failure) implements Message {}

  /** The behavior has ended; everything that it handled was told before. */
  private record BehaviorEnded(Throwable failure) implements Message {}

  /** The agent ends here, behind the message that it is handling; the host is told. */
  record End() implements Message {}

  private static final int FAILURE_CHARS_MAX = 2_000; // of a failure, in a dead letter and the log

  private final String id;
  private final AgentSpec spec;
  private final AgentType<?> type;
  private final AgentNode node;
  private final ActorRef<Command> host;
  private final Map<String, Long> cursors;
  private final Map<String, AgentWatch> watches = new HashMap<>();
  private List<Held> held;
  private Map<String, MountedSpace> spaces = Map.of();
  private MountedSpace inbox;
  private final boolean maybeSeen; // what lies behind the cursors may have been, elsewhere
  private final String owner; // the principal that spawned the agent
  private final Map<String, Long> begun =
      new HashMap<>(); // newest revision that a life before this has seen
  private ActorRef<Object> behavior;
  private AgentContextImpl<?> context;
  private boolean ending;
  private int restarts;
  private int crashesInARow;
  private String poisonAt = "";
  private int poisonCrashes;
  private String lastFailure = "";

  static Behavior<Message> create(
      String id,
      AgentSpec spec,
      List<Held> held,
      Map<String, Long> cursors,
      boolean maybeSeen,
      String owner,
      AgentNode node,
      ActorRef<Command> host) {
    return Behaviors.setup(
        actor -> new AgentRunner(actor, id, spec, held, cursors, maybeSeen, owner, node, host));
  }

  private AgentRunner(
      ActorContext<Message> actor,
      String id,
      AgentSpec spec,
      List<Held> held,
      Map<String, Long> cursors,
      boolean maybeSeen,
      String owner,
      AgentNode node,
      ActorRef<Command> host) {
    super(actor);
    actor.setLoggerName(AgentRunner.class);
    this.id = id;
    this.spec = spec;
    this.type = node.types().get(spec.type());
    this.held = held;
    this.cursors = new HashMap<>(cursors);
    this.maybeSeen = maybeSeen;
    this.owner = owner;
    this.node = node;
    this.host = host;
    if (type == null) {
      actor
          .getLog()
          .error(
              "agent {} is of type {}, which this node does not know; it stays down",
              id,
              spec.type());
    } else {
      openMounts();
    }
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Handled.class, this::onHandled)
        .onMessage(StartWatch.class, this::onStartWatch)
        .onMessage(WatchStarted.class, this::onWatchStarted)
        .onMessage(Opened.class, this::onOpened)
        .onMessage(Retry.class, this::onRetry)
        .onMessage(MountsChanged.class, this::onMountsChanged)
        .onMessage(Reopened.class, this::onReopened)
        .onMessage(Buried.class, this::onBuried)
        .onMessage(BehaviorEnded.class, this::onBehaviorEnded)
        .onMessage(End.class, this::onEnd)
        .onSignal(ChildFailed.class, failed -> afterWhatItTold(failed.getCause()))
        .onSignal(Terminated.class, ended -> afterWhatItTold(null))
        .onSignal(PostStop.class, this::onPostStop)
        .build();
  }

  // ---- mounts ----

  private void openMounts() {
    CompletionStage<MountedSpace> own = node.inboxes().inboxOf(id);
    getContext()
        .pipeToSelf(
            own.thenCombine(open(held), (box, all) -> new Opened(all, box, null)),
            (opened, failure) -> failure == null ? opened : new Opened(null, null, failure));
  }

  private CompletionStage<Map<String, MountedSpace>> open(List<Held> mounts) {
    CompletionStage<Map<String, MountedSpace>> all =
        CompletableFuture.completedFuture(new HashMap<>());
    for (Held each : mounts) {
      all =
          all.thenCombine(
              node.spaces().open(Principal.of(AgentSpec.holder(id)), each.mountId()),
              (map, mounted) -> {
                map.put(each.mount().space(), mounted);
                return map;
              });
    }
    return all;
  }

  private Behavior<Message> onOpened(Opened opened) {
    if (opened.failure() != null) {
      getContext()
          .getLog()
          .warn("agent {} could not open its mounts: {}", id, opened.failure().toString());
      backOff();
      return this;
    }
    spaces = opened.spaces();
    inbox = opened.inbox();
    if (!ending) {
      startBehavior();
    }
    return this;
  }

  private Behavior<Message> onMountsChanged(MountsChanged change) {
    held = change.held();
    getContext().pipeToSelf(open(held), (all, failure) -> new Reopened(all, change, failure));
    return this;
  }

  private Behavior<Message> onReopened(Reopened reopened) {
    if (reopened.failure() == null) {
      spaces = reopened.spaces();
      if (context != null) {
        context.spaces(spaces, mounts());
        context.life().began(began());
      }
      closeWatchesOfUnmounted();
    }
    reopened.change().reply().done(null, reopened.failure());
    return this;
  }

  // ---- the behavior's life ----

  private void startBehavior() {
    behavior = getContext().spawnAnonymous(behaviorOf(type));
    getContext().watch(behavior);
    getContext().getLog().debug("agent {} runs", id);
    tellHost(AgentInfo.State.RUNNING);
    watchInbox(type);
  }

  private <M> Behavior<Object> behaviorOf(AgentType<M> known) {
    AgentContextImpl<M> made =
        new AgentContextImpl<>(
            id,
            spec,
            known,
            node,
            getContext().getSelf(),
            host,
            inbox,
            node.receipts().begin(id, began()));
    made.spaces(spaces, mounts());
    context = made;
    Behavior<M> author =
        Behaviors.setup(
            actor -> {
              made.bind(actor);
              return known.behavior().apply(made);
            });
    return Behaviors.intercept(
        () -> new MailInterceptor<>(known.messages(), made.others()), author);
  }

  private List<AgentMount> mounts() {
    return held.stream().map(Held::mount).toList();
  }

  private Began began() {
    return Began.of(
        owner,
        spec.type(),
        spec.config(),
        held.stream()
            .map(
                each ->
                    new Began.Mounted(
                        each.mount().space(),
                        each.mountId(),
                        each.mount().access().label(),
                        each.mount().isRecorded() ? null : true))
            .toList());
  }

  private void watchInbox(AgentType<?> known) {
    if (known.inbox().isPresent()) {
      onStartWatch(new StartWatch(context.inboxWatch()));
    }
  }

  /**
   * A signal overtakes messages, and the behavior's last ones tell what it has handled; what it
   * wrote is answered first, or its messages would come again.
   */
  private Behavior<Message> afterWhatItTold(Throwable failure) {
    getContext()
        .pipeToSelf(
            context.life().underWay().written(), (done, none) -> new BehaviorEnded(failure));
    return this;
  }

  private Behavior<Message> onBehaviorEnded(BehaviorEnded ended) {
    return ending ? ended() : onCrash(ended.failure());
  }

  private Behavior<Message> onEnd(End end) {
    ending = true;
    watches.values().forEach(AgentWatch::close);
    if (behavior == null) {
      return ended();
    }
    getContext().stop(behavior);
    return this;
  }

  private void lifeEnds(boolean byItself) {
    if (context != null) {
      context.life().turns().ends(byItself);
      context = null;
    }
  }

  private Behavior<Message> ended() {
    lifeEnds(false);
    host.tell(new AgentProtocol.RunnerEnded(getContext().getSelf()));
    return Behaviors.stopped();
  }

  private Behavior<Message> onCrash(Throwable failure) {
    restarts++;
    behavior = null;
    lastFailure = failure == null ? "the behavior stopped" : shortened(failure.toString());
    getContext().getLog().warn("agent {} crashed: {}", id, lastFailure); // Akka logs the trace
    String at = context == null ? "" : context.current();
    poisonCrashes = at.equals(poisonAt) ? poisonCrashes + 1 : 1;
    poisonAt = at;
    AgentWatch poisoned = null;
    long revision = 0;
    for (AgentWatch watch : watches.values()) {
      long seen = watch.handledUpTo();
      if (watch.isCurrent(at)) {
        poisoned = watch;
        revision = watch.currentRevision(at);
        seen = Math.max(seen, revision);
      }
      begun.merge(watch.name(), seen, Math::max);
    }
    closeWatches();
    lifeEnds(true);
    if (poisoned != null && poisonCrashes >= node.settings().poisonDeliveriesMax()) {
      bury(poisoned, revision);
    } else {
      backOff();
    }
    return this;
  }

  private static String shortened(String failure) {
    return failure.length() <= FAILURE_CHARS_MAX
        ? failure
        : failure.substring(0, FAILURE_CHARS_MAX) + " ...";
  }

  private void backOff() {
    Duration pause = node.settings().backoff(crashesInARow++);
    tellHost(AgentInfo.State.BACKING_OFF);
    getContext().scheduleOnce(pause, getContext().getSelf(), new Retry());
  }

  private Behavior<Message> onRetry(Retry retry) {
    openMounts();
    return this;
  }

  /** Tells the dead letters what crashed the agent, and lets the agent go on behind it. */
  private void bury(AgentWatch watch, long revision) {
    Content letter =
        Content.text(
                "agent [%s] crashed [%d] times on this: %s"
                    .formatted(id, poisonCrashes, lastFailure))
            .withMetadata(
                Map.of(
                    "dead-reason", "crashed the agent %d times".formatted(poisonCrashes),
                    "dead-agent", id,
                    "dead-space", watch.space(),
                    "dead-watch", watch.name(),
                    "dead-revision", Long.toString(revision)));
    getContext()
        .pipeToSelf(
            inbox.topic(Inboxes.topic(id) + Inboxes.DEAD).publish(letter),
            (published, failure) -> new Buried(watch, revision, failure));
  }

  private Behavior<Message> onBuried(Buried buried) {
    if (buried.failure() == null) {
      moveCursor(buried.watch(), buried.revision());
      poisonCrashes = 0;
    } else {
      getContext()
          .getLog()
          .warn("agent {} could not bury a message: {}", id, buried.failure().toString());
    }
    backOff();
    return this;
  }

  private void tellHost(AgentInfo.State state) {
    host.tell(new AgentProtocol.RunnerAt(state, restarts));
  }

  // ---- watches ----

  private Behavior<Message> onStartWatch(StartWatch start) {
    AgentWatch watch = start.watch();
    if (behavior == null || !watch.belongsTo(context)) {
      return this; // of a life that has ended
    }
    AgentWatch before = watches.put(watch.name(), watch);
    if (before != null) {
      before.close();
    }
    watch.start(
        behavior,
        cursors.get(watch.cursor()),
        maybeSeen ? Long.MAX_VALUE : begun.getOrDefault(watch.name(), 0L),
        getContext().getSelf());
    return this;
  }

  private Behavior<Message> onWatchStarted(WatchStarted started) {
    AgentWatch watch = started.watch();
    if (watches.get(watch.name()) != watch || watch.isClosed()) {
      watch.close();
      return this;
    }
    if (started.failure() instanceof CompactedException compacted) {
      // retention removed what the cursor asks for: asking again would give the same answer
      getContext()
          .getLog()
          .error(
              "agent {}: watch {} of {} goes on at revision {}; it has missed what was before: {}",
              id,
              watch.name(),
              watch.space(),
              compacted.oldest(),
              compacted.getMessage());
      moveCursor(watch, compacted.oldest() - 1);
      return onStartWatch(new StartWatch(watch.again()));
    }
    if (started.failure() != null) {
      if (!nodeStops(started.failure())) {
        getContext()
            .getLog()
            .warn(
                "agent {}: watch {} of {} is not active: {}; trying again",
                id,
                watch.name(),
                watch.space(),
                started.failure().toString());
      }
      getContext()
          .scheduleOnce(
              node.settings().backoffMin().multipliedBy(5),
              getContext().getSelf(),
              new StartWatch(watch.again()));
      return this;
    }
    moveCursor(watch, watch.startedAt());
    return this;
  }

  /** Then the agent ends in a moment too, and nobody needs to be told. */
  private static boolean nodeStops(Throwable failure) {
    return failure instanceof MemSpaceException known
        && "stopping".equals(known.details().get("node"));
  }

  private Behavior<Message> onHandled(Handled handled) {
    if (watches.get(handled.watch().name()) == handled.watch()) {
      crashesInARow = 0;
      moveCursor(handled.watch(), handled.revision());
    }
    return this;
  }

  private void moveCursor(AgentWatch watch, long revision) {
    cursors.merge(watch.cursor(), revision, Math::max);
    host.tell(new AgentProtocol.CursorAt(watch.cursor(), revision));
  }

  private void closeWatchesOfUnmounted() {
    watches
        .values()
        .removeIf(
            watch -> {
              boolean gone =
                  !spaces.containsKey(watch.space())
                      && !watch.space().equals(node.settings().space());
              if (gone) {
                watch.close();
              }
              return gone;
            });
  }

  private void closeWatches() {
    watches.values().forEach(AgentWatch::close);
    watches.clear();
  }

  private Behavior<Message> onPostStop(PostStop signal) {
    closeWatches();
    lifeEnds(false);
    return this;
  }
}
