package io.nucleusmem.routing.embedding;

import io.nucleusmem.routing.Route;
import java.util.ArrayList;
import java.util.List;

/** What is known of one route alone; immutable. A description counts as one more example. */
final class RouteProfile {
  /** Of more texts, so many spread evenly over their list count: pairs grow with its cube. */
  static final int EXEMPLARS_MAX = 64;

  private final String name;
  private final List<Exemplar> exemplars;
  private final int examples;
  private final float[] sum;
  private final double sumSquare;
  private final double[] rowSums;
  private final double total;
  private final double[][] gram;

  private RouteProfile(String name, List<Exemplar> exemplars, int examples) {
    this.name = name;
    this.exemplars = List.copyOf(exemplars);
    this.examples = examples;
    int n = exemplars.size();
    this.sum = new float[exemplars.get(0).vector().length];
    for (Exemplar each : exemplars) {
      for (int i = 0; i < sum.length; i++) {
        sum[i] += each.vector()[i];
      }
    }
    this.sumSquare = Exemplar.dot(sum, sum);
    this.gram = new double[n][n];
    this.rowSums = new double[n];
    double all = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        gram[i][j] = exemplars.get(i).similarity(exemplars.get(j));
        gram[j][i] = gram[i][j];
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        rowSums[i] += gram[i][j];
      }
      all += rowSums[i];
    }
    this.total = all;
  }

  /**
   * Embeds what the route says of itself.
   *
   * @throws IllegalArgumentException if it says nothing
   */
  static RouteProfile of(Route route, TextEmbeddings embeddings) {
    List<String> texts = new ArrayList<>();
    List<String> given =
        route.examples().stream().filter(text -> !TextEmbeddings.isEmpty(text)).toList();
    int count = Math.min(given.size(), EXEMPLARS_MAX - 1);
    for (int i = 0; i < count; i++) {
      texts.add(embeddings.shortened(given.get((int) ((long) i * given.size() / count))));
    }
    int examples = texts.size();
    if (!TextEmbeddings.isEmpty(route.description())) {
      texts.add(embeddings.shortened(route.description()));
    }
    if (texts.isEmpty()) {
      throw new IllegalArgumentException(
          "route [%s] has neither a description nor examples; it must have one of them"
              .formatted(route.name()));
    }
    List<float[]> vectors = embeddings.embedAll(texts);
    List<Exemplar> exemplars = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      exemplars.add(Exemplar.of(texts.get(i), vectors.get(i)));
    }
    return new RouteProfile(route.name(), exemplars, examples);
  }

  String name() {
    return name;
  }

  /** Examples first, then the description. */
  List<Exemplar> exemplars() {
    return exemplars;
  }

  /** How many of the exemplars are examples. */
  int examples() {
    return examples;
  }

  double gram(int i, int j) {
    return gram[i][j];
  }

  /** The cosine of the query and the centroid of the vectors. */
  double centroid(Query query) {
    double dot = Exemplar.dot(sum, query.exemplar().vector());
    if (!query.leavesOut(this)) {
      return dot / Math.sqrt(Math.max(sumSquare, 1e-9));
    }
    return (dot - 1) / Math.sqrt(Math.max(sumSquare - 2 * dot + 1, 1e-9));
  }

  /** The query's similarity to each exemplar; NaN for the one that is left out. */
  double[] similarities(Query query) {
    double[] similarities = new double[exemplars.size()];
    for (int i = 0; i < similarities.length; i++) {
      similarities[i] =
          query.leavesOut(this) && query.index() == i
              ? Double.NaN
              : query.exemplar().similarity(exemplars.get(i));
    }
    return similarities;
  }

  /** The cosine of the query and the centroid in the space of the kernel. */
  double closeness(Query query, double[] similarities) {
    double dot = 0;
    for (double each : similarities) {
      dot += Double.isNaN(each) ? 0 : each;
    }
    double square =
        query.leavesOut(this)
            ? total - 2 * rowSums[query.index()] + gram[query.index()][query.index()]
            : total;
    return dot / Math.sqrt(Math.max(square, 1e-9));
  }
}
