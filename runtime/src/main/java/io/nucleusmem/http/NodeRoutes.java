package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** The node and its cluster: the end of section 7 of the contract. */
final class NodeRoutes {
  private final NodeStatus status;

  NodeRoutes(NodeStatus status) {
    this.status = status;
  }

  void addTo(RouteTable table) {
    table
        .add("GET", "/v1/cluster", this::cluster)
        .add("POST", "/v1/cluster/leave", call -> order(call, status::leave))
        .add("POST", "/v1/cluster/down", call -> order(call, status::down))
        .addOpen("GET", "/healthz", this::health)
        .addOpen("GET", "/readyz", this::ready);
  }

  private CompletionStage<HttpResponse> cluster(Call call) {
    Callers.requireAdmin(call);
    return status.cluster().thenApply(Answers::ok);
  }

  /** A member of the cluster, by its address. */
  record MemberJson(String member) {}

  private static CompletionStage<HttpResponse> order(
      Call call, Function<String, CompletionStage<NodeStatus.MemberView>> given) {
    Callers.requireAdmin(call);
    return call.json(MemberJson.class)
        .thenCompose(body -> given.apply(Required.text("member", body.member())))
        .thenApply(Answers::ok);
  }

  private CompletionStage<HttpResponse> health(Call call) {
    return CompletableFuture.completedStage(answer("healthy", status.unhealthy()));
  }

  private CompletionStage<HttpResponse> ready(Call call) {
    return status.unready().thenApply(reason -> answer("ready", reason));
  }

  private static HttpResponse answer(String state, Optional<String> reason) {
    if (reason.isPresent()) {
      throw new MemSpaceException(ErrorCode.UNAVAILABLE, reason.get());
    }
    return Answers.ok(Map.of("status", state));
  }
}
