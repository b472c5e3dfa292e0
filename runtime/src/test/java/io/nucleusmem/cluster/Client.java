package io.nucleusmem.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** A client as a user would write one: what it does not know it asks again, of whoever answers. */
final class Client {
  static final ObjectMapper JSON = new ObjectMapper();

  /** A try that got no answer, or one that says to try again. */
  record Failure(URI node, String what) {}

  private static final Duration CALL_MAX = Duration.ofSeconds(20); // a node tries for less long
  private static final long GIVE_UP_NANOS = TimeUnit.SECONDS.toNanos(180);
  private static final Set<Integer> TRY_AGAIN = Set.of(429, 500, 502, 503, 504);

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();
  private final Supplier<URI> nodes;
  private final Duration tryMax;
  private final Queue<Failure> failures = new ConcurrentLinkedQueue<>();

  Client(Supplier<URI> nodes) {
    this(nodes, CALL_MAX);
  }

  /**
   * A client.
   *
   * @param tryMax for one answer; then it asks again
   */
  Client(Supplier<URI> nodes, Duration tryMax) {
    this.nodes = nodes;
    this.tryMax = tryMax;
  }

  /**
   * Sends until somebody answers: the same request with the same key, wherever a node is.
   *
   * @param headers name, value, name, value …
   */
  HttpResponse<String> call(String method, String path, String body, String... headers) {
    long giveUp = System.nanoTime() + GIVE_UP_NANOS;
    String last = "";
    while (System.nanoTime() < giveUp) {
      URI node = nodes.get();
      HttpRequest.Builder request =
          HttpRequest.newBuilder(node.resolve(path))
              .timeout(tryMax)
              .method(method, HttpRequest.BodyPublishers.ofString(body));
      if (headers.length > 0) {
        request.headers(headers);
      }
      try {
        HttpResponse<String> response =
            http.send(request.build(), HttpResponse.BodyHandlers.ofString());
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
      failures.add(new Failure(node, method + " " + path + ": " + last));
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
    throw new AssertionError("no answer to %s %s: %s".formatted(method, path, last));
  }

  /** The answer's body; any other status is a failure of the test. */
  JsonNode json(int status, HttpResponse<String> response) {
    if (response.statusCode() != status) {
      throw new AssertionError(
          "%s %s: %d %s"
              .formatted(
                  response.request().method(),
                  response.uri(),
                  response.statusCode(),
                  response.body()));
    }
    return parse(response.body());
  }

  static JsonNode parse(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Tries that failed so far, oldest first. */
  List<Failure> failures() {
    return List.copyOf(failures);
  }

  HttpClient http() {
    return http;
  }
}
