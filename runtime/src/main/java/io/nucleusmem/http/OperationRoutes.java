package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.Operations;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Long-running work: what the calls that answer 202 have begun. */
final class OperationRoutes {
  private final Operations operations;

  OperationRoutes(Operations operations) {
    this.operations = operations;
  }

  /** An operation; what it tells of itself ({@code about}) stands beside the common fields. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record OperationJson(
      String id,
      String kind,
      String state,
      Map<String, Object> progress,
      Map<String, Object> result,
      ErrorJson error,
      String startedBy,
      Instant startedAt,
      Instant updatedAt,
      Instant endedAt,
      @JsonAnyGetter Map<String, Object> about) {
    static OperationJson of(OperationInfo operation) {
      boolean done = operation.state() == OperationInfo.State.DONE;
      return new OperationJson(
          operation.id(),
          operation.kind(),
          operation.state().label(),
          operation.progress(),
          done ? operation.result() : null,
          operation.error().map(e -> new ErrorJson(e.code(), e.detail())).orElse(null),
          operation.startedBy(),
          operation.startedAt(),
          operation.updatedAt(),
          operation.endedAt().orElse(null),
          operation.about());
    }
  }

  record ErrorJson(String code, String detail) {}

  void addTo(RouteTable table) {
    table
        .add("GET", "/v1/operations", Set.of("state", "limit", "cursor"), this::list)
        .add("GET", "/v1/operations/{id}", this::get);
  }

  /** The answer of a call that has begun an operation. */
  static HttpResponse accepted(OperationInfo operation) {
    return Answers.json(202, OperationJson.of(operation))
        .addHeader(Headers.of(Headers.LOCATION, "/v1/operations/" + operation.id()));
  }

  private CompletionStage<HttpResponse> get(Call call) {
    return operations
        .get(call.principal(), call.path("id"))
        .thenApply(operation -> Answers.ok(OperationJson.of(operation)));
  }

  private CompletionStage<HttpResponse> list(Call call) {
    return operations
        .list(
            call.principal(),
            call.query("state").map(OperationRoutes::state),
            call.limit(),
            call.cursor())
        .thenApply(page -> Answers.page(page, OperationJson::of));
  }

  private static OperationInfo.State state(String label) {
    Optional<OperationInfo.State> found =
        Arrays.stream(OperationInfo.State.values())
            .filter(state -> state.label().equals(label))
            .findFirst();
    return found.orElseThrow(
        () -> MemSpaceException.invalid("state", label, "running, done or failed"));
  }
}
