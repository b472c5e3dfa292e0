package io.nucleusmem.examples.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** A client of a cluster: what gets no answer it asks again, of whoever answers. */
final class BenchHttp {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<Integer> TRY_AGAIN = Set.of(429, 500, 502, 503, 504);
  private static final Duration CONNECT_MAX = Duration.ofSeconds(2);
  private static final long GIVE_UP_NANOS = TimeUnit.SECONDS.toNanos(120);
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_MAX)
          .build();
  private final Supplier<URI> nodes;
  private final Duration tryMax;

  /**
   * A client.
   *
   * @param tryMax for one answer; then it asks again
   */
  BenchHttp(Supplier<URI> nodes, Duration tryMax) {
    this.nodes = nodes;
    this.tryMax = tryMax;
  }

  HttpClient client() {
    return http;
  }

  /** Sends the same request, with the same idempotency key, until somebody answers. */
  HttpResponse<String> call(String method, String path, String body, String contentType) {
    String id = UUID.randomUUID().toString();
    long giveUp = System.nanoTime() + GIVE_UP_NANOS;
    String last = "";
    while (System.nanoTime() < giveUp) {
      HttpRequest request =
          HttpRequest.newBuilder(nodes.get().resolve(path))
              .timeout(tryMax)
              .header("Content-Type", contentType)
              .header("Idempotency-Key", id)
              .method(method, HttpRequest.BodyPublishers.ofString(body))
              .build();
      try {
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (!TRY_AGAIN.contains(response.statusCode())) {
          return response;
        }
        last = response.statusCode() + " " + response.body();
      } catch (IOException e) {
        last = e.toString();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    throw new IllegalStateException("no answer to %s %s: %s".formatted(method, path, last));
  }

  /** The JSON of an answer of that status. */
  JsonNode json(int status, String method, String path, String body) {
    return parse(expect(status, call(method, path, body, "application/json")).body());
  }

  void put(String space, String key, String value) {
    expect(200, call("PUT", "/v1/spaces/" + space + "/entries/" + key, value, "text/plain"));
  }

  void get(String space, String key) {
    expect(200, call("GET", "/v1/spaces/" + space + "/entries/" + key, "", "text/plain"));
  }

  void createSpace(String space) {
    json(201, "POST", "/v1/spaces", "{\"name\": \"" + space + "\", \"kind\": \"shared\"}");
  }

  static <T> HttpResponse<T> expect(int status, HttpResponse<T> response) {
    if (response.statusCode() != status) {
      throw new IllegalStateException(
          "%s: %d %s".formatted(response.uri(), response.statusCode(), response.body()));
    }
    return response;
  }

  private static JsonNode parse(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
