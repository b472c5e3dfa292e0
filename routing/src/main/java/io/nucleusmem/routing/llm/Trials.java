package io.nucleusmem.routing.llm;

import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser.Option;
import io.nucleusmem.routing.RouteMatcher;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a model is asked to prove itself, and how far that stands for messages.
 *
 * @param rare what a trial whose route was left out as a whole counts, others counting 1, if {@link
 *     #SHARE_RARE} of the messages belong nowhere
 * @param often the same for {@link #SHARE_OFTEN}
 */
record Trials(List<Trial> trials, double rare, double often) {
  static final Trials NONE = new Trials(List.of(), 1, 1);

  /** Messages that belong nowhere are taken to be at least such a share, and at most such a one. */
  static final double SHARE_RARE = 0.05;

  static final double SHARE_OFTEN = 0.3;

  /** Of the trials, at most one in so many has its route left out as a whole. */
  private static final int NOWHERE_ONE_IN = 3;

  /**
   * Leaves examples out and keeps those in which stage one is in doubt. Blocks for as long as it
   * takes to train stage one ten times.
   *
   * @param isWanted asked now and then; empty is returned soon after it says no
   */
  static Optional<Trials> of(
      List<Route> routes,
      Function<List<Route>, RouteMatcher> trainer,
      LlmSettings settings,
      BooleanSupplier isWanted) {
    var known = new Kind();
    var nowhere = new Kind();
    for (Folds.Fold fold : Folds.of(routes)) {
      if (!isWanted.getAsBoolean()) {
        return Optional.empty();
      }
      RouteMatcher matcher = trainer.apply(fold.routes());
      Map<String, Route> byName =
          fold.routes().stream().collect(Collectors.toMap(Route::name, Function.identity()));
      for (Folds.LeftOut example : fold.leftOut()) {
        (example.truth().isPresent() ? known : nowhere)
            .add(example, matcher, byName, settings.prompt());
      }
    }
    int max = settings.trust().trialsMax();
    List<Trial> trials = new ArrayList<>(nowhere.some((max + NOWHERE_ONE_IN - 1) / NOWHERE_ONE_IN));
    int nowheres = trials.size();
    trials.addAll(known.some(max - nowheres));
    double share = nowhere.mass(nowheres) / known.mass(trials.size() - nowheres);
    trials.sort(ORDER);
    return Optional.of(
        new Trials(
            List.copyOf(trials),
            share * SHARE_RARE / (1 - SHARE_RARE),
            share * SHARE_OFTEN / (1 - SHARE_OFTEN)));
  }

  /** Has nothing to do with the routes, and stays when others come and go. */
  private static final Comparator<Trial> ORDER =
      Comparator.comparing((Trial trial) -> trial.text().hashCode() * 0x9E3779B9)
          .thenComparing(Trial::text);

  /** Examples that were left out, of routes that are still there or are not. */
  private static final class Kind {
    private final List<Trial> inDoubt = new ArrayList<>();
    private int all;

    void add(
        Folds.LeftOut example,
        RouteMatcher matcher,
        Map<String, Route> routes,
        LlmSettings.Prompt limits) {
      if (example.text().isBlank()) {
        return;
      }
      all++;
      Ranking ranking = matcher.rank(example.text(), limits.candidatesMax());
      List<Option> options =
          ranking.candidates().stream()
              .filter(candidate -> routes.containsKey(candidate.route()))
              .map(candidate -> new Option(routes.get(candidate.route()), candidate.score()))
              .toList();
      if (ranking.verdict() != Ranking.Verdict.CLEAR && !options.isEmpty()) {
        inDoubt.add(
            new Trial(
                example.text(),
                example.truth(),
                ranking,
                Question.of(example.text(), options, limits)));
      }
    }

    List<Trial> some(int max) {
      return inDoubt.stream().sorted(ORDER).limit(max).toList();
    }

    /** The share of all that one of so many trials stands for; 1 where there is none. */
    double mass(int trials) {
      return trials == 0 ? 1 : (double) inDoubt.size() / trials / all;
    }
  }
}
