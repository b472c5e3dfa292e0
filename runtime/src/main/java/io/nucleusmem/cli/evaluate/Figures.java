package io.nucleusmem.cli.evaluate;

import io.nucleusmem.routing.Ranking.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What stage one made of the texts, in figures. */
final class Figures {
  static final double IN_SCOPE_ACCURACY = 0.80;
  private static final int CONFUSIONS_MAX = 50;
  private static final int STEPS = 100;

  /**
   * A text that was ranked.
   *
   * @param truth null: it belongs nowhere
   * @param best the first candidate
   */
  record Outcome(String truth, String best, double score, Verdict verdict, long nanos) {
    boolean right() {
      return best.equals(truth);
    }
  }

  /**
   * If only scores from the threshold on counted.
   *
   * @param accuracy share of the texts that belong somewhere which get there
   * @param precision share of the texts that get anywhere which belong there; NaN if none does
   * @param oosRecall share of the texts that belong nowhere which get nowhere; NaN if there is none
   */
  record Point(double threshold, double accuracy, double precision, double oosRecall) {}

  private final List<Outcome> in;
  private final List<Outcome> out;

  Figures(List<Outcome> outcomes) {
    this.in = outcomes.stream().filter(each -> each.truth() != null).toList();
    this.out = outcomes.stream().filter(each -> each.truth() == null).toList();
  }

  int inScope() {
    return in.size();
  }

  int outOfScope() {
    return out.size();
  }

  /** Share of the first candidates that are right; NaN without texts. */
  double accuracy() {
    return share(in.stream().filter(Outcome::right).count(), in.size());
  }

  /**
   * Out-of-scope recall at the highest threshold that leaves an in-scope accuracy of {@value
   * #IN_SCOPE_ACCURACY}; NaN if none does, or nothing is out of scope.
   */
  double oosRecall() {
    int needed = (int) Math.ceil(IN_SCOPE_ACCURACY * in.size());
    double[] scores =
        in.stream().filter(Outcome::right).mapToDouble(each -> -each.score()).sorted().toArray();
    return in.isEmpty() || needed > scores.length ? Double.NaN : oosRecall(-scores[needed - 1]);
  }

  List<Point> curve() {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i <= STEPS; i++) {
      double threshold = (double) i / STEPS;
      long right = in.stream().filter(each -> each.right() && each.score() >= threshold).count();
      long taken =
          in.stream().filter(each -> each.score() >= threshold).count()
              + out.stream().filter(each -> each.score() >= threshold).count();
      points.add(
          new Point(threshold, share(right, in.size()), share(right, taken), oosRecall(threshold)));
    }
    return points;
  }

  private double oosRecall(double threshold) {
    return share(out.stream().filter(each -> each.score() < threshold).count(), out.size());
  }

  /** Texts by verdict: right, wrong, and those that belong nowhere. */
  Map<Verdict, Map<String, Long>> verdicts() {
    Map<Verdict, Map<String, Long>> verdicts = new EnumMap<>(Verdict.class);
    for (Verdict verdict : Verdict.values()) {
      Map<String, Long> counts = new LinkedHashMap<>();
      counts.put("right", in.stream().filter(o -> o.verdict() == verdict && o.right()).count());
      counts.put("wrong", in.stream().filter(o -> o.verdict() == verdict && !o.right()).count());
      counts.put("out_of_scope", out.stream().filter(o -> o.verdict() == verdict).count());
      verdicts.put(verdict, counts);
    }
    return verdicts;
  }

  /** A truth that was taken for something else. */
  record Confusion(String route, String takenFor, int count) {}

  /** The most frequent first. */
  List<Confusion> confusions() {
    Map<String, Map<String, Integer>> counts = new TreeMap<>();
    in.stream()
        .filter(each -> !each.right())
        .forEach(
            each ->
                counts
                    .computeIfAbsent(each.truth(), truth -> new TreeMap<>())
                    .merge(each.best(), 1, Integer::sum));
    List<Confusion> confusions = new ArrayList<>();
    counts.forEach(
        (truth, taken) ->
            taken.forEach((best, n) -> confusions.add(new Confusion(truth, best, n))));
    confusions.sort(Comparator.comparingInt((Confusion each) -> -each.count()));
    return confusions.subList(0, Math.min(CONFUSIONS_MAX, confusions.size()));
  }

  /** A percentile of the latencies in milliseconds. */
  double latencyMillis(double percentile) {
    long[] nanos = Stream.concat(in.stream(), out.stream()).mapToLong(Outcome::nanos).toArray();
    Arrays.sort(nanos);
    return nanos.length == 0
        ? Double.NaN
        : nanos[(int) Math.ceil(percentile * nanos.length) - 1] / 1e6;
  }

  private static double share(long part, long all) {
    return all == 0 ? Double.NaN : (double) part / all;
  }
}
