package io.nucleusmem.memspace;

import akka.actor.ActorRef;
import akka.actor.ActorSystem;
import akka.cluster.sharding.ClusterSharding;

/**
 * Sharding's coordinators, where they have moved to this node.
 *
 * <p>One that has read its state waits half a second, not to be set, before it begins: it might
 * hear in that time that a region has ended, and would then send less to it. What it begins for is
 * known by then, and all that has ended since is asked for again. So it is told to begin as soon as
 * it can; one that cannot yet, or has begun, ignores the word.
 */
final class Coordinators {
  // Akka's own word for it, which Java has no name for
  private static final Object BEGIN =
      objectOf("akka.cluster.sharding.ShardCoordinator$Internal$StateInitialized$");

  private Coordinators() {}

  private static Object objectOf(String name) {
    try {
      return Class.forName(name).getField("MODULE$").get(null);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("[%s] is not what it is in Akka 2.8.5".formatted(name), e);
    }
  }

  /** Lets those begin that have read their state. */
  static void begin(ActorSystem system) {
    for (String type : ClusterSharding.get(system).getShardTypeNames()) {
      system
          .actorSelection("/system/sharding/" + type + "Coordinator/singleton/coordinator")
          .tell(BEGIN, ActorRef.noSender());
    }
  }
}
