package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.WatchRequest;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Watching a space: section 5 of the contract. */
final class WatchRoutes {
  private final Callers callers;
  private final EventStreams streams;

  WatchRoutes(Callers callers, EventStreams streams) {
    this.callers = callers;
    this.streams = streams;
  }

  void addTo(RouteTable table) {
    table.add(
        "GET",
        "/v1/spaces/{space}/watch",
        Set.of("prefix", "region", "from", "values"),
        this::watch);
  }

  private CompletionStage<HttpResponse> watch(Call call) {
    WatchRequest request =
        new WatchRequest(
            call.query("region").map(Region::ofLabel),
            call.query("prefix").orElse(""),
            from(call),
            call.flag("values"));
    return callers.withMount(
        call, mounted -> streams.stream(handler -> mounted.watch(request, handler)));
  }

  /** A client that comes back goes on behind the last event that it has seen. */
  static OptionalLong from(Call call) {
    OptionalLong last = call.headerNumber(Headers.LAST_EVENT_ID);
    return last.isPresent() ? OptionalLong.of(last.getAsLong() + 1) : call.revision("from");
  }
}
