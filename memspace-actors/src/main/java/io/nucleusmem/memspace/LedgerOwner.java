package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.ExtensibleBehavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.Signal;
import akka.actor.typed.TypedActorContext;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.typed.Cluster;
import io.nucleusmem.ledger.Command;
import io.nucleusmem.ledger.Ledger;
import io.nucleusmem.ledger.LedgerException;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.Outcome;
import io.nucleusmem.ledger.PendingView;
import java.util.ArrayList;
import java.util.List;

/**
 * An actor that owns a ledger: what spaces and topics have in common.
 *
 * <p>Lifecycle: {@code starting -> open -> ended}. It ends when its ledger does (another owner
 * wrote, or the store failed for good) or when it has been idle; sharding starts another when the
 * next message comes.
 */
abstract class LedgerOwner extends ExtensibleBehavior<LedgerOwner.Message> {
  /** What an owner may be asked. */
  interface Message {
    /** Where the answer goes; null if none is expected. */
    default Promise<?> reply() {
      return null;
    }

    /** False if it can be handled before the ledger is open. */
    default boolean needsOpen() {
      return true;
    }

    /** True if it becomes a command of the ledger, so that it can wait for the next commit. */
    default boolean isCommand() {
      return false;
    }
  }

  /** What needs no open ledger. */
  interface Anytime extends Message {
    @Override
    default boolean needsOpen() {
      return false;
    }
  }

  /** The newest revision at a time, which is closed by asking. -1: the ledger did not exist. */
  record RevisionAt(long timestamp, Promise<Long> reply) implements Message {}

  /** The newest revision. */
  record Newest(Promise<Long> reply) implements Message {}

  /** A node's channel wants to hear of commits, from now on. */
  record Attach(CommitListener listener, Promise<Long> reply) implements Message {}

  /** It does not any more. */
  record Detach(CommitListener listener) implements Anytime {}

  /** Raises the floor as far as pins let it; answered with the floor as it is then. */
  record Compact(long floor, long notAfter, Promise<Long> reply) implements Message {}

  /** The address of the node that the owner lives on. */
  record Home(Promise<String> reply) implements Anytime {}

  /** Nobody has used the owner for a while. */
  record Idle() implements Anytime {}

  /** Sharding's word to stop. */
  record Stop() implements Anytime {}

  /** A step of the owner's own, on its thread. */
  record Step(Runnable run) implements Anytime {}

  /** Commands wait beside the mailbox. */
  record Gather() implements Anytime {}

  private final ActorContext<Message> context;
  private final LedgerId id;
  private final MemSpaceNode node;
  private final Owners owners;
  private final ActorRef<ClusterSharding.ShardCommand> shard;
  private final Ledger ledger;
  private Watchers watchers; // null while nobody watches
  private LiveOwner live; // null until the ledger is open
  private List<Message> beforeOpen =
      new ArrayList<>(0); // what needs the ledger open; null once it is
  private boolean stopping; // an ordinary end, which is not news

  LedgerOwner(
      ActorContext<Message> context,
      LedgerId id,
      MemSpaceNode node,
      Owners owners,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    this.context = context;
    this.id = id;
    this.node = node;
    this.owners = owners;
    this.shard = shard;
    this.ledger = node.newLedger(id, new LedgerRunner(this));
    context.getLog().debug("ledger {} opens", id);
    ledger.start();
  }

  final LedgerId id() {
    return id;
  }

  final MemSpaceNode node() {
    return node;
  }

  final Ledger ledger() {
    return ledger;
  }

  final ActorContext<Message> getContext() {
    return context;
  }

  @Override
  public final Behavior<Message> receive(TypedActorContext<Message> same, Message message) {
    return received(message);
  }

  @Override
  public final Behavior<Message> receiveSignal(TypedActorContext<Message> same, Signal signal) {
    return signal instanceof PostStop ? onPostStop() : Behaviors.unhandled();
  }

  private Behavior<Message> received(Message message) {
    takeWaiting();
    Behavior<Message> next = dispatch(message);
    while (live != null && !live.commits(ledger.isCommitting()) && live.isAwaited()) {
      takeWaiting();
    }
    return next;
  }

  /** Commands that came while a commit was in flight: they did not wake this actor. */
  private void takeWaiting() {
    if (live != null) {
      live.takeWaiting(this::dispatch);
    }
  }

