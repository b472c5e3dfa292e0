package io.nucleusmem.routing.embedding;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How an example was ranked without itself.
 *
 * @param logs of the contenders, best first
 * @param own place of the example's route among them; -1: it is not there
 * @param fit of the route that fits best
 * @param fitOfOthers the same if the example's route did not exist: what a text looks like that
 *     belongs nowhere; NaN if there is no other
 * @param leastCentroid a route whose centroid is farther away changes nothing here
 */
record Trial(
    int index,
    double[] logs,
    int own,
    double fit,
    double fitOfOthers,
    double leastCentroid,
    Set<RouteProfile> looked) {
  /** Examples of one route that are tried. */
  static final int TRIALS_PER_ROUTE_MAX = 16;

  static Trial of(Field field, RouteProfile route, int index) {
    Field.View view = field.view(Query.leftOut(route, index), Field.SHORTLIST_MAX);
    double[] logs = new double[view.contenders()];
    int own = -1;
    double fit = Double.NEGATIVE_INFINITY;
    double fitOfOthers = Double.NEGATIVE_INFINITY;
    Set<RouteProfile> looked = new HashSet<>();
    List<Field.Seen> seen = view.seen();
    for (int i = 0; i < seen.size(); i++) {
      Field.Seen each = seen.get(i);
      if (i < logs.length) {
        logs[i] = each.log();
        own = each.route() == route ? i : own;
      }
      fit = Math.max(fit, each.fit());
      if (each.route() != route) {
        fitOfOthers = Math.max(fitOfOthers, each.fit());
      }
      looked.add(each.route());
    }
    return new Trial(
        index,
        logs,
        own,
        fit,
        Double.isInfinite(fitOfOthers) ? Double.NaN : fitOfOthers,
        view.leastCentroid(),
        looked);
  }

  /** Whether the example would be ranked otherwise now that these routes came or went. */
  boolean touchedBy(RouteProfile gone, RouteProfile come, RouteProfile route) {
    return gone != null && looked.contains(gone)
        || come != null && come.centroid(Query.leftOut(route, index)) >= leastCentroid;
  }
}
