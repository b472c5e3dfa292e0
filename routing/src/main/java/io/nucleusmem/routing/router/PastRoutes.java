package io.nucleusmem.routing.router;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.routing.MatcherTrainer;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * The routes as they were, with a matcher of their own. Few are kept: texts are embedded once, so a
 * matcher is made again fast.
 */
final class PastRoutes {
  private static final int VIEWS_MAX = 4;

  private final OwnSpace space;
  private final MatcherTrainer trainer;
  private final Executor trainings;
  private final LiveView live;
  private final Cache<Long, LiveRoutes> views =
      Caffeine.newBuilder().maximumSize(VIEWS_MAX).build();

  PastRoutes(OwnSpace space, MatcherTrainer trainer, Executor trainings, LiveView live) {
    this.space = space;
    this.trainer = trainer;
    this.trainings = trainings;
    this.live = live;
  }

  CompletionStage<LiveRoutes> at(ReadAt at) {
    return space
        .call(mounted -> RouteFeed.read(mounted, at))
        .thenApplyAsync(
            read ->
                views.get(
                    read.revision(),
                    revision -> {
                      LiveRoutes now = live.current();
                      return read.with(
                          now.plain().equals(read.plain())
                              ? now.matcher()
                              : trainer.train(read.plain()));
                    }),
            trainings);
  }
}
