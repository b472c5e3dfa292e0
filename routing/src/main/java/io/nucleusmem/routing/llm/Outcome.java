package io.nucleusmem.routing.llm;

import java.util.Optional;

/**
 * What a model said in a trial.
 *
 * @param usable whether there was an answer that could be used
 * @param route empty: none fits
 */
record Outcome(boolean usable, Optional<String> route) {
  static final Outcome UNUSABLE = new Outcome(false, Optional.empty());

  static Outcome of(Vote vote) {
    return new Outcome(true, vote.route());
  }
}
