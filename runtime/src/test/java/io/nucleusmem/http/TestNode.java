package io.nucleusmem.http;

import akka.actor.setup.Setup;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.node.NucleusNode;
import io.nucleusmem.routing.RoutingSetup;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** A node on a directory of its own, seen from outside: over a socket, with the JDK's client. */
final class TestNode implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final AtomicInteger NAMES = new AtomicInteger();

  private final Path dir;
  private final List<AgentType<?>> types;
  private final Setup[] setups;
  private final String[] overrides;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10))
          .build();
  private NucleusNode node;

  private TestNode(Path dir, List<AgentType<?>> types, List<Setup> setups, String... overrides) {
    this.dir = dir;
    this.types = types;
    this.setups = setups.toArray(Setup[]::new);
    this.overrides = overrides;
    start();
  }

  static TestNode start(Path dir, String... overrides) {
    return new TestNode(dir, List.of(), List.of(), overrides);
  }

  static TestNode hosting(Path dir, AgentType<?>... types) {
    return new TestNode(dir, List.of(types), List.of());
  }

  static TestNode hosting(Path dir, List<AgentType<?>> types, String... overrides) {
    return new TestNode(dir, types, List.of(), overrides);
  }

  /** A node whose router has these stages. */
  static TestNode routing(
      Path dir, RoutingSetup setup, List<AgentType<?>> types, String... overrides) {
    return new TestNode(dir, types, List.of(setup), overrides);
  }

  /** Asks until the answer is as it should be; what is asked about happens by itself. */
  static void eventually(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("has not become true in 30 s");
      }
      Thread.onSpinWait();
    }
  }

  private void start() {
    node =
        NucleusNode.start(
            ConfigFactory.parseString(
                "nucleusmem.http.port = 0\nnucleusmem.store.rocksdb.dir = \"%s\"\n%s"
                    .formatted(dir, String.join("\n", overrides))),
            types,
            setups);
  }

  /** Stops the node and starts it again on its directory. */
  void restart() {
    node.close();
    start();
  }

  int port() {
    return node.address().getPort();
  }

  NucleusNode node() {
    return node;
  }

  @Override
  public void close() {
    node.close();
  }

  /** A name that no other test has. */
  static String fresh(String what) {
    return what + "-" + NAMES.incrementAndGet();
  }

  /** Makes a shared space of the caller and tells its name. */
  String space() {
    String name = fresh("space");
    Answer made = post("/v1/spaces", "{\"name\":\"" + name + "\",\"kind\":\"shared\"}");
    if (made.status() != 201) {
      throw new AssertionError(made);
    }
    return name;
  }

  // ---- calls: headers are name, value, name, value … ----

  Answer get(String path, String... headers) {
    return send("GET", path, (byte[]) null, headers);
  }

  Answer delete(String path, String... headers) {
    return send("DELETE", path, (byte[]) null, headers);
  }

  /** Sends JSON. */
  Answer post(String path, String json, String... headers) {
    return send("POST", path, json, with(headers, "Content-Type", "application/json"));
  }

  /** Sends JSON. */
  Answer putJson(String path, String json, String... headers) {
    return send("PUT", path, json, with(headers, "Content-Type", "application/json"));
  }

  /** Sends text. */
  Answer put(String path, String text, String... headers) {
    return send("PUT", path, text, with(headers, "Content-Type", "text/plain; charset=UTF-8"));
  }

  Answer send(String method, String path, String body, String... headers) {
    return send(method, path, body == null ? null : body.getBytes(StandardCharsets.UTF_8), headers);
  }

  Answer send(String method, String path, byte[] body, String... headers) {
    try {
      return new Answer(
          client.send(
              request(method, path, body, headers), HttpResponse.BodyHandlers.ofByteArray()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Opens an event stream; completes when the node has answered. */
  Events watch(String path, String... headers) {
    try {
      return new Events(
          client.send(
              request("GET", path, null, headers), HttpResponse.BodyHandlers.ofInputStream()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private HttpRequest request(String method, String path, byte[] body, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
            .timeout(Duration.ofSeconds(30))
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofByteArray(body));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return request.build();
  }

  private static String[] with(String[] headers, String name, String value) {
    for (int i = 0; i < headers.length; i += 2) {
      if (headers[i].equalsIgnoreCase(name)) {
        return headers;
      }
    }
    List<String> all = new ArrayList<>(List.of(headers));
    all.add(name);
    all.add(value);
    return all.toArray(String[]::new);
  }

  /** What the node answered. */
  record Answer(HttpResponse<byte[]> response) {
    int status() {
      return response.statusCode();
    }

    String header(String name) {
      return response.headers().firstValue(name).orElse(null);
    }

    byte[] bytes() {
      return response.body();
    }

    String text() {
      return new String(response.body(), StandardCharsets.UTF_8);
    }

    JsonNode json() {
      try {
        return JSON.readTree(response.body());
      } catch (IOException e) {
        throw new AssertionError("no JSON: " + this, e);
      }
    }

    /** The code of a problem; fails if this is none. */
    String code() {
      if (!"application/problem+json".equals(header("Content-Type"))) {
        throw new AssertionError("no problem: " + this);
      }
      JsonNode problem = json();
      for (String field : List.of("type", "title", "status", "detail", "code")) {
        if (problem.path(field).asText().isEmpty()) {
          throw new AssertionError("a problem without " + field + ": " + this);
        }
      }
      if (problem.get("status").intValue() != status()) {
        throw new AssertionError("two statuses: " + this);
      }
      return problem.get("code").textValue();
    }

    @Override
    public String toString() {
      return status() + " " + response.headers().map() + " " + text();
    }
  }

  /** An event of a stream. */
  record Event(String id, String name, JsonNode data) {}

  /** An event stream, read line by line. */
  static final class Events implements AutoCloseable {
    private final HttpResponse<InputStream> response;
    private final BufferedReader lines;

    Events(HttpResponse<InputStream> response) {
      this.response = response;
      this.lines =
          new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    }

    int status() {
      return response.statusCode();
    }

    String contentType() {
      return response.headers().firstValue("Content-Type").orElse(null);
    }

    /** The next event; null at the end of the stream. */
    Event next() {
      String id = null;
      String name = null;
      try {
        while (true) {
          String line = lines.readLine();
          if (line == null) {
            return null;
          }
          if (line.startsWith("id: ")) {
            id = line.substring(4);
          } else if (line.startsWith("event: ")) {
            name = line.substring(7);
          } else if (line.startsWith("data: ")) {
            Event event = new Event(id, name, JSON.readTree(line.substring(6)));
            String end = lines.readLine();
            if (end == null || !end.isEmpty()) {
              throw new AssertionError("an event ends with an empty line, not [" + end + "]");
            }
            return event;
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** The next signal, whatever progress comes before it. */
    Event nextSignal() {
      Event event = next();
      while (event != null && event.name().equals("progress")) {
        event = next();
      }
      return event;
    }

    @Override
    public void close() {
      try {
        lines.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
