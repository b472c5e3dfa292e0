package io.nucleusmem.routing;

import io.nucleusmem.routing.RouteChooser.Choice;
import java.util.List;
import java.util.Optional;

/**
 * Merges what both stages say into one decision.
 *
 * <p>Stage one alone takes its first candidate, or none where nothing fits. A model's vote that
 * agrees changes nothing. One that does not is weighed, with weight {@code w}, against stage one's
 * lead:
 *
 * <ul>
 *   <li>for another candidate: the lead is {@code (first - voted) / first}, of the scores;
 *   <li>for none where stage one has a candidate, or for a candidate where it has none: the lead is
 *       {@value #LEAD_OF_FITTING}, since no two scores can be compared.
 * </ul>
 *
 * <p>The vote wins where {@code w > 0} and {@code w >= (1 - w) * lead}. A weight of 0 never wins, a
 * weight from 1/2 always does, one between only where stage one is in doubt anyway. As the weight
 * is measured on just the votes that disagree, and is 0 unless they have proved better than what
 * they overrule, a weak model leaves stage one's accuracy as it was.
 *
 * <p>Example: scores 0.5 and 0.375 have a lead of 0.25; a vote for the second wins from w = 0.2.
 */
public final class DecisionRule {

  static final double LEAD_OF_FITTING = 0.25;

  private DecisionRule() {}

  /**
   * The decision.
   *
   * @param route empty: none fits
   * @param byModel whether the model's vote overruled stage one
   */
  public record Decision(Optional<String> route, boolean byModel) {}

  /** What stage one says alone. */
  public static Decision decide(Ranking ranking) {
    return new Decision(alone(ranking), false);
  }

  /** What both say together. */
  public static Decision decide(Ranking ranking, Choice choice) {
    Optional<String> first = alone(ranking);
    if (first.equals(choice.route())) {
      return new Decision(first, false);
    }
    double weight = choice.weight();
    boolean wins = weight > 0 && weight >= (1 - weight) * lead(ranking, first, choice.route());
    return wins ? new Decision(choice.route(), true) : new Decision(first, false);
  }

  private static Optional<String> alone(Ranking ranking) {
    return ranking.verdict() == Ranking.Verdict.NOTHING || ranking.candidates().isEmpty()
        ? Optional.empty()
        : Optional.of(ranking.candidates().get(0).route());
  }

  private static double lead(Ranking ranking, Optional<String> first, Optional<String> voted) {
    if (first.isEmpty() || voted.isEmpty()) {
      return LEAD_OF_FITTING;
    }
    double top = score(ranking.candidates(), first.get());
    return top <= 0 ? 0 : (top - score(ranking.candidates(), voted.get())) / top;
  }

  private static double score(List<Candidate> candidates, String route) {
    return candidates.stream()
        .filter(candidate -> candidate.route().equals(route))
        .mapToDouble(Candidate::score)
        .findFirst()
        .orElse(0);
  }
}
