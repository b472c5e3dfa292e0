package io.nucleusmem.agent;

import akka.Done;
import akka.actor.CoordinatedShutdown;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.DispatcherSelector;
import akka.cluster.Cluster;
import akka.cluster.MemberStatus;
import akka.cluster.sharding.typed.ClusterShardingSettings;
import akka.cluster.sharding.typed.javadsl.ClusterSharding;
import akka.cluster.sharding.typed.javadsl.Entity;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigValueFactory;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.StoreExtension;
import io.nucleusmem.memspace.Calls;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.receipts.ReceiptKeeper;
import io.nucleusmem.receipts.ReceiptLog;
import io.nucleusmem.receipts.ReceiptSettings;
import io.nucleusmem.receipts.ReceiptsClient;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;

/** Agents on one node: opens their space, hosts those that sharding puts here. */
public final class AgentSystem {
  private static final String ROLES = "akka.cluster.roles";

  private AgentSystem() {}

  /**
   * Starts the hosting of agents. Those that ran when the cluster went down start again.
   *
   * @param types that this node can host; {@link #withRoles} has told so in the configuration
   * @param router where {@link AgentContext#route} sends
   */
  public static CompletionStage<Agents> start(
      ActorSystem<?> system,
      MemSpaces spaces,
      Collection<AgentType<?>> types,
      Optional<RouterHook> router) {
    AgentSettings settings = AgentSettings.from(system.settings().config());
    Cluster cluster = Cluster.get(system);
    for (AgentType<?> type : types) {
      if (!cluster.selfMember().hasRole(AgentPlacement.role(type.name()))) {
        throw new IllegalArgumentException(
            "%s lacks [%s], without which no node knows that this one hosts agents of type [%s]"
                .formatted(ROLES, AgentPlacement.role(type.name()), type.name()));
      }
    }
    return Inboxes.open(spaces, settings.space())
        .thenCombine(
            receipts(system, cluster),
            (inboxes, receipts) -> {
              AgentNode node =
                  new AgentNode(
                      spaces,
                      settings,
                      cluster.selfAddress().toString(),
                      AgentNode.types(types),
                      new AgentMounts(spaces),
                      inboxes,
                      new AgentDirectory(inboxes.space()),
                      system
                          .dispatchers()
                          .lookup(
                              DispatcherSelector.fromConfig(
                                  "nucleusmem.agents.blocking-dispatcher")),
                      new Semaphore(settings.blockingMax()),
                      router,
                      receipts);
              ClusterSharding sharding = ClusterSharding.get(system);
              sharding.init(
                  Entity.of(
                          AgentHost.TYPE_KEY,
                          entity ->
                              AgentHost.create(
                                  AgentPlacement.agentId(entity.getEntityId()),
                                  node,
                                  entity.getShard(),
                                  sharding.entityRefFor(AgentHost.TYPE_KEY, entity.getEntityId())))
                      .withSettings(
                          ClusterShardingSettings.create(system).withRememberEntities(true))
                      .withMessageExtractor(AgentPlacement.extractor())
                      .withAllocationStrategy(new AgentPlacement(cluster))
                      .withStopMessage(new AgentProtocol.Leave()));
              NucleusMem memory = NucleusMem.get(system);
              Reruns reruns =
                  new RerunsClient(
                      system, node, ReceiptsClient.of(system).rerunSource(), memory.operations());
              Calls calls = Calls.start(system, settings.callTimeout(), settings.attemptTimeout());
              return new AgentsClient(
                  new AgentCalls(
                      AgentCalls.sharded(sharding, cluster),
                      node.directory(),
                      calls,
                      settings.callTimeout()),
                  cluster,
                  node,
                  reruns);
            });
  }

  /** The log of receipts; it ends when the agents have, and before the store. */
  private static CompletionStage<ReceiptLog> receipts(ActorSystem<?> system, Cluster cluster) {
    return ReceiptLog.open(
            StoreExtension.get(system).store(),
            ReceiptSettings.from(system.settings().config()),
            cluster.selfAddress().toString(),
            () -> isMember(cluster),
            system.dispatchers().lookup(DispatcherSelector.defaultDispatcher()))
        .thenApply(
            log -> {
              NucleusMem.get(system).system().feeding(log);
              ReceiptKeeper.start(system);
              CoordinatedShutdown.get(system)
                  .addTask(
                      CoordinatedShutdown.PhaseClusterShutdown(),
                      "nucleusmem-receipts",
                      () -> log.end().thenApply(done -> Done.getInstance()));
              system.getWhenTerminated().whenComplete((done, failure) -> log.close());
              return log;
            });
  }

  private static boolean isMember(Cluster cluster) {
    MemberStatus status = cluster.selfMember().status();
    return !cluster.isTerminated()
        && !status.equals(MemberStatus.down())
        && !status.equals(MemberStatus.removed());
  }

  /** The types whose classes are named in {@code nucleusmem.agents.types}. */
  public static List<AgentType<?>> configuredTypes(Config config) {
    List<AgentType<?>> types = new ArrayList<>();
    config.getStringList("nucleusmem.agents.types").forEach(name -> types.add(typeOf(name)));
    return types;
  }

  private static AgentType<?> typeOf(String className) {
    try {
      return (AgentType<?>) Class.forName(className).getField("TYPE").get(null);
    } catch (ReflectiveOperationException
        | ClassCastException
        | NullPointerException
        | LinkageError e) {
      throw new IllegalArgumentException(
          "nucleusmem.agents.types has [%s]; it must be a class on the class path with a field [public static final AgentType<?> TYPE]: %s"
              .formatted(className, e),
          e);
    }
  }

  /** Adds to a node's roles what it hosts, which is how the other nodes know. */
  public static Config withRoles(Config config, Collection<AgentType<?>> types) {
    List<String> roles = new ArrayList<>(config.getStringList(ROLES));
    types.forEach(type -> roles.add(AgentPlacement.role(type.name())));
    return config.withValue(ROLES, ConfigValueFactory.fromIterable(roles));
  }
}
