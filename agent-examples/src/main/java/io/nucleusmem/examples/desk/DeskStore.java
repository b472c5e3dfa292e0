package io.nucleusmem.examples.desk;

import akka.actor.CoordinatedShutdown;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Join;
import com.typesafe.config.Config;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.StoreExtension;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.store.StoreException;

/**
 * The spaces of a data directory without the rest of a node: whoever only wants to look at the desk
 * must not wake its agents, who would go on with their work.
 */
final class DeskStore implements AutoCloseable {

  private final ActorSystem<Void> system;

  private DeskStore(ActorSystem<Void> system) {
    this.system = system;
  }

  /** Opens a data directory; {@link DeskFailure} if it is in use or damaged. */
  static DeskStore open(Config config) {
    var store = new DeskStore(ActorSystem.create(Behaviors.empty(), "nucleusmem", config));
    try {
      StoreExtension.get(store.system).store();
    } catch (StoreException e) {
      store.close();
      throw new DeskFailure("store: " + e.getMessage(), e);
    }
    Cluster cluster = Cluster.get(store.system);
    cluster.manager().tell(Join.create(cluster.selfMember().address()));
    return store;
  }

  MemSpaces spaces() {
    return NucleusMem.get(system).spaces();
  }

  @Override
  public void close() {
    CoordinatedShutdown.get(system).runAll(CoordinatedShutdown.actorSystemTerminateReason());
    system.getWhenTerminated().toCompletableFuture().join();
  }
}
