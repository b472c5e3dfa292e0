package io.nucleusmem.routing.embedding;

import io.nucleusmem.routing.Candidate;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteMatcher;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Ranks routes by the embeddings of their examples and descriptions.
 *
 * <p>A score is the estimated probability that the route is meant, from 0 to 1: the probability
 * that anything fits, times the route's share among those that compete. The scores of one text sum
 * up to at most 1 over the six that compete; those behind them are ranked, with scores near 0.
 * Scores are rounded to {@value #DIGITS} digits, equal ones are ordered by name, so that nodes
 * agree.
 *
 * <p>Immutable. A matcher is the same whether it was trained at once or grew by {@link #with} and
 * {@link #without}, which cost little.
 */
public final class EmbeddingMatcher implements RouteMatcher {
  /** Candidates of one answer. */
  public static final int LIMIT_MAX = 32;

  /** Routes of one matcher. */
  public static final int ROUTES_MAX = 10_000;

  private static final int DIGITS = 6;
  private static final double ROUNDING = 1e6;

  private final TextEmbeddings embeddings;
  private final SortedMap<String, RouteProfile> profiles;
  private final SortedMap<String, List<Trial>> trials;
  private final Field field;
  private final Calibration calibration;

  private EmbeddingMatcher(
      TextEmbeddings embeddings,
      SortedMap<String, RouteProfile> profiles,
      SortedMap<String, List<Trial>> trials,
      Field field) {
    this.embeddings = embeddings;
    this.profiles = profiles;
    this.trials = trials;
    this.field = field;
    this.calibration = Calibration.of(trials.values().stream().flatMap(List::stream).toList());
  }

  /**
   * Trains. Blocks: about 2 ms for each text whose embedding is not known yet, 0.2 ms for others.
   *
   * @param routes in any order; may be empty
   * @throws IllegalArgumentException if a name stands twice, or a route has neither a description
   *     nor an example
   */
  public static EmbeddingMatcher train(TextEmbeddings embeddings, List<Route> routes) {
    // all at once, so that they are embedded in parallel
    List<String> texts = new ArrayList<>();
    for (Route route : routes) {
      texts.add(route.description());
      texts.addAll(route.examples());
    }
    embeddings.embedAll(
        texts.stream().filter(text -> !TextEmbeddings.isEmpty(text)).distinct().toList());
    SortedMap<String, RouteProfile> profiles = new TreeMap<>();
    for (Route route : routes) {
      if (profiles.put(route.name(), RouteProfile.of(route, embeddings)) != null) {
        throw new IllegalArgumentException(
            "route [%s] stands twice; names must be unique".formatted(route.name()));
      }
    }
    return create(embeddings, profiles, null, null, null);
  }

  /** With a route added, or changed if there is one of its name. Blocks as {@link #train} does. */
  public EmbeddingMatcher with(Route route) {
    SortedMap<String, RouteProfile> changed = new TreeMap<>(profiles);
    RouteProfile come = RouteProfile.of(route, embeddings);
    RouteProfile gone = changed.put(route.name(), come);
    return create(embeddings, changed, this, gone, come);
  }

  /** Without a route; the same matcher if there is none of that name. */
  public EmbeddingMatcher without(String name) {
    SortedMap<String, RouteProfile> changed = new TreeMap<>(profiles);
    RouteProfile gone = changed.remove(name);
    return gone == null ? this : create(embeddings, changed, this, gone, null);
  }

  private static EmbeddingMatcher create(
      TextEmbeddings embeddings,
      SortedMap<String, RouteProfile> profiles,
      EmbeddingMatcher before,
      RouteProfile gone,
      RouteProfile come) {
    if (profiles.size() > ROUTES_MAX) {
      throw new IllegalArgumentException(
          "[%d] routes; at most [%d] can be matched".formatted(profiles.size(), ROUTES_MAX));
    }
    Field field = new Field(profiles.values(), before == null ? null : before.field);
    SortedMap<String, List<Trial>> trials = new TreeMap<>();
    for (RouteProfile route : profiles.values()) {
      List<Trial> known = before == null || route == come ? null : before.trials.get(route.name());
      List<Trial> now = new ArrayList<>();
      int count = route.exemplars().size() < 2 ? 0 : route.examples();
      for (int i = 0; i < Math.min(count, Trial.TRIALS_PER_ROUTE_MAX); i++) {
        boolean still = known != null && !known.get(i).touchedBy(gone, come, route);
        now.add(still ? known.get(i) : Trial.of(field, route, i));
      }
      trials.put(route.name(), now);
    }
    return new EmbeddingMatcher(embeddings, profiles, trials, field);
  }

  /**
   * Ranks.
   *
   * @throws IllegalArgumentException if the text is empty or blank, or the limit is none
   */
  @Override
  public Ranking rank(String text, int limit) {
    if (limit < 1 || limit > LIMIT_MAX) {
      throw new IllegalArgumentException(
          "limit is [%d]; it must be from 1 to %d".formatted(limit, LIMIT_MAX));
    }
    String part = embeddings.shortened(text);
    if (profiles.isEmpty()) {
      return new Ranking(List.of(), Ranking.Verdict.NOTHING);
    }
    return rank(Query.of(Exemplar.of(part, embeddings.embed(part))), limit);
  }

  private Ranking rank(Query query, int limit) {
    Field.View view = field.view(query, limit);
    double[] logs = view.seen().stream().mapToDouble(Field.Seen::log).toArray();
    double fit =
        view.seen().stream().mapToDouble(Field.Seen::fit).max().orElse(Double.NEGATIVE_INFINITY);
    double fits = calibration.fits(fit);
    double[] shares = calibration.shares(logs);
    double competing = 0;
    for (int i = 0; i < view.contenders(); i++) {
      competing += shares[i];
    }
    List<Candidate> candidates = new ArrayList<>();
    for (int i = 0; i < shares.length; i++) {
      double score = fits * shares[i] / competing;
      candidates.add(
          new Candidate(view.seen().get(i).route().name(), Math.rint(score * ROUNDING) / ROUNDING));
    }
    candidates.sort(
        Comparator.comparingDouble((Candidate each) -> -each.score())
            .thenComparing(Candidate::route));
    Ranking.Verdict verdict = Ranking.Verdict.AMBIGUOUS;
    if (fits < calibration.nothingBelow()) {
      verdict = Ranking.Verdict.NOTHING;
    } else if (candidates.get(0).score() >= calibration.clearFrom()) {
      verdict = Ranking.Verdict.CLEAR;
    }
    return new Ranking(candidates.subList(0, Math.min(limit, candidates.size())), verdict);
  }

  /** The score from which a route is clear. */
  public double clearFrom() {
    return calibration.clearFrom();
  }

  /** The probability that anything fits below which nothing does. */
  public double nothingBelow() {
    return calibration.nothingBelow();
  }

  /** Names of the routes, in order. */
  public List<String> routes() {
    return List.copyOf(profiles.keySet());
  }
}
