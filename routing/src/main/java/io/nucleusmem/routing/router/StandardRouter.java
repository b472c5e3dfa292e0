package io.nucleusmem.routing.router;

import io.nucleusmem.routing.Candidate;
import io.nucleusmem.routing.DecisionRule;
import io.nucleusmem.routing.ModelCall;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Ranking.Verdict;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.RouteChooser;
import io.nucleusmem.routing.RouteChooser.ChooserException;
import io.nucleusmem.routing.RouteMatcher;
import io.nucleusmem.routing.Router;
import io.nucleusmem.routing.Stage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The system's own router: stage one ranks; a conversation stays where it is unless something else
 * is clearly meant; what is not clear goes to stage two, where there is one; without its answer
 * stage one decides alone.
 */
final class StandardRouter implements Router {
  private static final int CANDIDATES_MAX = 32;

  private final RouteMatcher matcher;
  private final RouteChooser chooser;
  private final RoutingSettings settings;

  StandardRouter(RouteMatcher matcher, RouteChooser chooser, RoutingSettings settings) {
    this.matcher = matcher;
    this.chooser = chooser;
    this.settings = settings;
  }

  @Override
  public CompletionStage<Answer> route(Query query, Router standard) {
    if (query.routes().isEmpty()) {
      return done(Answer.nowhere(List.of(), "no routes are registered"));
    }
    Map<String, RegisteredRoute> admitted = new HashMap<>();
    query.routes().stream()
        .filter(each -> each.admits(query.sender()))
        .forEach(each -> admitted.put(each.route().name(), each));
    Optional<String> previous = query.previous().filter(admitted::containsKey);
    Ranking ranking;
    try {
      ranking = matcher.rank(query.text(), CANDIDATES_MAX);
    } catch (RuntimeException | LinkageError e) {
      return done(withoutRanking(previous, Failures.reason(e)));
    }
    Ranking ours = admitted(ranking, admitted);
    List<Candidate> shown =
        ours.candidates().subList(0, Math.min(query.limit(), ours.candidates().size()));
    if (ours.candidates().isEmpty()) {
      return done(
          Answer.nowhere(
              shown, "none of the routes is open to sender [%s]".formatted(query.sender())));
    }
    Candidate best = ours.candidates().get(0);
    boolean clear = ours.verdict() == Verdict.CLEAR;
    if (previous.isPresent() && !(clear && best.route().equals(previous.get()))) {
      double score = scoreOf(previous.get(), ours.candidates());
      if (!clear || best.score() - score < settings.stickyMargin()) {
        return done(
            Answer.to(
                previous.get(),
                score,
                Stage.STICKY,
                shown,
                "the conversation stays with [%s]: nothing else is clearly meant"
                    .formatted(previous.get())));
      }
    }
    if (clear) {
      return done(clear(ours.candidates(), shown, previous));
    }
    return chosen(query, admitted, ours, shown);
  }

  private static CompletionStage<Answer> done(Answer answer) {
    return CompletableFuture.completedStage(answer);
  }

  private static Answer withoutRanking(Optional<String> previous, String why) {
    return previous
        .map(
            route ->
                Answer.to(
                    route,
                    0,
                    Stage.STICKY,
                    List.of(),
                    "the conversation stays with [%s]; the routes could not be ranked: %s"
                        .formatted(route, why)))
        .orElseGet(
            () -> Answer.nowhere(List.of(), "the routes could not be ranked: %s".formatted(why)));
  }

  /**
   * The ranking without routes that are closed to the sender. Where the best is closed, none of the
   * others is meant.
   */
  private static Ranking admitted(Ranking ranking, Map<String, RegisteredRoute> admitted) {
    List<Candidate> ours =
        ranking.candidates().stream().filter(each -> admitted.containsKey(each.route())).toList();
    boolean bestIsClosed =
        !ranking.candidates().isEmpty()
            && !admitted.containsKey(ranking.candidates().get(0).route());
    return new Ranking(ours, bestIsClosed ? Verdict.NOTHING : ranking.verdict());
  }

  private static double scoreOf(String route, List<Candidate> candidates) {
    return candidates.stream()
        .filter(each -> each.route().equals(route))
        .mapToDouble(Candidate::score)
        .findFirst()
        .orElse(0);
  }

  private Answer clear(List<Candidate> all, List<Candidate> shown, Optional<String> previous) {
    Candidate best = all.get(0);
    List<String> routes = new ArrayList<>();
    routes.add(best.route());
    for (Candidate other : all.subList(1, all.size())) {
      if (routes.size() < settings.targetsMax()
          && other.score() >= settings.targetScoreMin()
          && best.score() - other.score() <= settings.targetScoreGap()) {
        routes.add(other.route());
      }
    }
    String reason =
        previous
            .filter(route -> !route.equals(best.route()))
            .map(
                route ->
                    "the conversation moves from [%s]: [%s] is clearly meant"
                        .formatted(route, best.route()))
            .orElse("[%s] is clearly meant".formatted(best.route()));
    return new Answer(routes, best.score(), Stage.EMBEDDING, shown, reason, Optional.empty());
  }

  // ---- stage two ----

  private CompletionStage<Answer> chosen(
      Query query, Map<String, RegisteredRoute> admitted, Ranking ranking, List<Candidate> shown) {
    List<RouteChooser.Option> options =
        ranking.candidates().stream()
            .map(each -> new RouteChooser.Option(admitted.get(each.route()).route(), each.score()))
            .toList();
    return Failures.attempt(() -> chooser.choose(query.text(), ranking.verdict(), options))
        .handle(
            (choice, failure) ->
                failure == null
                    ? voted(choice, ranking, shown)
                    : alone(ranking, shown, whyAlone(Failures.unwrap(failure))));
  }

  private static Answer voted(RouteChooser.Choice choice, Ranking ranking, List<Candidate> shown) {
    DecisionRule.Decision decision = DecisionRule.decide(ranking, choice);
    boolean agreed = decision.route().equals(choice.route());
    String vote = choice.route().map(route -> "for [" + route + "]").orElse("that none fits");
    String reason =
        "the model votes %s%s: %s"
            .formatted(
                vote,
                agreed ? "" : ", which does not weigh enough against the ranking",
                Failures.cut(choice.reason()));
    return new Answer(
        decision.route().map(List::of).orElse(List.of()),
        scoreOf(decision.route().orElse(ranking.candidates().get(0).route()), ranking.candidates()),
        decision.route().isEmpty() ? Stage.FALLBACK : agreed ? Stage.LLM : Stage.EMBEDDING,
        shown,
        reason,
        Optional.of(ModelCall.of(choice)));
  }

  private static String whyAlone(Throwable failure) {
    return failure instanceof ChooserException chooser
        ? "%s (%s)"
            .formatted(
                Failures.reason(failure),
                chooser.why().name().toLowerCase(Locale.ROOT).replace('_', ' '))
        : Failures.reason(failure);
  }

  private static Answer alone(Ranking ranking, List<Candidate> shown, String why) {
    Candidate best = ranking.candidates().get(0);
    return ranking.verdict() == Verdict.AMBIGUOUS
        ? Answer.to(
            best.route(),
            best.score(),
            Stage.EMBEDDING,
            shown,
            "[%s] is the likeliest of several; no second opinion: %s".formatted(best.route(), why))
        : Answer.nowhere(shown, "no route fits; no second opinion: %s".formatted(why));
  }
}
