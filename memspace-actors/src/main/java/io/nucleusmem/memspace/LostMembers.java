package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.ClusterEvent.MemberRemoved;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Subscribe;
import java.time.Duration;
import java.util.List;

/**
 * Sees to it that what waits on this node asks again when a member has left the cluster: what was
 * sent to a member that was dead already is lost, and to wait until its time is up would be most of
 * a fail-over.
 */
final class LostMembers {
  // sharding of this node learns of it at about the same time, that of the others a gossip later
  private static final List<Duration> AFTER =
      List.of(Duration.ofMillis(30), Duration.ofMillis(300), Duration.ofSeconds(1));

  private sealed interface Event {}

  private record Removed(MemberRemoved event) implements Event {}

  private record AskAgain() implements Event {}

  private LostMembers() {}

  /**
   * Starts the actor; once per node.
   *
   * @param again makes all that waits ask again; called on the actor's thread
   */
  static void start(ActorSystem<?> system, Runnable again) {
    system.systemActorOf(create(again), "nucleusmem-lost-members", Props.empty());
  }

  private static Behavior<Event> create(Runnable again) {
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
                    return Behaviors.same();
                  })
              .onMessage(
                  AskAgain.class,
                  event -> {
                    again.run();
                    return Behaviors.same();
                  })
              .build();
        });
  }
}
