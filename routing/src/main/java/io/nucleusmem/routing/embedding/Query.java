package io.nucleusmem.routing.embedding;

/**
 * A text to be ranked; or an example that is ranked as if its route did not have it.
 *
 * @param left null for a text from outside
 */
record Query(Exemplar exemplar, RouteProfile left, int index) {
  static Query of(Exemplar exemplar) {
    return new Query(exemplar, null, -1);
  }

  static Query leftOut(RouteProfile route, int index) {
    return new Query(route.exemplars().get(index), route, index);
  }

  boolean leavesOut(RouteProfile route) {
    return route == left;
  }
}
