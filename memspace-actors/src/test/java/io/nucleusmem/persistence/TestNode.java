package io.nucleusmem.persistence;

import akka.actor.ActorSystem;
import akka.actor.BootstrapSetup;
import akka.actor.setup.ActorSystemSetup;
import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.typed.javadsl.Adapter;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.StoreSetup;

/** An actor system whose persistence is ours, over a given store or the configured one. */
public final class TestNode implements AutoCloseable {
  private static final Config PLUGINS =
      ConfigFactory.parseString(
          """
          akka.persistence.journal.plugin = "nucleusmem.journal"
          akka.persistence.snapshot-store.plugin = "nucleusmem.snapshot-store"
          akka.persistence.state.plugin = "nucleusmem.durable-state"
          akka.loggers = ["akka.event.slf4j.Slf4jLogger"]
          akka.loglevel = WARNING
          akka.log-dead-letters = off
          nucleusmem.query.refresh-interval = 10ms
          nucleusmem.query.ids-refresh-interval = 10ms
          """);

  private final ActorTestKit kit;

  private TestNode(ActorSystem system) {
    kit = ActorTestKit.create(Adapter.toTyped(system));
  }

  /** Starts a node. */
  public static TestNode start(StoreSetup store, String... overrides) {
    return start(ActorSystemSetup.create(store, bootstrap(overrides)));
  }

  /** Starts a node whose store is the configured one. */
  public static TestNode start(String... overrides) {
    return start(ActorSystemSetup.create(bootstrap(overrides)));
  }

  private static TestNode start(ActorSystemSetup setup) {
    return new TestNode(ActorSystem.create("test", setup));
  }

  private static BootstrapSetup bootstrap(String... overrides) {
    return BootstrapSetup.create(
        ConfigFactory.parseString(String.join("\n", overrides))
            .withFallback(PLUGINS)
            .withFallback(ConfigFactory.load()));
  }

  public ActorTestKit kit() {
    return kit;
  }

  public ActorSystem system() {
    return Adapter.toClassic(kit.system());
  }

  /** Ends the system and waits for its end. */
  @Override
  public void close() {
    kit.shutdownTestKit();
  }
}
