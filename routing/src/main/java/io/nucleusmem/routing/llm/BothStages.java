package io.nucleusmem.routing.llm;

import io.nucleusmem.routing.DecisionRule;
import io.nucleusmem.routing.DecisionRule.Decision;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser;
import io.nucleusmem.routing.RouteChooser.Choice;
import io.nucleusmem.routing.RouteChooser.ChooserException;
import io.nucleusmem.routing.RouteChooser.Option;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What a ranking leads to with stage two behind it; for evaluation, without a node around it. */
public final class BothStages {
  private final RouteChooser chooser;
  private final Map<String, Route> routes;

  public BothStages(RouteChooser chooser, List<Route> routes) {
    this.chooser = chooser;
    this.routes =
        routes.stream().collect(Collectors.toUnmodifiableMap(Route::name, Function.identity()));
  }

  /**
   * The decision and how it came about.
   *
   * @param choice empty where no model answered
   * @param failure why not; empty where none was asked, since stage one is sure
   */
  public record Result(
      Decision decision, Optional<Choice> choice, Optional<ChooserException> failure) {}

  /**
   * Decides. A model that fails leaves it to stage one.
   *
   * @param ranking of the text, by stage one trained on these routes
   */
  public CompletionStage<Result> decide(String text, Ranking ranking) {
    Decision alone = DecisionRule.decide(ranking);
    if (ranking.verdict() == Ranking.Verdict.CLEAR) {
      return CompletableFuture.completedStage(
          new Result(alone, Optional.empty(), Optional.empty()));
    }
    List<Option> options =
        ranking.candidates().stream()
            .filter(candidate -> routes.containsKey(candidate.route()))
            .map(candidate -> new Option(routes.get(candidate.route()), candidate.score()))
            .toList();
    return chooser
        .choose(text, ranking.verdict(), options)
        .handle(
            (choice, failure) ->
                failure == null
                    ? new Result(
                        DecisionRule.decide(ranking, choice), Optional.of(choice), Optional.empty())
                    : new Result(alone, Optional.empty(), Optional.of(told(failure))));
  }

  /** Any other failure is a bug and goes on. */
  private static ChooserException told(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof ChooserException chooser) {
      return chooser;
    }
    throw new CompletionException(cause);
  }
}
