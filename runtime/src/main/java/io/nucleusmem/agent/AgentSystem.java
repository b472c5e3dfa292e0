package io.nucleusmem.agent;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.DispatcherSelector;
import akka.cluster.sharding.typed.ClusterShardingSettings;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.Entity;
import akka.cluster.typed.Cluster;
import io.nucleusmem.memspace.MemSpaces;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;

/** Agents on one node: opens their space, hosts those that sharding puts here. */
public final class AgentSystem {
  private AgentSystem() {}

  /**
   * Starts the hosting of agents. Those that ran when the cluster went down start again.
   *
   * @param types that this node can host
   * @param router where {@link AgentContext#route} sends
   */
  public static CompletionStage<Agents> start(
      ActorSystem<?> system,
      MemSpaces spaces,
      Collection<AgentType<?>> types,
      Optional<RouterHook> router) {
    AgentSettings settings = AgentSettings.from(system.settings().config());
    Inboxes inboxes = new Inboxes(spaces, settings.space());
    return inboxes
        .open()
        .thenApply(
            space -> {
              AgentNode node =
                  new AgentNode(
                      spaces,
                      settings,
                      Cluster.get(system).selfMember().address().toString(),
                      AgentNode.types(types),
                      new AgentMounts(spaces),
                      inboxes,
                      new AgentDirectory(space),
                      system
                          .dispatchers()
                          .lookup(
                              DispatcherSelector.fromConfig(
                                  "nucleusmem.agents.blocking-dispatcher")),
                      new Semaphore(settings.blockingMax()),
                      router);
              ClusterSharding sharding = ClusterSharding.get(system);
              sharding.init(
                  Entity.of(
                          AgentHost.TYPE_KEY,
                          entity -> AgentHost.create(entity.getEntityId(), node, entity.getShard()))
                      .withSettings(
                          ClusterShardingSettings.create(system).withRememberEntities(true))
                      .withStopMessage(new AgentProtocol.Leave()));
              return new AgentsClient(sharding, node);
            });
  }
}
