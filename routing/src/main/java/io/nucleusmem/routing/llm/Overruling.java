package io.nucleusmem.routing.llm;

import io.nucleusmem.routing.DecisionRule;
import io.nucleusmem.routing.Ranking;
import java.util.Optional;

/** How a model's vote can differ from what stage one says; each is trusted for itself. */
public enum Overruling {
  /** Stage one has a first candidate, the model votes for another. */
  OTHER_ROUTE,
  /** Stage one has a first candidate, the model says that none fits. */
  NO_ROUTE,
  /** Stage one says that nothing fits, the model votes for a candidate. */
  SOME_ROUTE;

  /** Empty where the vote agrees. */
  static Optional<Overruling> of(Ranking ranking, Optional<String> vote) {
    Optional<String> alone = DecisionRule.decide(ranking).route();
    if (alone.equals(vote)) {
      return Optional.empty();
    }
    if (alone.isEmpty()) {
      return Optional.of(SOME_ROUTE);
    }
    return Optional.of(vote.isEmpty() ? NO_ROUTE : OTHER_ROUTE);
  }
}
