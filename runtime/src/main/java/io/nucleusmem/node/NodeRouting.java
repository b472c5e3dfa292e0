package io.nucleusmem.node;

import akka.actor.typed.ActorSystem;
import com.typesafe.config.Config;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.routing.RoutingSetup;
import io.nucleusmem.routing.embedding.EmbeddingSettings;
import io.nucleusmem.routing.embedding.LateTrainer;
import io.nucleusmem.routing.llm.LlmChooser;
import io.nucleusmem.routing.llm.LlmSettings;
import io.nucleusmem.routing.router.RoutingSystem;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** The router of a node with the stages that its configuration asks for. */
final class NodeRouting {
  private NodeRouting() {}

  /**
   * Checks the configuration.
   *
   * @throws IllegalArgumentException names the key that is not as it must be
   */
  static void check(Config config) {
    RoutingSystem.check(config);
    EmbeddingSettings.from(config);
    LlmSettings.from(config);
  }

  /** Starts it; models are loaded in the background. */
  static CompletionStage<Routing> start(ActorSystem<?> system, MemSpaces spaces, Agents agents) {
    Config config = system.settings().config();
    Optional<RoutingSetup> given = system.settings().setup().get(RoutingSetup.class);
    return RoutingSystem.start(
        system,
        spaces,
        agents.recipients(),
        given.map(RoutingSetup::trainer).orElseGet(() -> new LateTrainer(config)),
        given.map(RoutingSetup::chooser).orElseGet(() -> LlmChooser.fromConfig(config, system)));
  }
}
