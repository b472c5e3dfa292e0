package io.nucleusmem.routing.llm;

import io.nucleusmem.routing.DecisionRule;
import io.nucleusmem.routing.Ranking;
import java.util.Optional;

/**
 * An example that was left out, asked for as if somebody had written it.
 *
 * @param truth the route it belongs to; empty where that route was left out as a whole
 * @param ranking of stage one, trained without it; not clear
 */
record Trial(String text, Optional<String> truth, Ranking ranking, Question question) {

  /** What makes it the same trial, though the routes around it changed. */
  record Key(String text, Optional<String> truth) {}

  Key key() {
    return new Key(text, truth);
  }

  boolean stageIsRight() {
    return DecisionRule.decide(ranking).route().equals(truth);
  }
}
