package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import io.nucleusmem.agent.AgentInfo;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentSpec;
import io.nucleusmem.agent.AgentTypeInfo;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/** Agents and their types: the middle of section 7 of the contract. */
final class AgentRoutes {
  private static final int ID_DIGITS = 12; // of an agent that nobody named

  private final Agents agents;
  private final Callers callers;
  private final Replays replays;

  AgentRoutes(Agents agents, Callers callers, Replays replays) {
    this.agents = agents;
    this.callers = callers;
    this.replays = replays;
  }

  /** A space that an agent is to have mounted. */
  record AgentMountJson(
      String space,
      String access,
      List<String> regions,
      List<String> prefixes,
      List<String> topics,
      Boolean receipts) {
    AgentMount toMount() {
      MountRequest limits = MountRoutes.request("", access, regions, prefixes, topics);
      return new AgentMount(
          Required.text("mounts.space", space),
          limits.access(),
          limits.regions(),
          limits.prefixes(),
          limits.topics(),
          receipts);
    }
  }

  record SpawnJson(
      String type, String id, List<AgentMountJson> mounts, Map<String, String> config) {}

  record MountsJson(List<AgentMountJson> mounts) {}

  record ScaleJson(Long instances, List<AgentMountJson> mounts, Map<String, String> config) {}

  record TypeJson(String type, int instances, List<String> nodes) {
    static TypeJson of(AgentTypeInfo type) {
      return new TypeJson(type.type(), type.instances(), type.nodes());
    }
  }

  record AgentJson(
      String id,
      String type,
      String owner,
      String state,
      String node,
      List<MountRoutes.MountJson> mounts,
      int restarts,
      Map<String, Long> cursors,
      Map<String, String> config) {
    static AgentJson of(AgentInfo agent) {
      return new AgentJson(
          agent.id(),
          agent.type(),
          agent.owner(),
          agent.state().name().toLowerCase(Locale.ROOT),
          agent.node(),
          agent.mounts().stream().map(MountRoutes.MountJson::of).toList(),
          agent.restarts(),
          agent.cursors(),
          agent.config());
    }
  }

  void addTo(RouteTable table) {
    table
        .add("GET", "/v1/agent-types", this::types)
        .add("POST", "/v1/agent-types/{type}/scale", this::scale)
        .add("POST", "/v1/agents", this::spawn)
        .add("GET", "/v1/agents", Set.of("limit", "cursor"), this::list)
        .add("GET", "/v1/agents/{id}", this::describe)
        .add("DELETE", "/v1/agents/{id}", this::stop)
        .add("POST", "/v1/agents/{id}/messages", this::send)
        .add("PUT", "/v1/agents/{id}/mounts", this::switchMounts);
  }

  private CompletionStage<HttpResponse> types(Call call) {
    return agents
        .types()
        .thenApply(
            types ->
                Answers.ok(new Answers.PageJson(types.stream().map(TypeJson::of).toList(), null)));
  }

  private CompletionStage<HttpResponse> spawn(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              SpawnJson request = Json.read("body", body, SpawnJson.class);
              String type = Required.text("type", request.type());
              String id = request.id() == null ? type + "-" + newId(call) : request.id();
              AgentSpec spec =
                  new AgentSpec(
                      type,
                      id,
                      mounts(request.mounts()),
                      Required.texts("config", request.config()));
              return replays.once(
                  call,
                  body,
                  () ->
                      agents
                          .spawn(call.principal(), spec, call.writeOptions())
                          .thenApply(this::spawned));
            });
  }

  /** With an Idempotency-Key the same one again, also on a node that was restarted. */
  private static String newId(Call call) {
    return call.idempotencyKey()
        .map(key -> Digests.hex(Bytes.utf8(call.principal().name() + "\n" + key).shared()))
        .orElseGet(() -> UUID.randomUUID().toString().replace("-", ""))
        .substring(0, ID_DIGITS);
  }

  private HttpResponse spawned(AgentInfo agent) {
    callers.mountsChanged();
    return Answers.created("/v1/agents/" + Percent.encodePath(agent.id()), AgentJson.of(agent));
  }

  private CompletionStage<HttpResponse> list(Call call) {
    return agents
        .list(call.principal(), call.limit(), call.cursor())
        .thenApply(page -> Answers.page(page, AgentJson::of));
  }

  private CompletionStage<HttpResponse> describe(Call call) {
    return agents
        .describe(call.principal(), call.path("id"))
        .thenApply(agent -> Answers.ok(AgentJson.of(agent)));
  }

  private CompletionStage<HttpResponse> stop(Call call) {
    return replays.once(
        call,
        Bytes.EMPTY,
        () ->
            agents.stop(call.principal(), call.path("id")).thenApply(done -> Answers.noContent()));
  }

  private CompletionStage<HttpResponse> send(Call call) {
    WriteOptions options = call.writeOptions();
    Map<String, String> metadata = ReservedMetadata.ofMessage(call);
    return call.raw()
        .thenCompose(
            value ->
                agents.send(
                    call.principal(),
                    call.path("id"),
                    new Content(value, call.contentType(), metadata),
                    options))
        .thenApply(
            sent ->
                Answers.replayed(
                    Answers.json(
                        202,
                        new TopicRoutes.PublishedJson(
                            sent.id(), sent.revision(), Timestamps.instant(sent.timestamp()))),
                    sent.replayed()));
  }

  private CompletionStage<HttpResponse> switchMounts(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              List<AgentMount> mounts =
                  mounts(
                      Required.list("mounts", Json.read("body", body, MountsJson.class).mounts()));
              return replays.once(
                  call,
                  body,
                  () ->
                      agents
                          .switchMounts(call.principal(), call.path("id"), mounts)
                          .thenApply(agent -> Answers.ok(AgentJson.of(agent))));
            });
  }

  private CompletionStage<HttpResponse> scale(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              ScaleJson request = Json.read("body", body, ScaleJson.class);
              long instances = Required.number("instances", request.instances());
              if (instances < 0 || instances > Integer.MAX_VALUE) {
                throw MemSpaceException.invalid("instances", instances, "0 or more");
              }
              return replays.once(
                  call,
                  body,
                  () ->
                      agents
                          .scale(
                              call.principal(),
                              call.path("type"),
                              (int) instances,
                              mounts(request.mounts()),
                              Required.texts("config", request.config()))
                          .thenApply(
                              all ->
                                  Answers.ok(
                                      new Answers.PageJson(
                                          all.stream().map(AgentJson::of).toList(), null))));
            });
  }

  private static List<AgentMount> mounts(List<AgentMountJson> mounts) {
    return Required.listOrNone("mounts", mounts).stream().map(AgentMountJson::toMount).toList();
  }
}
