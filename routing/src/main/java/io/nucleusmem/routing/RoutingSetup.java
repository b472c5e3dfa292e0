package io.nucleusmem.routing;

import akka.actor.setup.Setup;
import java.util.Objects;

/**
 * Gives a node's router its two stages in code, instead of by configuration: for tests, and for
 * those who bring a matcher or a model of their own.
 */
public final class RoutingSetup extends Setup {
  private final MatcherTrainer trainer;
  private final RouteChooser chooser;

  private RoutingSetup(MatcherTrainer trainer, RouteChooser chooser) {
    this.trainer = Objects.requireNonNull(trainer, "trainer");
    this.chooser = Objects.requireNonNull(chooser, "chooser");
  }

  /** Both stages. */
  public static RoutingSetup of(MatcherTrainer trainer, RouteChooser chooser) {
    return new RoutingSetup(trainer, chooser);
  }

  /** Stage one. */
  public MatcherTrainer trainer() {
    return trainer;
  }

  /** Stage two. */
  public RouteChooser chooser() {
    return chooser;
  }
}
