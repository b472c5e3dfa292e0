package io.nucleusmem.examples.desk.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/**
 * Ranks the sentences of a text by how central they are: continuous LexRank (G. Erkan and D. R.
 * Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization", JAIR 22,
 * 2004). Sentences are vectors of tf-idf, idf over the sentences of this text; two of them are
 * joined by their cosine; the stationary distribution of a walk over that graph, damped as PageRank
 * is, gives the order.
 *
 * <p>Where we differ: a sentence does not recommend itself, so that one without any likeness to
 * others ranks last and not in the middle; and a graph of n sentences costs n², so longer texts are
 * ranked in blocks of {@link #BLOCK}, whose best go on to the next round, so the cost grows with n
 * alone.
 */
final class LexRank {

  /** Most sentences in one graph. */
  static final int BLOCK = 120;

  private static final double DAMPING = 0.85;
  private static final double PRECISION = 1e-6;
  private static final int STEPS_MAX = 100;

  /** Tf-idf of one sentence: sorted term numbers, weights scaled to length 1. */
  private record Vector(int[] terms, double[] weights) {
    double cosine(Vector other) {
      double sum = 0;
      for (int i = 0, j = 0; i < terms.length && j < other.terms.length; ) {
        int order = Integer.compare(terms[i], other.terms[j]);
        if (order == 0) {
          sum += weights[i++] * other.weights[j++];
        } else if (order < 0) {
          i++;
        } else {
          j++;
        }
      }
      return sum;
    }
  }

  private final List<Vector> vectors;

  LexRank(List<String> sentences) {
    this.vectors = vectors(sentences.stream().map(Sentences::words).toList());
  }

  /**
   * The places of the most central sentences.
   *
   * @param count at most this many; 1 to {@link #BLOCK} / 2
   * @param similarMax a sentence whose cosine with a better one is above this is passed over; 1
   *     keeps all
   * @return best first; ties go to the earlier sentence, so equal texts give equal answers
   */
  List<Integer> best(int count, double similarMax) {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < vectors.size(); i++) {
      all.add(i);
    }
    while (all.size() > BLOCK) {
      List<Integer> winners = new ArrayList<>();
      int each = Math.min(BLOCK / 2, Math.max(count, BLOCK / 10));
      for (int from = 0; from < all.size(); from += BLOCK) {
        var ranked = ranked(all.subList(from, Math.min(all.size(), from + BLOCK)));
        winners.addAll(ranked.subList(0, Math.min(each, ranked.size())));
      }
      winners.sort(null);
      all = winners;
    }
    var chosen = new ArrayList<Integer>();
    for (int candidate : ranked(all)) {
      if (chosen.size() < count
          && chosen.stream()
              .allMatch(
                  c -> vectors.get(c).cosine(vectors.get(candidate)) <= similarMax + PRECISION)) {
        chosen.add(candidate);
      }
    }
    return chosen;
  }

  private List<Integer> ranked(List<Integer> block) {
    int n = block.size();
    double[][] similar = new double[n][n];
    double[] degree = new double[n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        double cosine = vectors.get(block.get(i)).cosine(vectors.get(block.get(j)));
        similar[i][j] = cosine;
        similar[j][i] = cosine;
      }
    }
    for (int i = 0; i < n; i++) {
      degree[i] = Arrays.stream(similar[i]).sum();
    }
    double[] rank = new double[n];
    Arrays.fill(rank, 1.0 / Math.max(1, n));
    for (int step = 0; step < STEPS_MAX; step++) {
      double[] next = new double[n];
      double moved = 0;
      for (int i = 0; i < n; i++) {
        double in = 0;
        for (int j = 0; j < n; j++) {
          in += rank[j] * (degree[j] > 0 ? similar[j][i] / degree[j] : 1.0 / n);
        }
        next[i] = (1 - DAMPING) / n + DAMPING * in;
        moved += Math.abs(next[i] - rank[i]);
      }
      rank = next;
      if (moved < PRECISION) {
        break;
      }
    }
    double[] scores = rank;
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      places.add(i);
    }
    places.sort(Comparator.comparingDouble((Integer i) -> -scores[i]).thenComparing(i -> i));
    return places.stream().map(block::get).toList();
  }

  private static List<Vector> vectors(List<List<String>> sentences) {
    Map<String, Integer> terms = new HashMap<>();
    Map<String, Integer> sentencesWith = new HashMap<>();
    for (List<String> words : sentences) {
      words.forEach(word -> terms.putIfAbsent(word, terms.size()));
      new HashSet<>(words).forEach(word -> sentencesWith.merge(word, 1, Integer::sum));
    }
    var vectors = new ArrayList<Vector>();
    for (List<String> words : sentences) {
      Map<String, Integer> counts = new HashMap<>();
      words.forEach(word -> counts.merge(word, 1, Integer::sum));
      List<String> own = counts.keySet().stream().sorted(Comparator.comparing(terms::get)).toList();
      double[] weights = new double[own.size()];
      double square = 0;
      for (int i = 0; i < weights.length; i++) {
        double idf = Math.log(1 + (double) sentences.size() / sentencesWith.get(own.get(i)));
        weights[i] = counts.get(own.get(i)) * idf;
        square += weights[i] * weights[i];
      }
      for (int i = 0; i < weights.length; i++) {
        weights[i] /= Math.sqrt(square);
      }
      vectors.add(new Vector(own.stream().mapToInt(terms::get).toArray(), weights));
    }
    return vectors;
  }
}
