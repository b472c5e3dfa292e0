package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.routing.ModelCall;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.routing.Routing.DecisionQuery;
import io.nucleusmem.routing.RoutingDecision;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Why messages went where they went: the end of section 8 of the contract. */
final class DecisionRoutes {
  private final Routing routing;

  DecisionRoutes(Routing routing) {
    this.routing = routing;
  }

  record ModelJson(
      String model,
      String promptHash,
      long latencyMs,
      @JsonInclude(JsonInclude.Include.NON_NULL) Integer inputTokens,
      @JsonInclude(JsonInclude.Include.NON_NULL) Integer outputTokens) {
    static ModelJson of(ModelCall call) {
      return call == null
          ? null
          : new ModelJson(
              call.model(),
              call.promptHash(),
              call.latencyMs(),
              call.inputTokens(),
              call.outputTokens());
    }
  }

  /** A target; message is null and revision 0 where it could not be reached. */
  record DeliveryJson(String route, String to, String message, long revision) {
    static DeliveryJson of(RoutingDecision.Delivery delivery) {
      return new DeliveryJson(
          delivery.route(), delivery.to(), delivery.message(), delivery.revision());
    }
  }

  record HandOverJson(String from, String to, List<String> mounts) {
    static HandOverJson of(RoutingDecision.HandOver handOver) {
      return handOver == null
          ? null
          : new HandOverJson(handOver.from(), handOver.to(), handOver.mounts());
    }
  }

  /**
   * A decision.
   *
   * @param message id of what was delivered first, and its revision in its topic
   * @param source id of the message where it came by a topic that has a router
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record DecisionJson(
      String id,
      Instant at,
      String message,
      Long messageRevision,
      String source,
      String sender,
      String conversation,
      String text,
      boolean textCut,
      @JsonInclude(JsonInclude.Include.ALWAYS) String route,
      double score,
      String stage,
      List<RoutingRoutes.CandidateJson> candidates,
      String reason,
      String router,
      long routesRevision,
      String previous,
      String model,
      ModelJson modelCall,
      long latencyMs,
      List<DeliveryJson> deliveries,
      HandOverJson handOver) {
    static DecisionJson of(RoutingDecision decision) {
      Optional<RoutingDecision.Delivery> first = decision.delivered();
      return new DecisionJson(
          decision.id(),
          decision.instant(),
          first.map(RoutingDecision.Delivery::message).orElse(null),
          first.map(RoutingDecision.Delivery::revision).orElse(null),
          decision.source(),
          decision.sender(),
          decision.conversation(),
          decision.text(),
          decision.textCut(),
          decision.route(),
          decision.score(),
          decision.stage().label(),
          RoutingRoutes.CandidateJson.of(decision.candidates()),
          decision.reason(),
          decision.router(),
          decision.routesRevision(),
          decision.previous(),
          decision.model() == null ? null : decision.model().model(),
          ModelJson.of(decision.model()),
          decision.latencyMs(),
          decision.deliveries().stream().map(DeliveryJson::of).toList(),
          HandOverJson.of(decision.handOver()));
    }
  }

  record ReplayJson(String from, String until) {}

  /**
   * A message that would go elsewhere.
   *
   * @param then the route that was taken, or null
   * @param now the one that would be, or null
   */
  record DiffersJson(
      String message,
      String then,
      String now,
      String decision,
      String text,
      double thenScore,
      double nowScore,
      String thenStage,
      String nowStage,
      String reason) {
    static DiffersJson of(Routing.Differs differs) {
      return new DiffersJson(
          differs.message(),
          differs.then(),
          differs.now(),
          differs.decision().id(),
          differs.decision().text(),
          differs.decision().score(),
          differs.answer().score(),
          differs.decision().stage().label(),
          differs.answer().stage().label(),
          differs.answer().reason());
    }
  }

  void addTo(RouteTable table) {
    table
        .add(
            "GET",
            "/v1/decisions",
            Set.of("message", "route", "from", "until", "limit", "cursor"),
            this::list)
        .add("GET", "/v1/decisions/{id}", this::describe)
        .add("POST", "/v1/decisions/replay", Set.of("limit", "cursor"), this::replay);
  }

  private CompletionStage<HttpResponse> list(Call call) {
    return routing
        .decisions(
            call.principal(),
            new DecisionQuery(
                call.query("message"),
                call.query("route"),
                instant("from", call.query("from")),
                instant("until", call.query("until")),
                call.limit(),
                call.cursor()))
        .thenApply(page -> Answers.pageAt(page, DecisionJson::of));
  }

  private CompletionStage<HttpResponse> describe(Call call) {
    return routing
        .decision(call.principal(), call.path("id"))
        .thenApply(decision -> Answers.ok(DecisionJson.of(decision)));
  }

  private CompletionStage<HttpResponse> replay(Call call) {
    return call.json(ReplayJson.class)
        .thenCompose(
            span ->
                routing.replay(
                    call.principal(),
                    instant("from", Optional.ofNullable(span.from())),
                    instant("until", Optional.ofNullable(span.until())),
                    call.limit(),
                    call.cursor()))
        .thenApply(DecisionRoutes::differing);
  }

  private static HttpResponse differing(Paged<Routing.Differs> page) {
    return Answers.page(page, DiffersJson::of);
  }

  private static Optional<Instant> instant(String field, Optional<String> text) {
    return text.map(given -> Call.instant(field, given));
  }
}
