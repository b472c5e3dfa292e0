package io.nucleusmem.node;

import akka.Done;
import akka.actor.AddressFromURIString;
import akka.actor.BootstrapSetup;
import akka.actor.CoordinatedShutdown;
import akka.actor.setup.ActorSystemSetup;
import akka.actor.setup.Setup;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.SpawnProtocol;
import akka.cluster.Cluster;
import ch.qos.logback.classic.Level;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.StoreExtension;
import io.nucleusmem.agent.AgentRouting;
import io.nucleusmem.agent.AgentSystem;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.http.HttpEndpoint;
import io.nucleusmem.http.HttpSettings;
import io.nucleusmem.http.NodeStatus;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node: a member of the cluster with its store, spaces, agents and HTTP endpoint.
 *
 * <p>Starts in this order: configuration, store, cluster, spaces, HTTP; so what answers is whole.
 * Stops in the reverse order: HTTP takes nothing new and finishes what it has, the actors hand
 * over, the store closes last. The JVM's end (SIGTERM) stops a node in the same way.
 */
public final class NucleusNode implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NucleusNode.class);
  private static final String SYSTEM_NAME = "nucleusmem";
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(90);
  private static final int CAUSES_MAX = 5; // of a failure, that its one line tells

  private final ActorSystem<SpawnProtocol.Command> system;
  private final Agents agents;
  private final Routing routing;
  private final HttpEndpoint http;

  private NucleusNode(
      ActorSystem<SpawnProtocol.Command> system,
      Agents agents,
      Routing routing,
      HttpEndpoint http) {
    this.system = system;
    this.agents = agents;
    this.routing = routing;
    this.http = http;
  }

  /** The reason of an orderly stop by {@link #stop}. */
  private enum Asked implements CoordinatedShutdown.Reason {
    TO_STOP,
    BY_FAILED_START
  }

  /**
   * Starts a node and waits until it can be called.
   *
   * @param given what differs from the modules' {@code reference.conf}
   * @param types of agents that this node can host, besides those that the configuration names
   * @param setups for the actor system; a {@link io.nucleusmem.StoreSetup} gives it a store in code
   * @throws NodeStartException nothing is left running then
   */
  public static NucleusNode start(
      Config given, List<? extends AgentType<?>> types, Setup... setups) {
    Config config;
    HttpSettings http;
    NodeSettings node;
    List<AgentType<?>> hosted = new ArrayList<>(types);
    try {
      config = NodeConfig.complete(given);
      NodeConfig.refuseUnknownKeys(config);
      http = HttpSettings.from(config);
      node = NodeSettings.from(config);
      NodeRouting.check(config);
      hosted.addAll(AgentSystem.configuredTypes(config));
      config = AgentSystem.withRoles(config, hosted);
    } catch (IllegalArgumentException | ConfigException e) {
      throw new NodeStartException("configuration: " + e.getMessage(), e);
    }
    step("configuration read");
    ActorSystemSetup setup = ActorSystemSetup.create(setups).and(BootstrapSetup.create(config));
    ActorSystem<SpawnProtocol.Command> system;
    try {
      system = ActorSystem.create(SpawnProtocol.create(), SYSTEM_NAME, setup);
    } catch (RuntimeException e) {
      throw new NodeStartException("the actor system does not start: " + reasons(e), e);
    }
    step("actor system up");
    try {
      NucleusNode started = start(system, hosted, node, http);
      started.announce(config, http);
      return started;
    } catch (RuntimeException e) {
      stop(system, Asked.BY_FAILED_START);
      throw e instanceof NodeStartException known
          ? known
          : new NodeStartException("the node does not start: " + reasons(e), e);
    }
  }

  private static NucleusNode start(
      ActorSystem<SpawnProtocol.Command> system,
      List<AgentType<?>> types,
      NodeSettings node,
      HttpSettings settings) {
    KvStore store;
    try {
      store = StoreExtension.get(system).store();
      await(store.ping(), node.storeTimeout());
    } catch (StoreException | IllegalArgumentException | ConfigException e) {
      throw new NodeStartException("store: " + e.getMessage(), e);
    } catch (TimeoutException e) {
      throw new NodeStartException(
          "store: no answer within nucleusmem.node.store-timeout, which is [%s]"
              .formatted(node.storeTimeout()),
          e);
    }
    step("store open");
    CompletableFuture<Done> up = join(system, node);
    MemSpaces spaces;
    try {
      spaces = NucleusMem.get(system).spaces();
    } catch (IllegalArgumentException | ConfigException e) {
      throw new NodeStartException("configuration: " + e.getMessage(), e);
    }
    step("spaces started");
    try {
      await(up, node.joinTimeout());
      step("member of the cluster");
      if (node.lifeline()) {
        // looking up a name blocks
        system.systemActorOf(Lifeline.create(), "lifeline", DispatcherSelector.blocking());
      }
    } catch (TimeoutException e) {
      throw new NodeStartException(
          "cluster: no member within nucleusmem.node.join-timeout, which is [%s]; seed nodes %s"
              .formatted(node.joinTimeout(), node.seedNodes()),
          e);
    }
    Agents agents;
    Routing routing;
    try {
      AgentRouting router = new AgentRouting();
      agents =
          await(AgentSystem.start(system, spaces, types, Optional.of(router)), node.joinTimeout());
      step("agents started");
      routing = await(NodeRouting.start(system, spaces, agents), node.joinTimeout());
      router.started(routing, agents);
      step("router started");
    } catch (IllegalArgumentException | ConfigException e) {
      throw new NodeStartException("configuration: " + e.getMessage(), e);
    } catch (RuntimeException | TimeoutException e) {
      throw new NodeStartException("agents: " + reasons(e), e);
    }
    try {
      NodeStatus status = new ClusterStatus(system, store, node.storeTimeout());
      HttpEndpoint http =
          await(
              HttpEndpoint.start(system, settings, spaces, agents, routing, status),
              node.joinTimeout());
      return new NucleusNode(system, agents, routing, http);
    } catch (RuntimeException | TimeoutException e) {
      throw new NodeStartException(
          "http: cannot listen on nucleusmem.http.host [%s], nucleusmem.http.port [%d]: %s"
              .formatted(settings.host(), settings.port(), reasons(e)),
          e);
    }
  }

  private static CompletableFuture<Done> join(ActorSystem<?> system, NodeSettings node) {
    Cluster cluster = Cluster.get(system);
    CompletableFuture<Done> up = new CompletableFuture<>();
    cluster.registerOnMemberUp(() -> up.complete(Done.getInstance()));
    if (node.seedNodes().isEmpty()) {
      cluster.join(cluster.selfAddress());
    } else {
      // not by Akka's own setting, which joins as soon as the actor system is there
      cluster.joinSeedNodes(node.seedNodes().stream().map(AddressFromURIString::parse).toList());
    }
    return up;
  }

  private void announce(Config config, HttpSettings settings) {
    String engine =
        config.hasPath("nucleusmem.store.engine")
            ? config.getString("nucleusmem.store.engine")
            : "given in code";
    String data =
        engine.equals("rocksdb") && config.hasPath("nucleusmem.store.rocksdb.dir")
            ? " in " + config.getString("nucleusmem.store.rocksdb.dir")
            : "";
    String callers =
        settings.tokens().isEmpty()
            ? "this machine only, everybody is administrator: no tokens are configured"
            : "%d tokens%s"
                .formatted(
                    settings.tokens().size(), settings.loopbackOnly() ? ", this machine only" : "");
    LOG.info(
        "ready in {} ms: http://{}:{} ({}), store {}{}",
        sinceJvmStart(),
        settings.host(),
        address().getPort(),
        callers,
        engine,
        data);
  }

  private static long sinceJvmStart() {
    return System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
  }

  private static void step(String done) {
    LOG.debug("{} after {} ms", done, sinceJvmStart());
  }

  /** Where the node answers HTTP. */
  public InetSocketAddress address() {
    return http.address();
  }

  /** The actor system, for actors that use what the node has. */
  public ActorSystem<SpawnProtocol.Command> system() {
    return system;
  }

  /** The client of spaces. */
  public MemSpaces spaces() {
    return NucleusMem.get(system).spaces();
  }

  /** The agents of the cluster. */
  public Agents agents() {
    return agents;
  }

  /** The semantic router. */
  public Routing routing() {
    return routing;
  }

  /** Begins to stop; completes when everything is closed. */
  public CompletionStage<Done> stop() {
    CoordinatedShutdown.get(system).runAll(Asked.TO_STOP);
    return whenStopped();
  }

  /** Completes when the node has stopped, for whatever reason. */
  public CompletionStage<Done> whenStopped() {
    return system.getWhenTerminated();
  }

  /** True if the node was asked to stop, false if it gave up its membership. */
  public boolean stoppedOnRequest() {
    return CoordinatedShutdown.get(system)
        .getShutdownReason()
        .filter(
            reason ->
                reason == Asked.TO_STOP || reason instanceof CoordinatedShutdown.JvmExitReason$)
        .isPresent();
  }

  /** Stops and waits for it. */
  @Override
  public void close() {
    stop(system, Asked.TO_STOP);
  }

  private static void stop(ActorSystem<?> system, Asked reason) {
    if (reason == Asked.BY_FAILED_START) {
      levelOfSteps(Level.OFF);
    }
    CoordinatedShutdown.get(system).runAll(reason);
    try {
      await(system.getWhenTerminated(), STOP_TIMEOUT);
    } catch (TimeoutException e) {
      LOG.warn("the node has not stopped within [{}]", STOP_TIMEOUT);
    } finally {
      if (reason == Asked.BY_FAILED_START) {
        levelOfSteps(null);
      }
    }
  }

  /**
   * Sets the level of what tells of each step of a stop; null: as the configuration has it. A node
   * that is cut off in the middle of its start would tell so at length.
   */
  private static void levelOfSteps(Level level) {
    for (String name :
        List.of("akka.actor", "akka.cluster", "akka.stream", "io.nucleusmem.memspace")) {
      if (LoggerFactory.getLogger(name) instanceof ch.qos.logback.classic.Logger logger) {
        logger.setLevel(level);
      }
    }
  }

  /** The stage's value or its failure as it was thrown. */
  private static <T> T await(CompletionStage<T> stage, Duration timeout) throws TimeoutException {
    try {
      return stage.toCompletableFuture().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NodeStartException("interrupted while starting", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause
          ? cause
          : new CompletionException(e.getCause());
    }
  }

  /** A failure and its causes in one line. */
  private static String reasons(Throwable failure) {
    StringBuilder line = new StringBuilder();
    Throwable cause = failure;
    for (int i = 0; cause != null && i < CAUSES_MAX; i++, cause = cause.getCause()) {
      String message = cause.getMessage();
      if (message != null && line.indexOf(message) < 0) {
        line.append(line.isEmpty() ? "" : ": ").append(message);
      }
    }
    return line.isEmpty() ? failure.getClass().getSimpleName() : line.toString().replace('\n', ' ');
  }
}
