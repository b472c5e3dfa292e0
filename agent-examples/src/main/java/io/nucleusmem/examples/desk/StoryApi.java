package io.nucleusmem.examples.desk;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Consumer;

/** A node's HTTP API, as anybody could call it; each call but polling is a line of the story. */
final class StoryApi {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int BODY_CHARS_MAX = 120; // of a request, in the line that tells of it
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(TIMEOUT).build();
  private final String root;
  private final Consumer<String> out;

  StoryApi(int port, Consumer<String> out) {
    this.root = "http://127.0.0.1:" + port;
    this.out = out;
  }

  /** A key as a part of a path. */
  static String path(String key) {
    return encoded(key).replace("%2F", "/");
  }

  /** A value of a query. */
  static String encoded(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8).replace("+", "%20");
  }

  JsonNode get(String path) {
    out.accept("    GET " + path);
    return look(path);
  }

  /** Asks without a word: for what is asked again and again. */
  JsonNode look(String path) {
    return json(send("GET", path, HttpRequest.BodyPublishers.noBody()));
  }

  /** An entry's value as text. */
  String text(String path) {
    out.accept("    GET " + path);
    return send("GET", path, HttpRequest.BodyPublishers.noBody());
  }

  JsonNode post(String path, JsonNode body) {
    String text = body.toString();
    out.accept(
        "    POST %s %s"
            .formatted(
                path,
                text.length() <= BODY_CHARS_MAX ? text : text.substring(0, BODY_CHARS_MAX) + "…"));
    return json(send("POST", path, HttpRequest.BodyPublishers.ofString(text)));
  }

  void delete(String path) {
    out.accept("    DELETE " + path);
    send("DELETE", path, HttpRequest.BodyPublishers.noBody());
  }

  private static JsonNode json(String text) {
    try {
      return text.isEmpty() ? MissingNode.getInstance() : JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new DeskFailure("no JSON: [%s]".formatted(text), e);
    }
  }

  private String send(String method, String path, HttpRequest.BodyPublisher body) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(root + path))
            .timeout(TIMEOUT)
            .header("Content-Type", "application/json")
            .method(method, body)
            .build();
    try {
      HttpResponse<String> answer =
          client.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
      if (answer.statusCode() >= 400) {
        throw new DeskFailure(
            "%s %s: %d %s".formatted(method, path, answer.statusCode(), answer.body()));
      }
      return answer.body();
    } catch (IOException e) {
      throw new DeskFailure("%s %s: %s".formatted(method, path, e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DeskFailure("interrupted while waiting for the node", e);
    }
  }
}
