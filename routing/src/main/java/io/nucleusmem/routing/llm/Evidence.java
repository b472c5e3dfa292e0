package io.nucleusmem.routing.llm;

import java.util.EnumMap;
import java.util.Map;

/**
 * How a model did beside stage one, on examples of the routes where stage one was not sure.
 *
 * <p>Some of the trials are of examples whose route was left out as a whole, so that none is right.
 * How many messages really belong nowhere is not known, but decides which votes do more good than
 * harm; so each kind of vote is judged by the share that is worse for it.
 *
 * @param trials examples that it is, or is still to be, asked for
 * @param answered those that have an outcome; an answer that can't be used is one
 * @param unusable of these, those without a usable answer
 * @param modelRight of these, those that the model alone gets right
 * @param stageRight of these, those that stage one alone gets right
 * @param rare what a trial whose route was left out counts, others counting 1, where few messages
 *     belong nowhere
 * @param often the same where many do
 */
public record Evidence(
    int trials,
    int answered,
    int unusable,
    int modelRight,
    int stageRight,
    Map<Overruling, Tally> tallies,
    double rare,
    double often) {

  static final Evidence NONE = new Evidence(0, 0, 0, 0, 0, Map.of(), 1, 1);

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
     *
     * @param win what a win counts
     * @param loss what a loss counts
     */
    double weight(double win, double loss) {
      double most = Math.max(1, Math.max(win, loss)); // what counts more proves no more
      double n = (wins * win + losses * loss) / most;
      if (n == 0) {
        return 0;
      }
      double share = wins * win / most / n;
      double spread = Z * Math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n));
      double lower = (share + Z * Z / (2 * n) - spread) / (1 + Z * Z / n);
      return Math.max(0, 2 * lower - 1);
    }
  }

  /** From 0 to 1. */
  public double weight(Overruling overruling) {
    Tally tally = tallies.getOrDefault(overruling, Tally.ZERO);
    return switch (overruling) {
      case OTHER_ROUTE -> tally.weight(1, 1);
      case NO_ROUTE -> tally.weight(rare, 1); // wins only where none is right
      case SOME_ROUTE -> tally.weight(1, often); // loses only there
    };
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

    Evidence of(int trials, double rare, double often) {
      return new Evidence(trials, answered, unusable, modelRight, stageRight, tallies, rare, often);
    }
  }
}
