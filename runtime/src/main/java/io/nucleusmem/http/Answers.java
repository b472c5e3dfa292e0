package io.nucleusmem.http;

import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.StatusCodes;
import io.nucleusmem.memspace.Paged;
import java.util.List;
import java.util.function.Function;

/** Answers that are no refusals. */
final class Answers {
  private Answers() {}

  /** A page as every listing answers it; {@code next} is null on the last one. */
  record PageJson(List<?> items, String next) {}

  /** A page that was read at a revision. */
  record PageAtJson(List<?> items, long revision, String next) {}

  static HttpResponse json(int status, Object body) {
    return HttpResponse.create()
        .withStatus(StatusCodes.get(status))
        .withEntity(HttpEntities.create(ContentTypes.APPLICATION_JSON, Json.write(body)));
  }

  static HttpResponse ok(Object body) {
    return json(200, body);
  }

  static HttpResponse created(String location, Object body) {
    return json(201, body).addHeader(Headers.of(Headers.LOCATION, location));
  }

  static HttpResponse noContent() {
    return HttpResponse.create().withStatus(StatusCodes.NO_CONTENT);
  }

  static <T> HttpResponse page(Paged<T> page, Function<T, ?> item) {
    return ok(new PageJson(page.items().stream().map(item).toList(), page.next().orElse(null)));
  }

  static <T> HttpResponse pageAt(Paged<T> page, Function<T, ?> item) {
    return ok(
        new PageAtJson(
            page.items().stream().map(item).toList(), page.revision(), page.next().orElse(null)));
  }

  /** Marks the answer to a request that had been executed before. */
  static HttpResponse replayed(HttpResponse response, boolean replayed) {
    return replayed ? response.addHeader(Headers.of(Headers.REPLAYED, "true")) : response;
  }
}
