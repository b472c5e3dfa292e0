package io.nucleusmem.http;

import akka.http.javadsl.model.ContentType;
import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.headers.TimeoutAccess;
import akka.stream.Materializer;
import io.nucleusmem.memspace.CreatedSpace;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.SpaceKeeping;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import scala.concurrent.duration.Duration;

/** Spaces as files, out and in: both streams, at the pace of whoever is slower. */
final class TransferRoutes {
  private static final ContentType FILE = ContentTypes.parse("application/vnd.nucleusmem.space");
  private static final String EXPORT_AT = "Nucleus-Export-At";

  private final SpaceKeeping keeping;
  private final Callers callers;
  private final Materializer materializer;

  TransferRoutes(SpaceKeeping keeping, Callers callers, Materializer materializer) {
    this.keeping = keeping;
    this.callers = callers;
    this.materializer = materializer;
  }

  void addTo(RouteTable table) {
    table
        .add("GET", "/v1/spaces/{space}/export", Set.of("at", "from"), this::export)
        .add("POST", "/v1/spaces/import", Set.of("name"), this::importSpace);
  }

  /** An export that was cut off goes on with {@code at}, from the header, and {@code from}. */
  private CompletionStage<HttpResponse> export(Call call) {
    Optional<Instant> at = call.query("at").map(text -> Call.instant("at", text));
    long from = call.count("from");
    return keeping
        .export(call.principal(), call.path("space"), at, from)
        .thenApply(
            export ->
                HttpResponse.create()
                    .addHeader(Headers.of(EXPORT_AT, Json.format(export.at())))
                    .addHeader(
                        Headers.of(
                            "Content-Disposition",
                            "attachment; filename=\"%s.nmspace\"".formatted(call.path("space"))))
                    .withEntity(HttpEntities.create(FILE, export.bytes())));
  }

  private CompletionStage<HttpResponse> importSpace(Call call) {
    String name =
        call.query("name")
            .orElseThrow(() -> MemSpaceException.invalid("name", "absent", "the new space's name"));
    // as long as bytes come
    call.request()
        .getHeader(TimeoutAccess.class)
        .ifPresent(timeout -> timeout.timeoutAccess().updateTimeout(Duration.Inf()));
    return keeping
        .importSpace(
            call.principal(),
            name,
            call.request().entity().withoutSizeLimit().getDataBytes(),
            materializer)
        .thenApply(this::created);
  }

  private HttpResponse created(CreatedSpace created) {
    callers.mountsChanged();
    return Answers.created(
        "/v1/spaces/" + Percent.encodePath(created.space().name()),
        SpaceRoutes.SpaceJson.of(created.space(), created.mount().id()));
  }
}