  private Behavior<Message> dispatch(Message message) {
    if (beforeOpen != null && message.needsOpen()) {
      beforeOpen.add(message); // bounded by the time that opening takes; answered or failed then
    } else if (message instanceof Step step) {
      onStep(step);
    } else if (message instanceof Newest newest) {
      succeed(newest.reply(), ledger.committed());
    } else if (message instanceof Attach attach) {
      onAttach(attach);
    } else if (message instanceof Detach detach) {
      onDetach(detach);
    } else if (message instanceof RevisionAt at) {
      ledger.revisionAt(at.timestamp(), at.reply()::settle);
    } else if (message instanceof Compact compact) {
      ledger.raiseFloor(
          compact.floor(), this::floorMax, compact.notAfter(), compact.reply()::settle);
    } else if (message instanceof Home home) {
      succeed(home.reply(), Cluster.get(context.getSystem()).selfMember().address().toString());
    } else if (message instanceof Idle) {
      onIdle();
    } else if (message instanceof Stop) {
      return onStop();
    } else if (!(message instanceof Gather)) {
      handle(message);
    }
    return this;
  }

  /** Handles a message that not all owners know. */
  abstract void handle(Message message);

  /** How far the floor may be raised: forks and bookmarks need what is behind it. */
  long floorMax(PendingView view) {
    return Long.MAX_VALUE;
  }

  /** Follows a commit, before its answers go out. */
  void committed(LogRow row) {}

  /** True if the owner has nothing of its own to wait for. */
  boolean mayLeave() {
    return true;
  }

  /** True if nothing that was begun is still under way. */
  boolean isSettled() {
    return true;
  }

  /** Refuses a compaction that would remove what is needed; asked when it is decided. */
  void checkFloor(long floor, PendingView view) {}

  /** The ledger is open; called once. */
  void opened() {}

  /** Called after every step. */
  void afterStep() {}

  /** The actor stops. */
  void leaving() {}

  final void submit(Command command, Promise<Outcome> reply) {
    ledger.submit(command, reply::settle);
  }

  /** Runs a step on the owner's thread, later; may be called from any thread. */
  final void later(Runnable step) {
    getContext().getSelf().tell(new Step(step));
  }

  final <T> void succeed(Promise<T> reply, T value) {
    node.answers().execute(() -> reply.succeed(value));
  }

  final void fail(Promise<?> reply, RuntimeException why) {
    node.answers().execute(() -> reply.fail(why));
  }

  private void onStep(Step step) {
    step.run().run();
    if (beforeOpen != null && ledger.isOpen() && ledger.state(SpaceRows.MANIFEST_KEY).isEmpty()) {
      // deleted: its newest log row is all that is left
      ended(
          new LedgerException(
              LedgerException.Reason.ABSENT, "ledger [%s] was deleted".formatted(id)));
    } else if (beforeOpen != null && ledger.isOpen()) {
      live = owners.started(id, getContext().getSelf(), ledger);
      List<Message> waiting = beforeOpen;
      beforeOpen = null;
      getContext().getLog().debug("ledger {} is open at revision {}", id, ledger.committed());
      opened();
      waiting.forEach(getContext().getSelf()::tell);
    }
    afterStep();
  }

  private void onAttach(Attach message) {
    watchers = watchers == null ? new Watchers() : watchers;
    succeed(message.reply(), watchers.attach(message.listener(), ledger.committed()));
  }

  private void onDetach(Detach message) {
    if (watchers != null) {
      watchers.detach(message.listener());
    }
    dropWatchers();
  }

  private void dropWatchers() {
    if (watchers != null && watchers.isEmpty()) {
      watchers = null;
    }
  }

  final void onCommitted(LogRow row) {
    committed(row);
    if (watchers != null) {
      watchers.committed(row);
    }
  }

  private void onIdle() {
    dropWatchers();
    if (watchers == null && ledger.isIdle() && mayLeave()) {
      owners.left(id, getContext().getSelf());
      shard.tell(new ClusterSharding.Passivate<>(getContext().getSelf()));
    }
  }

  final void ended(LedgerException why) {
    MemSpaceException told = Calls.explain(why);
    if (beforeOpen != null) {
      for (Message message : beforeOpen) {
        if (message.reply() != null) {
          fail(message.reply(), told);
        }
      }
      beforeOpen = new ArrayList<>(0);
    }
    if (stopping) {
      getContext().getLog().debug("owner ends: {}", why.getMessage());
    } else if (why.reason() != LedgerException.Reason.ABSENT) {
      getContext().getLog().info("owner ends: {}", why.getMessage());
    }
    getContext().getSelf().tell(new Stop());
  }

  private Behavior<Message> onStop() {
    owners.left(id, getContext().getSelf());
    if (ledger.isIdle() && isSettled()) {
      return Behaviors.stopped();
    }
    getContext().scheduleOnce(node.settings().ackInterval(), getContext().getSelf(), new Stop());
    return this;
  }

  private Behavior<Message> onPostStop() {
    owners.left(id, getContext().getSelf());
    stopping = true;
    ledger.stop();
    if (live != null) {
      live.commits(false); // from here on nobody waits for a commit
      takeWaiting();
    }
    leaving();
    return this;
  }
}
