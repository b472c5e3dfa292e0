package io.nucleusmem.routing.router;

import akka.actor.typed.ActorRef;
import io.nucleusmem.routing.RouteChooser;
import io.nucleusmem.routing.Router;
import io.nucleusmem.routing.Router.Answer;
import io.nucleusmem.routing.Router.Query;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * Has questions answered: by the router that is to answer, by the standard one if that fails, and
 * within a time-out in any case. Only {@code BUSY} is passed on to who asks.
 */
final class Decider {
  private static final int TIMEOUTS_MAX = 3; // one each for the queue and two routers

  private final ActorRef<RouterActor.Message> actor;
  private final RouteChooser chooser;
  private final Routers routers;
  private final RoutingSettings settings;

  Decider(
      ActorRef<RouterActor.Message> actor,
      RouteChooser chooser,
      Routers routers,
      RoutingSettings settings) {
    this.actor = actor;
    this.chooser = chooser;
    this.routers = routers;
    this.settings = settings;
  }

  /**
   * An answer and whose it is.
   *
   * @param latencyMs from the question on
   */
  record Decided(Answer answer, String router, long latencyMs) {}

  /** The router that is to answer. */
  String nameOf(Optional<String> hook, LiveRoutes view) {
    return hook.or(view::router)
        .or(() -> Optional.of(settings.router()).filter(name -> !name.isEmpty()))
        .orElse(Routers.STANDARD);
  }

  CompletionStage<Decided> decide(Query query, LiveRoutes view, String router) {
    long began = System.nanoTime();
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    actor.tell(new RouterActor.Ask(() -> answer(query, view, router), answer));
    return answer
        .orTimeout(
            settings.decisionTimeout().multipliedBy(TIMEOUTS_MAX).toMillis(), TimeUnit.MILLISECONDS)
        .thenApply(
            made ->
                new Decided(
                    made, router, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)));
  }

  private CompletionStage<Answer> answer(Query query, LiveRoutes view, String name) {
    Router standard = new StandardRouter(view.matcher(), chooser, settings);
    if (name.equals(Routers.STANDARD)) {
      return timed(standard, query, standard);
    }
    return Failures.recover(
        Failures.attempt(() -> timed(routers.find(name), query, standard))
            .thenApply(made -> checked(made, name, query)),
        failure ->
            timed(standard, query, standard)
                .thenApply(
                    made ->
                        new Answer(
                            made.routes(),
                            made.score(),
                            made.stage(),
                            made.candidates(),
                            "router [%s] failed: %s; without it: %s"
                                .formatted(name, Failures.reason(failure), made.reason()),
                            made.model())));
  }

  private CompletionStage<Answer> timed(Router router, Query query, Router standard) {
    return router
        .route(query, standard)
        .toCompletableFuture()
        .copy()
        .orTimeout(settings.decisionTimeout().toMillis(), TimeUnit.MILLISECONDS);
  }

  private static Answer checked(Answer answer, String name, Query query) {
    if (answer == null) {
      throw new IllegalStateException("its answer is null");
    }
    for (String route : answer.routes()) {
      if (query.routes().stream()
          .noneMatch(each -> each.route().name().equals(route) && each.admits(query.sender()))) {
        throw new IllegalStateException(
            "it answers [%s], which is no route that is open to the sender".formatted(route));
      }
    }
    return answer;
  }
}
