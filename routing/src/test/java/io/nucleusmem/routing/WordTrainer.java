package io.nucleusmem.routing;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A stage one that a test can foresee: a route's score is the largest share of the text's words
 * that one of its examples, or its description, has. From 0.6 on the best is clear, unless another
 * one is as good; from 0.3 on it is ambiguous.
 */
public final class WordTrainer implements MatcherTrainer {
  public static final double CLEAR_MIN = 0.6;
  public static final double AMBIGUOUS_MIN = 0.3;

  private final AtomicInteger trainings = new AtomicInteger();

  /** How often a matcher was made. */
  public int trainings() {
    return trainings.get();
  }

  @Override
  public RouteMatcher train(List<Route> routes) {
    trainings.incrementAndGet();
    return (text, limit) -> rank(routes, text, limit);
  }

  private static Ranking rank(List<Route> routes, String text, int limit) {
    List<Candidate> ranked =
        routes.stream()
            .map(route -> new Candidate(route.name(), score(route, words(text))))
            .sorted(
                Comparator.comparingDouble((Candidate each) -> -each.score())
                    .thenComparing(Candidate::route))
            .limit(limit)
            .toList();
    double best = ranked.isEmpty() ? 0 : ranked.get(0).score();
    boolean tie = ranked.size() > 1 && ranked.get(1).score() == best;
    Ranking.Verdict verdict =
        best >= CLEAR_MIN && !tie
            ? Ranking.Verdict.CLEAR
            : best >= AMBIGUOUS_MIN ? Ranking.Verdict.AMBIGUOUS : Ranking.Verdict.NOTHING;
    return new Ranking(ranked, verdict);
  }

  private static double score(Route route, Set<String> text) {
    return Stream.concat(Stream.of(route.description()), route.examples().stream())
        .mapToDouble(
            example -> {
              Set<String> common = words(example);
              common.retainAll(text);
              return text.isEmpty() ? 0 : (double) common.size() / text.size();
            })
        .max()
        .orElse(0);
  }

  private static Set<String> words(String text) {
    Set<String> words =
        new TreeSet<>(Arrays.asList(text.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{N}]+")));
    words.remove("");
    return words;
  }
}
