package io.nucleusmem.routing.embedding;

import java.util.Comparator;
import java.util.List;

/**
 * What scores mean, learned from the examples: each is ranked without itself, and once more as if
 * its route did not exist. With few examples the values are those that suit the default model.
 *
 * @param sharpness turns the contenders' logs into shares
 * @param slope of the probability that anything fits, over the fit
 * @param middle the fit at which that is one half
 * @param nothingBelow the probability below which nothing fits
 * @param clearFrom the score from which a route is clear
 */
record Calibration(
    double sharpness, double slope, double middle, double nothingBelow, double clearFrom) {
  private static final int TRIALS_LEAST = 20;
  private static final double[] SHARPNESSES = {1, 1.5, 2, 3, 4, 6, 8, 12, 16};
  private static final double SLOPE = 20;
  private static final double MIDDLE = 0.4;
  private static final double PRIOR_WEIGHT = 10;
  private static final double NOTHING_BELOW = 0.3;
  private static final double CLEAR_FROM = 0.6;

  /** Share of the examples that may be taken for something that belongs nowhere. */
  private static final double LOST_MAX = 0.05;

  /** Share of the examples that are clear which must be right. */
  private static final double CLEAR_RIGHT_LEAST = 0.95;

  private static final double CLEAR_LEAST = 0.3;
  private static final double CLEAR_MOST = 0.95;

  static Calibration of(List<Trial> trials) {
    double sharpness = trials.size() < TRIALS_LEAST ? 4 : sharpness(trials);
    double[] line = line(trials);
    var scale = new Calibration(sharpness, line[0], line[1], NOTHING_BELOW, CLEAR_FROM);
    if (trials.size() < TRIALS_LEAST) {
      return scale;
    }
    double[] fits = trials.stream().mapToDouble(each -> scale.fits(each.fit())).sorted().toArray();
    return new Calibration(
        sharpness,
        line[0],
        line[1],
        Math.min(0.5, fits[(int) (LOST_MAX * fits.length)]),
        scale.clearFrom(trials));
  }

  /** The probability that a text of this fit belongs to any route. */
  double fits(double fit) {
    return Numbers.sigmoid(slope * (fit - middle));
  }

  /** The share of each contender; the sum is 1. */
  double[] shares(double[] logs) {
    double[] shares = new double[logs.length];
    double sum = 0;
    for (int i = 0; i < logs.length; i++) {
      shares[i] = StrictMath.exp(sharpness * (logs[i] - logs[0]));
      sum += shares[i];
    }
    for (int i = 0; i < logs.length; i++) {
      shares[i] /= sum;
    }
    return shares;
  }

  private static double sharpness(List<Trial> trials) {
    double best = SHARPNESSES[0];
    double bestLikelihood = Double.NEGATIVE_INFINITY;
    for (double candidate : SHARPNESSES) {
      var scale = new Calibration(candidate, 0, 0, 0, 0);
      double likelihood = 0;
      for (Trial each : trials) {
        if (each.own() >= 0) {
          likelihood += StrictMath.log(Math.max(scale.shares(each.logs())[each.own()], 1e-9));
        }
      }
      // rises, then falls: the first that is worse ends it
      if (likelihood <= bestLikelihood) {
        break;
      }
      bestLikelihood = likelihood;
      best = candidate;
    }
    return best;
  }

  /** Logistic regression of "belongs somewhere" on the fit, with a prior: slope and middle. */
  private static double[] line(List<Trial> trials) {
    double slope = SLOPE;
    double offset = 0;
    double weight = trials.isEmpty() ? 0 : 1;
    for (int step = 0; step < 25 && weight > 0; step++) {
      double g0 = PRIOR_WEIGHT * offset / 4;
      double g1 = (slope - SLOPE) * PRIOR_WEIGHT / 400;
      double h00 = PRIOR_WEIGHT / 4;
      double h01 = 0;
      double h11 = PRIOR_WEIGHT / 400;
      for (Trial each : trials) {
        for (int side = 0; side < 2; side++) {
          double x = (side == 0 ? each.fit() : each.fitOfOthers()) - MIDDLE;
          if (Double.isNaN(x)) {
            continue;
          }
          double p = Numbers.sigmoid(slope * x + offset);
          double error = p - (side == 0 ? 1 : 0);
          double curve = Math.max(p * (1 - p), 1e-6);
          g0 += error;
          g1 += error * x;
          h00 += curve;
          h01 += curve * x;
          h11 += curve * x * x;
        }
      }
      double determinant = h00 * h11 - h01 * h01;
      double d0 = (h11 * g0 - h01 * g1) / determinant;
      double d1 = (h00 * g1 - h01 * g0) / determinant;
      if (Math.abs(d0) < 1e-6 && Math.abs(d1) < 1e-4) {
        break;
      }
      offset -= Math.max(-1, Math.min(1, d0));
      slope = Math.max(1, slope - Math.max(-5, Math.min(5, d1)));
    }
    return new double[] {slope, MIDDLE - offset / slope};
  }

  private double clearFrom(List<Trial> trials) {
    record Scored(double score, boolean right) {}
    List<Scored> scored =
        trials.stream()
            .map(each -> new Scored(fits(each.fit()) * shares(each.logs())[0], each.own() == 0))
            .sorted(Comparator.comparingDouble((Scored each) -> -each.score()))
            .toList();
    double from = CLEAR_MOST;
    int right = 0;
    for (int i = 0; i < scored.size(); i++) {
      right += scored.get(i).right() ? 1 : 0;
      if (right >= CLEAR_RIGHT_LEAST * (i + 1)) {
        from = scored.get(i).score();
      }
    }
    return Math.max(CLEAR_LEAST, Math.min(CLEAR_MOST, from));
  }
}
