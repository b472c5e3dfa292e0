package io.nucleusmem.routing.llm;

import akka.actor.Scheduler;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.DispatcherSelector;
import com.typesafe.config.Config;
import dev.langchain4j.model.chat.ChatModel;
import io.nucleusmem.routing.Candidate;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser;
import io.nucleusmem.routing.RouteMatcher;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import scala.concurrent.ExecutionContext;

/**
 * Lets a language model choose, as far as it has proved worth it on the routes' own examples.
 *
 * <p>One per node. Safe for several threads; no call blocks.
 */
public final class LlmChooser implements RouteChooser, AutoCloseable {
  private final LlmSettings settings;
  private final ModelRuns runs;
  private final Measurement measurement;

  private LlmChooser(LlmSettings settings, ModelRuns runs, Measurement measurement) {
    this.settings = settings;
    this.runs = runs;
    this.measurement = measurement;
  }

  /**
   * The chooser that {@code nucleusmem.routing.llm} describes; without a provider one that fails
   * with NOT_CONFIGURED.
   *
   * @throws IllegalArgumentException with the key, its value and what would be accepted
   */
  public static RouteChooser fromConfig(Config root, ActorSystem<?> system) {
    LlmSettings settings = LlmSettings.from(root);
    return switch (settings.server().provider()) {
      case NONE -> new NoChooser();
      case OPENAI, OLLAMA -> create(settings, ChatModels.of(settings), system);
    };
  }

  /** A chooser with a model of one's own; of the settings' server only the names are used. */
  public static LlmChooser create(LlmSettings settings, ChatModel model, ActorSystem<?> system) {
    return create(
        settings,
        model,
        system
            .dispatchers()
            .lookup(DispatcherSelector.fromConfig(LlmSettings.PATH + ".dispatcher")),
        system.executionContext(),
        system.classicSystem().scheduler(),
        System::nanoTime);
  }

  static LlmChooser create(
      LlmSettings settings,
      ChatModel model,
      Executor blocking,
      ExecutionContext timers,
      Scheduler scheduler,
      LongSupplier nanoTime) {
    var runs = new ModelRuns(model, settings, blocking, timers, scheduler, nanoTime);
    var measurement =
        new Measurement(
            runs, settings, blocking, (delay, task) -> scheduler.scheduleOnce(delay, task, timers));
    return new LlmChooser(settings, runs, measurement);
  }

  @Override
  public CompletionStage<Choice> choose(
      String text, Ranking.Verdict verdict, List<Option> options) {
    if (options.isEmpty() || isEmpty(text)) {
      return failed(
          ChooserException.Why.NOTHING_TO_ASK,
          options.isEmpty() ? "there is no candidate" : "the text is empty");
    }
    if (strongest(verdict) == 0) {
      return failed(ChooserException.Why.NOT_TRUSTED, notTrusted());
    }
    Question question = Question.of(text, options, settings.prompt());
    var ranking =
        new Ranking(
            options.stream().map(o -> new Candidate(o.route().name(), o.score())).toList(),
            verdict);
    return runs.ask(question, 0).thenApply(vote -> choice(vote, question, ranking));
  }

  private Choice choice(Vote vote, Question question, Ranking ranking) {
    double weight =
        Overruling.of(ranking, vote.route())
            .map(this::weight)
            .orElseGet(() -> strongest(ranking.verdict()));
    return new Choice(
        vote.route(),
        vote.reason(),
        weight,
        vote.model(),
        question.hash(),
        vote.latencyMillis(),
        vote.inputTokens(),
        vote.outputTokens());
  }

  /** Measures after a while without further changes; nothing with a fixed weight. */
  @Override
  public void routesChanged(List<Route> routes, Function<List<Route>, RouteMatcher> trainer) {
    if (settings.trust().fixed().isEmpty()) {
      measurement.start(routes, trainer, settings.trust().quiet());
    }
  }

  /**
   * Measures now.
   *
   * @return completes when all trials are through, which takes as long as the budget and the model
   *     make it; fails with what the trainer throws, and with a {@link ChooserException} when the
   *     model can't be asked several times in a row
   */
  public CompletionStage<Evidence> measure(
      List<Route> routes, Function<List<Route>, RouteMatcher> trainer) {
    return measurement.start(routes, trainer, Duration.ZERO);
  }

  /** What has been measured so far. */
  public Evidence evidence() {
    return measurement.evidence();
  }

  /** Calls to the model since the start: for messages, for measuring, and those that failed. */
  public long calls() {
    return runs.calls();
  }

  /** Ends measuring; what is under way is waited for by nobody. */
  @Override
  public void close() {
    measurement.stop();
  }

  private double weight(Overruling overruling) {
    if (settings.trust().fixed().isPresent()) {
      return settings.trust().fixed().getAsDouble();
    }
    double weight = measurement.evidence().weight(overruling);
    return weight < settings.trust().weightMin() ? 0 : weight;
  }

  /** Of what a vote could overrule. */
  private double strongest(Ranking.Verdict verdict) {
    var possible =
        verdict == Ranking.Verdict.NOTHING
            ? Stream.of(Overruling.SOME_ROUTE)
            : Stream.of(Overruling.OTHER_ROUTE, Overruling.NO_ROUTE);
    return possible.mapToDouble(this::weight).max().orElse(0);
  }

  private boolean isEmpty(String text) {
    return text.isBlank()
        || Texts.visible(Texts.head(text, settings.prompt().textCharsMax())).isEmpty();
  }

  private String notTrusted() {
    Evidence seen = measurement.evidence();
    return ("model [%s] is not asked: of [%d] examples in doubt it has been asked for [%d] and got"
            + " [%d] right, stage one [%d]; it has to prove better")
        .formatted(
            settings.server().model(),
            seen.trials(),
            seen.answered(),
            seen.modelRight(),
            seen.stageRight());
  }

  private static CompletionStage<Choice> failed(ChooserException.Why why, String message) {
    return CompletableFuture.failedStage(new ChooserException(why, message, null));
  }
}
