package io.nucleusmem.cli.evaluate;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser;
import io.nucleusmem.routing.RouteMatcher;
import io.nucleusmem.routing.llm.BothStages;
import io.nucleusmem.routing.llm.Evaluation;
import io.nucleusmem.routing.llm.Evidence;
import io.nucleusmem.routing.llm.LlmChooser;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The language model's part of an evaluation. */
final class StageTwo {
  private static final String LLM = "nucleusmem.routing.llm";

  /**
   * A text with what stage one says of it.
   *
   * @param truth empty: it belongs nowhere
   */
  record Ranked(String text, Optional<String> truth, Ranking ranking) {}

  /**
   * @param evidence what the model's trust rests on; empty if a weight is set
   * @param calls all calls to the model, those for measuring included
   */
  record Outcome(
      Evaluation.Report report, Optional<Evidence> evidence, long measuringCalls, long calls) {}

  private StageTwo() {}

  /**
   * Measures the model's trust, then has all texts decided without and with it. Takes as long as
   * the model and {@code budget} make it.
   */
  static Outcome run(
      Config config,
      List<Route> routes,
      Function<List<Route>, RouteMatcher> trainer,
      List<Ranked> texts) {
    // an actor system for timers and threads alone, no cluster
    Config local =
        ConfigFactory.parseString("akka.actor.provider = local").withFallback(config).resolve();
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "evaluate-router", local);
    try {
      RouteChooser chooser = LlmChooser.fromConfig(local, system);
      if (!(chooser instanceof LlmChooser llm)) {
        throw new IllegalArgumentException(
            LLM
                + ".provider is [none]; --llm needs [openai] or [ollama], by --llm-provider or"
                + " --conf");
      }
      Optional<Evidence> evidence = Optional.empty();
      if (local.getString(LLM + ".trust.weight").equals("measured")) {
        evidence = Optional.of(llm.measure(routes, trainer).toCompletableFuture().join());
      }
      long measuring = llm.calls();
      var evaluation =
          new Evaluation(new BothStages(llm, routes), local.getInt(LLM + ".calls-in-flight-max"));
      for (Ranked each : texts) {
        evaluation.add(each.text(), each.truth(), each.ranking());
      }
      Evaluation.Report report = evaluation.report();
      long calls = llm.calls();
      llm.close();
      return new Outcome(report, evidence, measuring, calls);
    } finally {
      system.terminate();
    }
  }
}
