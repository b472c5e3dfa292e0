package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.routing.Router.Query;
import io.nucleusmem.routing.Routing.DecisionQuery;
import io.nucleusmem.routing.Routing.Differs;
import io.nucleusmem.routing.RoutingDecision;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Decides past messages again with today's routes. What agents decided is left alone. */
final class Replays {
  /** Name of the router where an agent had decided. */
  static final String HANDED_OVER = "agent";

  private static final int CANDIDATES = 5;

  private final DecisionPages pages;
  private final LiveView live;
  private final Decider decider;
  private final Duration timeout;

  Replays(DecisionPages pages, LiveView live, Decider decider, Duration timeout) {
    this.pages = pages;
    this.live = live;
    this.decider = decider;
    this.timeout = timeout;
  }

  CompletionStage<Paged<Differs>> page(
      Principal caller,
      Optional<Instant> from,
      Optional<Instant> until,
      int limit,
      Optional<String> cursor) {
    DecisionQuery query =
        new DecisionQuery(Optional.empty(), Optional.empty(), from, until, limit, cursor);
    return pages
        .page(caller, query)
        .thenCombine(live.fresh(timeout), this::differing)
        .thenCompose(page -> page);
  }

  private CompletionStage<Paged<Differs>> differing(Paged<RoutingDecision> page, LiveRoutes view) {
    CompletionStage<List<Differs>> differing = CompletableFuture.completedStage(new ArrayList<>());
    for (RoutingDecision decision : page.items()) {
      if (!decision.router().equals(HANDED_OVER)) {
        differing =
            differing.thenCompose(
                list ->
                    again(decision, view)
                        .thenApply(
                            now -> {
                              now.ifPresent(list::add);
                              return list;
                            }));
      }
    }
    return differing.thenApply(list -> new Paged<>(list, page.revision(), page.next()));
  }

  /** One after the other: a replay is not to crowd out the messages of now. */
  private CompletionStage<Optional<Differs>> again(RoutingDecision decision, LiveRoutes view) {
    if (decision.text().isBlank()) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    Query query =
        new Query(
            decision.text(),
            decision.sender(),
            Optional.ofNullable(decision.conversation()),
            Optional.ofNullable(decision.previous()),
            view.routes(),
            CANDIDATES);
    return decider
        .decide(query, view, decider.nameOf(hookOf(decision, view), view))
        .thenApply(
            now -> {
              String then = decision.route();
              String today = now.answer().route().orElse(null);
              return Optional.ofNullable(then).equals(Optional.ofNullable(today))
                  ? Optional.empty()
                  : Optional.of(
                      new Differs(messageOf(decision), decision, then, today, now.answer()));
            });
  }

  /** The router that the topic of the message has today. */
  private static Optional<String> hookOf(RoutingDecision decision, LiveRoutes view) {
    if (decision.source() == null) {
      return Optional.empty();
    }
    String topic = decision.source().substring(0, decision.source().indexOf('/'));
    return view.hooks().stream()
        .filter(hook -> hook.topic().equals(topic))
        .filter(
            hook -> decision.sourceSpace() == null || hook.space().equals(decision.sourceSpace()))
        .findFirst()
        .flatMap(HookRow::named);
  }

  private static String messageOf(RoutingDecision decision) {
    return decision.delivered().map(RoutingDecision.Delivery::message).orElse(decision.source());
  }
}
