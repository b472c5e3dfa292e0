package io.nucleusmem.routing.embedding;

import com.typesafe.config.Config;
import io.nucleusmem.routing.MatcherTrainer;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteMatcher;
import java.util.List;

/**
 * Loads the configured model when there is a first route, so a node without routes starts as fast,
 * and is as small, as one without a model. A model that did not load is tried again.
 */
public final class LateTrainer implements MatcherTrainer {
  private final Config config;
  private EmbeddingTrainer trainer; // guarded by this; null until the model is loaded

  /**
   * A trainer.
   *
   * @throws IllegalArgumentException for a setting that cannot be; it names the key
   */
  public LateTrainer(Config config) {
    EmbeddingSettings.from(config);
    this.config = config;
  }

  private synchronized EmbeddingTrainer trainer() {
    if (trainer == null) {
      trainer = new EmbeddingTrainer(TextEmbeddings.fromConfig(config));
    }
    return trainer;
  }

  @Override
  public RouteMatcher train(List<Route> routes) {
    return routes.isEmpty()
        ? (text, limit) -> new Ranking(List.of(), Ranking.Verdict.NOTHING)
        : trainer().train(routes);
  }

  @Override
  public RouteMatcher retrain(RouteMatcher before, List<Route> were, List<Route> routes) {
    return routes.isEmpty() ? train(routes) : trainer().retrain(before, were, routes);
  }
}
