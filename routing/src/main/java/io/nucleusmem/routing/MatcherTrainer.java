package io.nucleusmem.routing;

import java.util.List;

/** Makes stage one's matchers. Blocks: not to be called on an actor's thread. */
public interface MatcherTrainer {
  /**
   * A matcher of these routes.
   *
   * @throws RuntimeException if the model cannot be used; the message says why
   */
  RouteMatcher train(List<Route> routes);

  /**
   * The same from a matcher of other routes; cheap where little has changed.
   *
   * @param before as this trainer made it for {@code were}
   */
  default RouteMatcher retrain(RouteMatcher before, List<Route> were, List<Route> routes) {
    return train(routes);
  }
}
