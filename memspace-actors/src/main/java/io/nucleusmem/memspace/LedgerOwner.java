package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.ReceiveBuilder;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import io.nucleusmem.ledger.Command;
import io.nucleusmem.ledger.Ledger;
import io.nucleusmem.ledger.LedgerException;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.Outcome;
import java.util.ArrayList;
import java.util.List;

/**
 * An actor that owns a ledger: what spaces and topics have in common.
 *
 * <p>Lifecycle: {@code starting -> open -> ended}. It ends when its ledger does (another owner
 * wrote, or the store failed for good) or when it has been idle; sharding starts another when the
 * next message comes.
 */
abstract class LedgerOwner extends AbstractBehavior<LedgerOwner.Message> {
  /** What an owner may be asked. */
  interface Message {
    /** Where the answer goes; null if none is expected. */
    default Promise<?> reply() {
      return null;
    }
  }

  /** The newest revision at a time, which is closed by asking. -1: the ledger did not exist. */
  record RevisionAt(long timestamp, Promise<Long> reply) implements Message {}

  /** The newest revision. */
  record Newest(Promise<Long> reply) implements Message {}

  /** A node's channel wants to hear of commits, from now on. */
  record Attach(CommitListener listener, Promise<Long> reply) implements Message {}

  /** It does not any more. */
  record Detach(CommitListener listener) implements Message {}

  /** Lets go of what was superseded before a revision; the number of rows removed. */
  record Compact(long floor, Promise<Long> reply) implements Message {}

  /** Nobody has used the owner for a while. */
  record Idle() implements Message {}

  /** Sharding's word to stop. */
  record Stop() implements Message {}

  /** A step of the owner's own, on its thread. */
  record Step(Runnable run) implements Message {}

  private final LedgerId id;
  private final MemSpaceNode node;
  private final Owners owners;
  private final ActorRef<ClusterSharding.ShardCommand> shard;
  private final Ledger ledger;
  private Watchers watchers; // null while nobody watches
  private List<Message> beforeOpen =
      new ArrayList<>(0); // what needs the ledger open; null once it is

  LedgerOwner(
      ActorContext<Message> context,
      LedgerId id,
      MemSpaceNode node,
      Owners owners,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    super(context);
    this.id = id;
    this.node = node;
    this.owners = owners;
    this.shard = shard;
    this.ledger =
        node.newLedger(
            id, new LedgerRunner(context, node.answers(), this::onCommitted, this::ended));
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

  /** The handlers that all owners have. */
  final ReceiveBuilder<Message> commonHandlers() {
    return newReceiveBuilder()
        .onMessage(Step.class, this::onStep)
        .onMessage(Newest.class, message -> whenOpen(message, () -> onNewest(message)))
        .onMessage(Attach.class, message -> whenOpen(message, () -> onAttach(message)))
        .onMessage(Detach.class, this::onDetach)
        .onMessage(
            RevisionAt.class,
            message ->
                whenOpen(
                    message, () -> ledger.revisionAt(message.timestamp(), message.reply()::settle)))
        .onMessage(
            Compact.class,
            message ->
                whenOpen(message, () -> ledger.compact(message.floor(), message.reply()::settle)))
        .onMessage(Idle.class, this::onIdle)
        .onMessage(Stop.class, this::onStop)
        .onSignal(PostStop.class, this::onPostStop);
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

  /** The ledger is open; called once. */
  void opened() {}

  /** Called after every step. */
  void afterStep() {}

  /** The actor stops. */
  void leaving() {}

  final Behavior<Message> whenOpen(Message message, Runnable handler) {
    if (beforeOpen == null) {
      handler.run();
    } else {
      beforeOpen.add(message); // bounded by the time that opening takes; answered or failed then
    }
    return this;
  }

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

  private Behavior<Message> onStep(Step step) {
    step.run().run();
    if (beforeOpen != null && ledger.isOpen()) {
      owners.started(id, getContext().getSelf(), ledger);
      List<Message> waiting = beforeOpen;
      beforeOpen = null;
      opened();
      waiting.forEach(getContext().getSelf()::tell);
    }
    afterStep();
    return this;
  }

  private void onNewest(Newest message) {
    succeed(message.reply(), ledger.committed());
  }

  private void onAttach(Attach message) {
    watchers = watchers == null ? new Watchers() : watchers;
    succeed(message.reply(), watchers.attach(message.listener(), ledger.committed()));
  }

  private Behavior<Message> onDetach(Detach message) {
    if (watchers != null && watchers.detach(message.listener())) {
      watchers = null;
    }
    return this;
  }

  private void onCommitted(LogRow row) {
    committed(row);
    if (watchers != null) {
      watchers.committed(row);
    }
  }

  private Behavior<Message> onIdle(Idle message) {
    if (watchers == null && ledger.isIdle() && mayLeave()) {
      owners.left(id, getContext().getSelf());
      shard.tell(new ClusterSharding.Passivate<>(getContext().getSelf()));
    }
    return this;
  }

  private void ended(LedgerException why) {
    MemSpaceException told = Calls.explain(why);
    if (beforeOpen != null) {
      for (Message message : beforeOpen) {
        if (message.reply() != null) {
          fail(message.reply(), told);
        }
      }
      beforeOpen = new ArrayList<>(0);
    }
    if (why.reason() != LedgerException.Reason.ABSENT) {
      getContext().getLog().info("owner ends: {}", why.getMessage());
    }
    getContext().getSelf().tell(new Stop());
  }

  private Behavior<Message> onStop(Stop message) {
    owners.left(id, getContext().getSelf());
    if (ledger.isIdle() && isSettled()) {
      return Behaviors.stopped();
    }
    getContext().scheduleOnce(node.settings().ackInterval(), getContext().getSelf(), message);
    return this;
  }

  private Behavior<Message> onPostStop(PostStop signal) {
    owners.left(id, getContext().getSelf());
    ledger.stop();
    leaving();
    return this;
  }
}
