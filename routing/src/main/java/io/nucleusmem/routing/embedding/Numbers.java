package io.nucleusmem.routing.embedding;

/** Functions that give the same bits on every machine. */
final class Numbers {
  private Numbers() {}

  /** log(1 + e^x). */
  static double softplus(double x) {
    return Math.max(x, 0) + StrictMath.log1p(StrictMath.exp(-Math.abs(x)));
  }

  static double sigmoid(double x) {
    return x >= 0 ? 1 / (1 + StrictMath.exp(-x)) : 1 - 1 / (1 + StrictMath.exp(x));
  }
}
