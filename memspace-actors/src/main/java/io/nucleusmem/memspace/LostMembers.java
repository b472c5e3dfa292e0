package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Extension;
import akka.actor.typed.ExtensionId;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.ClusterEvent.MemberRemoved;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Subscribe;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Sees to it that what waits on this node asks again when a member has left the cluster: what was
 * sent to a member that was dead already is lost, and to wait until its time is up would be most of
 * a fail-over.
 */
final class LostMembers implements Extension {
  private static final Id ID = new Id();

  // sharding of this node learns of it at about the same time; its coordinator, on another node, a
  // gossip later, and until then it says that nothing has changed, so that more is lost
  private static final List<Duration> AFTER =
      List.of(
          Duration.ofMillis(30),
          Duration.ofMillis(150),
          Duration.ofMillis(400),
          Duration.ofSeconds(1));

  // where the oldest has left, its coordinators are elsewhere, and have read their state, within
  // that
  private static final Duration BEGIN_EVERY = Duration.ofMillis(50);
  private static final int BEGIN_TIMES = 14;

  private sealed interface Event {}

  private record Removed(MemberRemoved event) implements Event {}

  private record AskAgain() implements Event {}

  private record Begin() implements Event {}

  private final List<Runnable> waiting = new CopyOnWriteArrayList<>();

  private LostMembers(ActorSystem<?> system) {
    system.systemActorOf(behavior(), "nucleusmem-lost-members", Props.empty());
  }

  static LostMembers get(ActorSystem<?> system) {
    return ID.apply(system);
  }

  /** From now on, calls this when it is time to ask again; on a thread that must not be blocked. */
  void whenLost(Runnable again) {
    waiting.add(again);
  }

  private Behavior<Event> behavior() {
    return Behaviors.setup(
        context -> {
          ActorRef<MemberRemoved> removed =
              context.messageAdapter(MemberRemoved.class, Removed::new);
          Cluster.get(context.getSystem())
              .subscriptions()
              .tell(Subscribe.create(removed, MemberRemoved.class));
          return Behaviors.receive(Event.class)
              .onMessage(
                  Removed.class,
                  event -> {
                    AFTER.forEach(
                        after -> context.scheduleOnce(after, context.getSelf(), new AskAgain()));
                    for (int i = 1; i <= BEGIN_TIMES; i++) {
                      context.scheduleOnce(
                          BEGIN_EVERY.multipliedBy(i), context.getSelf(), new Begin());
                    }
                    return Behaviors.same();
                  })
              .onMessage(
                  Begin.class,
                  event -> {
                    Coordinators.begin(context.getSystem().classicSystem());
                    return Behaviors.same();
                  })
              .onMessage(
                  AskAgain.class,
                  event -> {
                    waiting.forEach(Runnable::run);
                    return Behaviors.same();
                  })
              .build();
        });
  }

  private static final class Id extends ExtensionId<LostMembers> {
    @Override
    public LostMembers createExtension(ActorSystem<?> system) {
      return new LostMembers(system);
    }
  }
}
