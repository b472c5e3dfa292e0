package io.nucleusmem;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import akka.cluster.typed.ClusterSingleton;
import akka.cluster.typed.SingletonActor;
import io.nucleusmem.store.GarbageCollection;
import io.nucleusmem.store.KvStore;
import java.time.Duration;

/**
 * Moves the store's garbage collection on, once in the cluster.
 *
 * <p>Where somebody else does that (a TiDB on the same cluster), it leaves it to him: a safe point
 * that was moved before is watched for a while first, and one that moves by itself ends the work.
 */
final class SafePointMover extends AbstractBehavior<SafePointMover.Message> {
  /** What a mover is told. */
  sealed interface Message {}

  private record Look() implements Message {}

  private record Seen(long safePoint, Throwable failure) implements Message {}

  private record Moved(long safePoint, Throwable failure) implements Message {}

  private final TimerScheduler<Message> timers;
  private final GarbageCollection collection;
  private long expected = -1; // where it stands if nobody else moves it; -1: not looked yet

  /** Starts it where the store has a garbage collection that is ours to move. */
  static void start(ActorSystem<?> system, KvStore store) {
    store
        .garbageCollection()
        .ifPresent(
            collection ->
                ClusterSingleton.get(system)
                    .init(SingletonActor.of(create(collection), "nucleusmem-safe-point")));
  }

  static Behavior<Message> create(GarbageCollection collection) {
    return Behaviors.setup(
        context -> Behaviors.withTimers(timers -> new SafePointMover(context, timers, collection)));
  }

  private SafePointMover(
      ActorContext<Message> context, TimerScheduler<Message> timers, GarbageCollection collection) {
    super(context);
    this.timers = timers;
    this.collection = collection;
    context.setLoggerName(SafePointMover.class);
    look();
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Look.class, look -> look())
        .onMessage(Seen.class, this::onSeen)
        .onMessage(Moved.class, this::onMoved)
        .build();
  }

  private Behavior<Message> look() {
    getContext()
        .pipeToSelf(
            collection.safePoint(), (at, failure) -> new Seen(failure == null ? at : 0, failure));
    return this;
  }

  private Behavior<Message> again(Duration after) {
    timers.startSingleTimer(new Look(), after);
    return this;
  }

  private Behavior<Message> onSeen(Seen seen) {
    if (seen.failure() != null) {
      return failed(seen.failure());
    }
    if (expected < 0 && seen.safePoint() != 0) {
      expected = seen.safePoint();
      return again(collection.observe());
    }
    if (expected >= 0 && seen.safePoint() != expected) {
      getContext()
          .getLog()
          .info(
              "the store's safe point is moved by somebody else ([{}], was [{}]): left to him",
              seen.safePoint(),
              expected);
      expected = seen.safePoint();
      return again(collection.observe()); // he may end one day
    }
    getContext()
        .pipeToSelf(
            collection.advance(), (at, failure) -> new Moved(failure == null ? at : 0, failure));
    return this;
  }

  private Behavior<Message> onMoved(Moved moved) {
    if (moved.failure() != null) {
      return failed(moved.failure());
    }
    expected = moved.safePoint();
    return again(collection.interval());
  }

  private Behavior<Message> failed(Throwable failure) {
    getContext().getLog().warn("the store's safe point was not moved: {}", failure.toString());
    expected = -1; // whether it was moved is not known
    return again(collection.interval());
  }
}
