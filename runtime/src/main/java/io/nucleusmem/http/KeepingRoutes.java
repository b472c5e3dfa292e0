package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import io.nucleusmem.memspace.SpaceKeeping;
import io.nucleusmem.store.Bytes;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** What becomes of a space's past: the second half of section 9 of the contract. */
final class KeepingRoutes {
  private final SpaceKeeping keeping;
  private final Replays replays;

  KeepingRoutes(SpaceKeeping keeping, Replays replays) {
    this.keeping = keeping;
    this.replays = replays;
  }

  /**
   * A compaction.
   *
   * @param floor instead of what the policy says: oldest revision that can be read afterwards
   */
  record CompactJson(Boolean dryRun, Long floor) {
    OptionalLong asked() {
      return floor == null ? OptionalLong.empty() : OptionalLong.of(floor);
    }
  }

  void addTo(RouteTable table) {
    table.add("POST", "/v1/spaces/{space}/compact", this::compact);
  }

  private CompletionStage<HttpResponse> compact(Call call) {
    return bodyOrNone(call)
        .thenCompose(
            body -> {
              CompactJson request = Json.read("body", body, CompactJson.class);
              return once(
                  call,
                  body,
                  () ->
                      keeping
                          .compact(
                              call.principal(),
                              call.path("space"),
                              request.asked(),
                              Boolean.TRUE.equals(request.dryRun()))
                          .thenApply(OperationRoutes::accepted));
            });
  }

  /** A call whose fields may all be absent needs no body. */
  private static CompletionStage<Bytes> bodyOrNone(Call call) {
    return call.json().thenApply(body -> body.isEmpty() ? Bytes.utf8("{}") : body);
  }

  private CompletionStage<HttpResponse> once(
      Call call, Bytes body, Supplier<CompletionStage<HttpResponse>> action) {
    return replays.once(call, body, action);
  }
}
