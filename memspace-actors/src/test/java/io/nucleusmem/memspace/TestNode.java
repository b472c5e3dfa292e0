package io.nucleusmem.memspace;

import akka.actor.BootstrapSetup;
import akka.actor.setup.ActorSystemSetup;
import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Adapter;
import akka.cluster.Member;
import akka.cluster.MemberStatus;
import akka.cluster.sharding.ClusterSharding;
import akka.cluster.sharding.ShardRegion;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Join;
import akka.pattern.Patterns;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.StoreSetup;
import io.nucleusmem.store.KvStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A node in this JVM over a store that outlives it. */
public final class TestNode implements AutoCloseable {
  private static final String CONFIG =
      """
      akka {
        loglevel = WARNING
        actor.provider = cluster
        remote.artery.canonical { hostname = "127.0.0.1", port = 0 }
        cluster.jmx.enabled = off
        cluster.down-removal-margin = 1ms
        cluster.split-brain-resolver.stable-after = 2s
        # a loaded machine may stop a JVM, which is all nodes here, for seconds
        cluster.failure-detector.acceptable-heartbeat-pause = 10s
        cluster.sharding.retry-interval = 200ms
        cluster.downing-provider-class = "akka.cluster.sbr.SplitBrainResolverProvider"
        coordinated-shutdown.exit-jvm = off
        coordinated-shutdown.run-by-actor-system-terminate = off
        coordinated-shutdown.run-by-jvm-shutdown-hook = off
      }
      nucleusmem.memspace.call-timeout = 40s
      """;

  private static final int WAIT_SECONDS_MAX = 120; // for what does come true

  private static final Duration ASK_TIMEOUT = Duration.ofSeconds(WAIT_SECONDS_MAX);

  private final ActorSystem<?> system;

  private TestNode(ActorSystem<?> system) {
    this.system = system;
  }

  public static TestNode start(KvStore store) {
    return start(store, "");
  }

  public static TestNode start(KvStore store, String config) {
    TestNode node = create(store, config);
    node.join(node);
    return node;
  }

  /** A node that joins another; returns when it is a member. */
  public static TestNode join(TestNode first, KvStore store, String config) {
    TestNode node = create(store, config);
    node.join(first);
    eventually(() -> Cluster.get(node.system).selfMember().status() == MemberStatus.up());
    return node;
  }

  /** Nodes that form a cluster over one store; returns when all are members and have started. */
  static List<TestNode> cluster(KvStore store, int count) {
    List<TestNode> nodes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      TestNode node = create(store, "");
      nodes.add(node);
      node.join(nodes.get(0));
    }
    for (TestNode node : nodes) {
      eventually(() -> membersUp(node) == count);
      node.spaces();
    }
    nodes.forEach(node -> node.awaitRegions(count));
    return nodes;
  }

  /**
   * Waits until this node's sharding knows of so many nodes for each type that it hosts: from then
   * on each of them is given its share.
   */
  public void awaitRegions(int count) {
    ClusterSharding sharding = ClusterSharding.get(system);
    for (String type : sharding.getShardTypeNames()) {
      eventually(
          () ->
              ((ShardRegion.CurrentRegions)
                          await(
                              Patterns.ask(
                                  sharding.shardRegion(type),
                                  ShardRegion.getCurrentRegionsInstance(),
                                  ASK_TIMEOUT)))
                      .getRegions()
                      .size()
                  >= count);
    }
  }

  private static long membersUp(TestNode node) {
    int up = 0;
    for (Member member : Cluster.get(node.system).state().getMembers()) {
      up += member.status() == MemberStatus.up() ? 1 : 0;
    }
    return up;
  }

  /** Waits until something holds. */
  public static void eventually(BooleanSupplier holds) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS_MAX);
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("it did not come true in %d s".formatted(WAIT_SECONDS_MAX));
      }
      LockSupport.parkNanos(10_000_000L);
    }
  }

  private void join(TestNode first) {
    Cluster.get(system)
        .manager()
        .tell(Join.create(Cluster.get(first.system).selfMember().address()));
  }

  private static TestNode create(KvStore store, String config) {
    Config all =
        ConfigFactory.parseString(config)
            .withFallback(ConfigFactory.parseString(CONFIG))
            .withFallback(ConfigFactory.load());
    ActorSystemSetup setup =
        ActorSystemSetup.create(BootstrapSetup.create(all), StoreSetup.borrowed(store));
    akka.actor.ActorSystem classic = akka.actor.ActorSystem.create("test", setup);
    ActorSystem<Void> system = Adapter.toTyped(classic);
    return new TestNode(system);
  }

  public ActorSystem<?> system() {
    return system;
  }

  public MemSpaces spaces() {
    return NucleusMem.get(system).spaces();
  }

  /** The value of a stage; what it failed with is thrown as it is. */
  public static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().orTimeout(WAIT_SECONDS_MAX, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  /** Ends the node without a word to the others. */
  public void die() {
    system
        .classicSystem()
        .terminate(); // run-by-actor-system-terminate is off: no leaving, no hand-over
  }

  @Override
  public void close() {
    ActorTestKit.shutdown(system);
  }
}
