package io.nucleusmem.routing.embedding;

import io.nucleusmem.routing.MatcherTrainer;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteMatcher;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes {@link EmbeddingMatcher}s; a few changed routes cost little. */
public final class EmbeddingTrainer implements MatcherTrainer {
  /** More changes than these are trained at once. */
  private static final int CHANGES_MAX = 16;

  private final TextEmbeddings embeddings;

  public EmbeddingTrainer(TextEmbeddings embeddings) {
    this.embeddings = embeddings;
  }

  @Override
  public RouteMatcher train(List<Route> routes) {
    return EmbeddingMatcher.train(embeddings, routes);
  }

  @Override
  public RouteMatcher retrain(RouteMatcher before, List<Route> were, List<Route> routes) {
    if (!(before instanceof EmbeddingMatcher matcher)) {
      return train(routes);
    }
    Map<String, Route> known = new HashMap<>();
    were.forEach(route -> known.put(route.name(), route));
    Set<String> gone = new HashSet<>(known.keySet());
    routes.forEach(route -> gone.remove(route.name()));
    List<Route> come =
        routes.stream().filter(route -> !route.equals(known.get(route.name()))).toList();
    if (gone.size() + come.size() > CHANGES_MAX) {
      return train(routes);
    }
    for (String name : gone) {
      matcher = matcher.without(name);
    }
    for (Route route : come) {
      matcher = matcher.with(route);
    }
    return matcher;
  }
}
