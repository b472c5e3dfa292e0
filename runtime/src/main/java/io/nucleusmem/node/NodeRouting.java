package io.nucleusmem.node;

import akka.actor.typed.ActorSystem;
import com.typesafe.config.Config;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.routing.MatcherTrainer;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.routing.RoutingSetup;
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
    LlmSettings.from(config);
  }

  /** Starts it; models are loaded in the background. */
  static CompletionStage<Routing> start(ActorSystem<?> system, MemSpaces spaces, Agents agents) {
    Optional<RoutingSetup> given = system.settings().setup().get(RoutingSetup.class);
    return RoutingSystem.start(
        system,
        spaces,
        agents.recipients(),
        given.map(RoutingSetup::trainer).orElseGet(NodeRouting::stageOne),
        given
            .map(RoutingSetup::chooser)
            .orElseGet(() -> LlmChooser.fromConfig(system.settings().config(), system)));
  }

  private static MatcherTrainer stageOne() {
    return routes -> {
      throw new IllegalStateException("there is no embedding model on the class path");
    };
  }
}
