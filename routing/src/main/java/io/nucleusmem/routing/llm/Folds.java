package io.nucleusmem.routing.llm;

import io.nucleusmem.routing.Route;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Leaves examples out in turn. In each fold every route lacks an example, or a few if it has many,
 * and keeps the others; so stage one is trained ten times at most, and not once per example. Every
 * fifth route, another in each fold, is left out as a whole: what is right for its example is that
 * none fits.
 */
final class Folds {
  private static final int FOLDS_MAX = 10;
  private static final int WHOLE_EVERY = 5;
  private static final int ROUTES_MIN = 3; // fewer can't spare one

  private Folds() {}

  /**
   * A part of the routes' examples.
   *
   * @param routes without them, by name
   */
  record Fold(List<Route> routes, List<LeftOut> leftOut) {}

  /** An example; the truth is empty where its route was left out as a whole. */
  record LeftOut(String text, Optional<String> truth) {}

  static List<Fold> of(List<Route> all) {
    List<Route> routes = all.stream().sorted(Comparator.comparing(Route::name)).toList();
    int most = routes.stream().mapToInt(route -> route.examples().size()).max().orElse(0);
    List<Fold> folds = new ArrayList<>();
    int count = Math.min(FOLDS_MAX, most);
    for (int fold = 0; fold < count; fold++) {
      folds.add(fold(routes, fold, count));
    }
    return folds;
  }

  private static Fold fold(List<Route> routes, int fold, int folds) {
    List<Route> kept = new ArrayList<>();
    List<LeftOut> leftOut = new ArrayList<>();
    for (int r = 0; r < routes.size(); r++) {
      Route route = routes.get(r);
      List<String> stay = new ArrayList<>();
      List<String> leave = new ArrayList<>();
      for (int e = 0; e < route.examples().size(); e++) {
        (e % folds == fold ? leave : stay).add(route.examples().get(e));
      }
      boolean whole = routes.size() >= ROUTES_MIN && r % WHOLE_EVERY == fold % WHOLE_EVERY;
      if (whole) {
        leave.forEach(text -> leftOut.add(new LeftOut(text, Optional.empty())));
      } else if (stay.isEmpty() && route.description().isBlank()) {
        kept.add(route); // nothing would be left of it
      } else {
        kept.add(
            new Route(route.name(), route.target(), route.description(), stay, route.labels()));
        leave.forEach(text -> leftOut.add(new LeftOut(text, Optional.of(route.name()))));
      }
    }
    return new Fold(kept, leftOut);
  }
}
