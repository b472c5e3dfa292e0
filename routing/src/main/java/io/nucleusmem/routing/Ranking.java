package io.nucleusmem.routing;

import java.util.List;

/**
 * What stage one makes of a text.
 *
 * @param candidates best first; equal scores by name, so that every node answers alike
 */
public record Ranking(List<Candidate> candidates, Verdict verdict) {

  public Ranking {
    candidates = List.copyOf(candidates);
  }

  /** How sure stage one is. */
  public enum Verdict {
    /** The first candidate is meant. */
    CLEAR,
    /** One of the first candidates is meant, which one is not sure. */
    AMBIGUOUS,
    /** No route fits. */
    NOTHING
  }
}
