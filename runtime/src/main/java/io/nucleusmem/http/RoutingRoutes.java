package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.routing.Candidate;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.Router;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.routing.Target;
import io.nucleusmem.store.Bytes;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;

/** Routes and the dry run: the first half of section 8 of the contract. */
final class RoutingRoutes {
  private static final int CANDIDATES_DEFAULT = 5;
  private static final int CANDIDATES_MAX = 32;
  private static final String TARGETS =
      "{\"agent\": ID}, {\"agent_type\": TYPE} or {\"space\": SPACE, \"topic\": TOPIC}";

  private final Routing routing;
  private final Replays replays;

  RoutingRoutes(Routing routing, Replays replays) {
    this.routing = routing;
    this.replays = replays;
  }

  @JsonInclude(JsonInclude.Include.NON_NULL)
  record TargetJson(String agent, String agentType, String space, String topic) {
    static TargetJson of(Target target) {
      if (target instanceof Target.Agent agent) {
        return new TargetJson(agent.id(), null, null, null);
      }
      if (target instanceof Target.AgentType type) {
        return new TargetJson(null, type.type(), null, null);
      }
      Target.Topic topic = (Target.Topic) target;
      return new TargetJson(null, null, topic.space(), topic.topic());
    }

    Target toTarget() {
      boolean toTopic = space != null && topic != null;
      if (agent != null && agentType == null && space == null && topic == null) {
        return new Target.Agent(agent);
      }
      if (agentType != null && agent == null && space == null && topic == null) {
        return new Target.AgentType(agentType);
      }
      if (toTopic && agent == null && agentType == null) {
        return new Target.Topic(space, topic);
      }
      throw MemSpaceException.invalid("target", Json.text(this), TARGETS);
    }
  }

  /**
   * A route to be registered.
   *
   * @param senders who may be routed here; absent and empty mean everybody
   */
  record PutJson(
      TargetJson target,
      String description,
      List<String> examples,
      Map<String, String> labels,
      List<String> senders) {
    Route toRoute(String name) {
      if (target == null) {
        throw MemSpaceException.invalid("target", "absent", TARGETS);
      }
      return new Route(
          name,
          target.toTarget(),
          description == null ? "" : description,
          Required.listOrNone("examples", examples),
          Required.texts("labels", labels));
    }
  }

  record RouteJson(
      String name,
      TargetJson target,
      String description,
      List<String> examples,
      Map<String, String> labels,
      String owner,
      Set<String> senders,
      long revision,
      Instant at) {
    static RouteJson of(RegisteredRoute registered) {
      Route route = registered.route();
      return new RouteJson(
          route.name(),
          TargetJson.of(route.target()),
          route.description(),
          route.examples(),
          route.labels(),
          registered.owner(),
          new TreeSet<>(registered.senders()),
          registered.revision(),
          registered.at());
    }
  }

  record QuestionJson(String text, String asOf, Long limit) {}

  record CandidateJson(String route, double score) {
    static List<CandidateJson> of(List<Candidate> candidates) {
      return candidates.stream()
          .map(each -> new CandidateJson(each.route(), each.score()))
          .toList();
    }
  }

  /** What would become of a text; {@code model} is absent where none was asked. */
  record AnswerJson(
      String route,
      double score,
      String stage,
      List<CandidateJson> candidates,
      String reason,
      long latencyMs,
      @JsonInclude(JsonInclude.Include.NON_NULL) String model,
      @JsonInclude(JsonInclude.Include.NON_NULL) List<String> routes) {
    static AnswerJson of(Routing.DryRun run) {
      Router.Answer answer = run.answer();
      return new AnswerJson(
          answer.route().orElse(null),
          answer.score(),
          answer.stage().label(),
          CandidateJson.of(answer.candidates()),
          answer.reason(),
          run.latencyMs(),
          answer.model().map(call -> call.model()).orElse(null),
          answer.routes().size() > 1 ? answer.routes() : null);
    }
  }

  void addTo(RouteTable table) {
    table
        .add("PUT", "/v1/routes/{name}", this::put)
        .add("GET", "/v1/routes", Set.of("as_of", "limit", "cursor"), this::list)
        .add("GET", "/v1/routes/{name}", Set.of("as_of"), this::describe)
        .add("DELETE", "/v1/routes/{name}", this::withdraw)
        .add("POST", "/v1/route", this::dryRun);
  }

  private CompletionStage<HttpResponse> put(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              PutJson request = Json.read("body", body, PutJson.class);
              Route route = request.toRoute(call.path("name"));
              Set<String> senders = Set.copyOf(Required.listOrNone("senders", request.senders()));
              return replays.once(
                  call,
                  body,
                  () ->
                      routing
                          .routes()
                          .put(call.principal(), route, senders)
                          .thenApply(RoutingRoutes::registered));
            });
  }

  private static HttpResponse registered(RegisteredRoute route) {
    RouteJson json = RouteJson.of(route);
    return route.created()
        ? Answers.created("/v1/routes/" + Percent.encodePath(json.name()), json)
        : Answers.ok(json);
  }

  private CompletionStage<HttpResponse> list(Call call) {
    return routing
        .routes()
        .list(call.readAt(), call.limit(), call.cursor())
        .thenApply(page -> Answers.pageAt(page, RouteJson::of));
  }

  private CompletionStage<HttpResponse> describe(Call call) {
    return routing
        .routes()
        .get(call.path("name"), call.readAt())
        .thenApply(route -> Answers.ok(RouteJson.of(route)));
  }

  private CompletionStage<HttpResponse> withdraw(Call call) {
    return replays.once(
        call,
        Bytes.EMPTY,
        () ->
            routing
                .routes()
                .withdraw(call.principal(), call.path("name"))
                .thenApply(done -> Answers.noContent()));
  }

  private CompletionStage<HttpResponse> dryRun(Call call) {
    return call.json(QuestionJson.class)
        .thenCompose(
            question -> {
              long limit = question.limit() == null ? CANDIDATES_DEFAULT : question.limit();
              if (limit < 1 || limit > CANDIDATES_MAX) {
                throw MemSpaceException.invalid("limit", limit, "1 to " + CANDIDATES_MAX);
              }
              ReadAt at =
                  Optional.ofNullable(question.asOf())
                      .map(RoutingRoutes::readAt)
                      .orElse(ReadAt.LATEST);
              return routing.dryRun(
                  call.principal(), Required.text("text", question.text()), at, (int) limit);
            })
        .thenApply(run -> Answers.ok(AnswerJson.of(run)));
  }

  private static ReadAt readAt(String asOf) {
    return Call.isDigits(asOf)
        ? ReadAt.revision(Call.parseRevision("as_of", asOf))
        : ReadAt.instant(Call.instant("as_of", asOf));
  }
}
