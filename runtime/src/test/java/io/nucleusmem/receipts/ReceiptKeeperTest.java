package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.BootstrapSetup;
import akka.actor.setup.ActorSystemSetup;
import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.SpawnProtocol;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.Join;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.StoreSetup;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.node.NodeConfig;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.Fault;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A node that leads its cluster ends the logs of the dead, and removes what is too old. */
@Timeout(60)
class ReceiptKeeperTest {
  private static final String MOUNT = "m-0123456789abcdef0123456789abcdef-2";
  private static final Map<String, Object> CONFIG =
      Map.of(
          "akka.loglevel", "WARNING",
          "akka.cluster.jmx.enabled", "off",
          "akka.coordinated-shutdown.run-by-actor-system-terminate", "off",
          "akka.coordinated-shutdown.run-by-jvm-shutdown-hook", "off",
          "nucleusmem.receipts.retention.max-age", "1h",
          "nucleusmem.receipts.retention.interval", "5ms");

  private final AtomicLong millis = new AtomicLong(1_000_000_000_000L);
  private final AtomicInteger refused = new AtomicInteger();
  private final AtomicInteger toRefuse = new AtomicInteger();
  private final MemoryStore store =
      new MemoryStore(
          StoreScope.ALL, Runnable::run, millis::get, batch -> fault(), Resends.CHECKED);
  private ActorSystem<SpawnProtocol.Command> system;

  private Fault fault() {
    if (refused.get() < toRefuse.get()) {
      refused.incrementAndGet();
      return Fault.TRANSIENT;
    }
    return Fault.NONE;
  }

  @AfterEach
  void end() {
    if (system != null) {
      ActorTestKit.shutdown(system);
    }
  }

  private static <T> T await(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  private static void eventually(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("has not become true in 30 s");
      }
      Thread.onSpinWait();
    }
  }

  /** A system that has not joined anything yet. */
  private void start() {
    ActorSystemSetup setup =
        ActorSystemSetup.create(
            BootstrapSetup.create(NodeConfig.load(Optional.empty(), CONFIG)),
            StoreSetup.borrowed(store));
    system = ActorSystem.create(SpawnProtocol.create(), "keeper-test", setup);
  }

  private void join() {
    Cluster cluster = Cluster.get(system);
    cluster.manager().tell(Join.create(cluster.selfMember().address()));
  }

  private String address() {
    return Cluster.get(system).selfMember().address().toString();
  }

  private ReceiptLog log(String address) {
    ReceiptSettings settings = ReceiptSettings.from(ConfigFactory.defaultReference());
    return await(ReceiptLog.open(store, settings, address, () -> false, Runnable::run));
  }

  private static void signal(LifeLog life, long revision) {
    SeenVersion version = SeenVersion.entry(Region.MEMORY, "k", revision);
    await(life.input(How.SIGNAL, "s", MOUNT, "s/w", 0, List.of(version)));
  }

  private static LifeLog life(ReceiptLog log, String agent) {
    return log.begin(agent, Began.of("anna", "type", Map.of(), List.of()));
  }

  private int state(ReceiptLog log) {
    return await(new DeadLogs(store).nodes()).get(log.node()).state();
  }

  private List<Round> rounds(String agent) {
    return await(new ReceiptReader(store).ofAgent(agent, Place.before(0), Long.MAX_VALUE - 1))
        .rounds();
  }

  @Test
  void leaderEndsTheLogsOfTheDeadAndNoOther() {
    start();
    ReceiptLog alive = log(address());
    LifeLog life = life(alive, "b");
    signal(life, 1);
    ReceiptLog dead = log("akka://gone"); // the later one: it would be ended behind the other
    signal(life(dead, "a"), 1);
    ReceiptKeeper.start(system);
    join();
    eventually(() -> state(dead) == NodeRow.ENDED);
    signal(life, 2);
    assertThat(state(alive)).isEqualTo(NodeRow.OPEN);
    assertThat(rounds("a")).hasSize(1);
  }

  @Test
  void whatTheRetentionLetsGoIsRemovedAlsoWhereTheStoreFailsMeanwhile() {
    start();
    ReceiptLog log = log(address());
    LifeLog life = life(log, "a");
    signal(life, 1);
    await(log.end());
    millis.addAndGet(Duration.ofMinutes(90).toMillis());
    toRefuse.set(3);
    ReceiptKeeper.start(system);
    join();
    eventually(() -> rounds("a").isEmpty());
    assertThat(refused.get()).isEqualTo(3);
    eventually(() -> await(new DeadLogs(store).nodes()).isEmpty());
  }
}
