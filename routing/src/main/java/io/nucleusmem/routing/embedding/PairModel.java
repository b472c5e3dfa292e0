package io.nucleusmem.routing.embedding;

/**
 * Tells two routes apart: a regularised least-squares classifier with +1 for one's exemplars and -1
 * for the other's.
 *
 * <p>It depends on these two routes only. So a route that joins or leaves changes no other pair,
 * and a matcher that grew is equal to one that was trained at once. The answers for exemplars that
 * are left out come from the same inverse (Cawley 2006, leave-one-out for LS-SVMs).
 */
final class PairModel {
  private static final double RIDGE = 0.1;

  private final float[] weights;
  private final float[] leftOut;
  private final double bias;
  private final int firsts;

  private PairModel(float[] weights, float[] leftOut, double bias, int firsts) {
    this.weights = weights;
    this.leftOut = leftOut;
    this.bias = bias;
    this.firsts = firsts;
  }

  static PairModel of(RouteProfile a, RouteProfile b) {
    int na = a.exemplars().size();
    int n = na + b.exemplars().size();
    double[][] kernel = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double value;
        if (i < na) {
          value = a.gram(i, j);
        } else if (j >= na) {
          value = b.gram(i - na, j - na);
        } else {
          value = b.exemplars().get(i - na).similarity(a.exemplars().get(j));
        }
        kernel[i][j] = i == j ? value + RIDGE : value;
        kernel[j][i] = kernel[i][j];
      }
    }
    double[][] inverse = inverse(kernel);
    double[] ones = new double[n];
    double all = 0;
    double signed = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        ones[i] += inverse[i][j];
      }
      all += ones[i];
      signed += i < na ? ones[i] : -ones[i];
    }
    double bias = signed / all;
    float[] weights = new float[n];
    float[] leftOut = new float[n];
    for (int i = 0; i < n; i++) {
      double weight = 0;
      for (int j = 0; j < n; j++) {
        weight += inverse[i][j] * ((j < na ? 1 : -1) - bias);
      }
      weights[i] = (float) weight;
      double diagonal = inverse[i][i] - ones[i] * ones[i] / all;
      // with one exemplar on each side nothing is left to learn from: undecided
      leftOut[i] = n <= 2 ? 0 : (float) ((i < na ? 1 : -1) - weight / Math.max(diagonal, 1e-9));
    }
    return new PairModel(weights, leftOut, bias, na);
  }

  /** Above 0 for the first route, below for the second; the exemplars lie near 1 and -1. */
  double decide(double[] toFirst, double[] toSecond) {
    double value = bias;
    for (int i = 0; i < toFirst.length; i++) {
      value += weights[i] * toFirst[i];
    }
    for (int i = 0; i < toSecond.length; i++) {
      value += weights[firsts + i] * toSecond[i];
    }
    return value;
  }

  /** The same for an exemplar that was left out. */
  double decideLeftOut(boolean ofFirst, int index) {
    return leftOut[ofFirst ? index : firsts + index];
  }

  /** Inverse of a symmetric positive definite matrix, by Cholesky. */
  private static double[][] inverse(double[][] matrix) {
    int n = matrix.length;
    double[][] lower = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double value = matrix[i][j];
        for (int k = 0; k < j; k++) {
          value -= lower[i][k] * lower[j][k];
        }
        lower[i][j] = i == j ? Math.sqrt(Math.max(value, 1e-9)) : value / lower[j][j];
      }
    }
    // rows of the inverse of the lower triangle, transposed
    double[][] part = new double[n][n];
    for (int column = 0; column < n; column++) {
      part[column][column] = 1 / lower[column][column];
      for (int i = column + 1; i < n; i++) {
        double value = 0;
        for (int k = column; k < i; k++) {
          value -= lower[i][k] * part[column][k];
        }
        part[column][i] = value / lower[i][i];
      }
    }
    double[][] inverse = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double value = 0;
        for (int k = i; k < n; k++) {
          value += part[i][k] * part[j][k];
        }
        inverse[i][j] = value;
        inverse[j][i] = value;
      }
    }
    return inverse;
  }
}
