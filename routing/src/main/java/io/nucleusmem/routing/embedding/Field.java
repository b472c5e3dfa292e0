package io.nucleusmem.routing.embedding;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * All routes, and what tells them apart. Compares a query with them in three steps, each for fewer
 * routes: centroids, exemplars, pairs.
 */
final class Field {
  /** Routes that are compared by their exemplars. */
  static final int SHORTLIST_MAX = 12;

  /** Routes that are compared pair by pair. */
  static final int CONTENDERS_MAX = 6;

  /** Pairs kept; others are made anew each time, with the same result. */
  private static final int PAIRS_MAX = 100_000;

  private static final double PAIR_SLOPE = 4;
  private static final double CLOSENESS_WEIGHT = 1;
  private static final double TAIL_SLOPE = 10;

  private record Pair(RouteProfile first, RouteProfile second) {}

  /**
   * A route as the query sees it.
   *
   * @param log on one scale for all routes of a query; the higher, the better
   */
  record Seen(RouteProfile route, double log, double fit) {}

  /**
   * @param seen best first
   * @param contenders how many of them compete; what follows them is listed only
   */
  record View(List<Seen> seen, int contenders, double leastCentroid) {}

  private record Near(RouteProfile route, double centroid) {}

  private record Close(
      RouteProfile route, double[] similarities, double closeness, double nearest) {}

  private final List<RouteProfile> routes;
  private final Map<Pair, PairModel> pairs = new ConcurrentHashMap<>();

  /** With the pairs of another field, where they are of these routes. */
  Field(Collection<RouteProfile> routes, Field before) {
    this.routes = List.copyOf(routes);
    if (before != null) {
      var still = new HashSet<>(this.routes);
      before.pairs.forEach(
          (pair, model) -> {
            if (still.contains(pair.first()) && still.contains(pair.second())) {
              pairs.put(pair, model);
            }
          });
    }
  }

  List<RouteProfile> routes() {
    return routes;
  }

  /** What the query looks like from here; at least the contenders, at most {@code limit} others. */
  View view(Query query, int limit) {
    List<Near> near = nearest(query, Math.max(limit, SHORTLIST_MAX));
    List<Close> close = new ArrayList<>();
    for (Near each : near) {
      close.add(close(each.route(), query));
    }
    close.sort(
        Comparator.comparingDouble((Close each) -> -each.closeness())
            .thenComparing(each -> each.route().name()));
    int contenders = Math.min(CONTENDERS_MAX, close.size());
    double[] logs = logs(query, close.subList(0, contenders));
    double least = 0;
    List<Seen> seen = new ArrayList<>();
    for (int i = 0; i < close.size(); i++) {
      Close each = close.get(i);
      double log =
          i < contenders
              ? logs[i]
              : least - TAIL_SLOPE * (close.get(contenders - 1).closeness() - each.closeness());
      least = i < contenders ? Math.min(least, log) : least;
      seen.add(new Seen(each.route(), log, fit(each)));
    }
    double lowest =
        near.size() < SHORTLIST_MAX
            ? Double.NEGATIVE_INFINITY
            : near.get(SHORTLIST_MAX - 1).centroid();
    List<Seen> first = new ArrayList<>(seen.subList(0, contenders));
    first.sort(
        Comparator.comparingDouble((Seen each) -> -each.log())
            .thenComparing(each -> each.route().name()));
    first.addAll(seen.subList(contenders, seen.size()));
    return new View(first, contenders, lowest);
  }

  /** The first few in order; a sort of all would cost more than comparing them. */
  private List<Near> nearest(Query query, int count) {
    List<Near> first = new ArrayList<>(count + 1);
    double least = Double.NEGATIVE_INFINITY;
    for (RouteProfile route : routes) {
      // what has but the text that is left out is not there
      if (query.leavesOut(route) && route.exemplars().size() < 2) {
        continue;
      }
      double centroid = route.centroid(query);
      if (first.size() == count && centroid <= least) {
        continue; // routes come by name: of equal ones the first stays
      }
      int at = first.size();
      while (at > 0 && first.get(at - 1).centroid() < centroid) {
        at--;
      }
      first.add(at, new Near(route, centroid));
      if (first.size() > count) {
        first.remove(count);
      }
      least = first.get(first.size() - 1).centroid();
    }
    return first;
  }

  private static Close close(RouteProfile route, Query query) {
    double[] similarities = route.similarities(query);
    double nearest = -1;
    for (double each : similarities) {
      nearest = each > nearest ? each : nearest;
    }
    return new Close(route, similarities, route.closeness(query, similarities), nearest);
  }

  /** How well a route fits by itself: its nearest exemplar, and all together. */
  private static double fit(Close close) {
    return (close.nearest() + close.closeness()) / 2;
  }

  private double[] logs(Query query, List<Close> contenders) {
    double[] logs = new double[contenders.size()];
    for (int i = 0; i < logs.length; i++) {
      logs[i] += CLOSENESS_WEIGHT * contenders.get(i).closeness();
      for (int j = i + 1; j < logs.length; j++) {
        double value = PAIR_SLOPE * decide(query, contenders.get(i), contenders.get(j));
        logs[i] -= Numbers.softplus(-value) / (logs.length - 1);
        logs[j] -= Numbers.softplus(value) / (logs.length - 1);
      }
    }
    return logs;
  }

  private double decide(Query query, Close a, Close b) {
    boolean ordered = a.route().name().compareTo(b.route().name()) < 0;
    Close first = ordered ? a : b;
    Close second = ordered ? b : a;
    PairModel model = pair(first.route(), second.route());
    double value;
    if (query.leavesOut(first.route()) || query.leavesOut(second.route())) {
      value = model.decideLeftOut(query.leavesOut(first.route()), query.index());
    } else {
      value = model.decide(first.similarities(), second.similarities());
    }
    return ordered ? value : -value;
  }

  private PairModel pair(RouteProfile first, RouteProfile second) {
    Pair key = new Pair(first, second);
    PairModel model = pairs.get(key);
    if (model == null) {
      model = PairModel.of(first, second);
      if (pairs.size() < PAIRS_MAX) {
        pairs.put(key, model);
      }
    }
    return model;
  }
}
