package io.nucleusmem.routing.llm;

import java.util.EnumMap;
import java.util.Map;

/**
 * How a model did beside stage one, on examples of the routes where stage one was not sure.
 *
 * @param trials examples that it is, or is still to be, asked for
 * @param answered those that have an outcome; an answer that can't be used is one
 * @param unusable of these, those without a usable answer
 * @param modelRight of these, those that the model alone gets right
 * @param stageRight of these, those that stage one alone gets right
 */
public record Evidence(
    int trials,
    int answered,
    int unusable,
    int modelRight,
    int stageRight,
    Map<Overruling, Tally> tallies) {

  static final Evidence NONE = new Evidence(0, 0, 0, 0, 0, Map.of());

  /** One-sided 95 %: of twenty models that are no better than stage one, one is overrated. */
  private static final double Z = 1.645;

  public Evidence {
    tallies = Map.copyOf(tallies);
  }

  /**
   * Votes that differ from stage one, where one of the two is right.
   *
   * @param wins the model is right
   * @param losses stage one is right
   */
  public record Tally(int wins, int losses) {
    private static final Tally ZERO = new Tally(0, 0);

    Tally plus(boolean win) {
      return win ? new Tally(wins + 1, losses) : new Tally(wins, losses + 1);
    }

    /**
     * How far such a vote is to be trusted, from 0 to 1: {@code 2 p - 1}, where {@code p} is the
     * lower bound (Wilson 1927) of the model's share of wins. 0 as long as it is not proved better
     * than a coin. Examples: 5 of 5 is 0.30, 10 of 10 is 0.57, 18 of 20 is 0.48, 60 of 100 is 0.03.
     */
    public double weight() {
      int n = wins + losses;
      if (n == 0) {
        return 0;
      }
      double share = (double) wins / n;
      double spread = Z * Math.sqrt(share * (1 - share) / n + Z * Z / (4.0 * n * n));
      double lower = (share + Z * Z / (2.0 * n) - spread) / (1 + Z * Z / n);
      return Math.max(0, 2 * lower - 1);
    }
  }

  /** From 0 to 1. */
  public double weight(Overruling overruling) {
    return tallies.getOrDefault(overruling, Tally.ZERO).weight();
  }

  /** Adds up outcomes. */
  static final class Sum {
    private final Map<Overruling, Tally> tallies = new EnumMap<>(Overruling.class);
    private int answered;
    private int unusable;
    private int modelRight;
    private int stageRight;

    void add(Trial trial, Outcome outcome) {
      answered++;
      boolean stage = trial.stageIsRight();
      stageRight += stage ? 1 : 0;
      if (!outcome.usable()) {
        unusable++; // stage one decides
        return;
      }
      boolean model = outcome.route().equals(trial.truth());
      modelRight += model ? 1 : 0;
      if (model != stage) {
        Overruling.of(trial.ranking(), outcome.route())
            .ifPresent(how -> tallies.merge(how, Tally.ZERO.plus(model), Sum::both));
      }
    }

    private static Tally both(Tally a, Tally b) {
      return new Tally(a.wins() + b.wins(), a.losses() + b.losses());
    }

    Evidence of(int trials) {
      return new Evidence(trials, answered, unusable, modelRight, stageRight, tallies);
    }
  }
}
