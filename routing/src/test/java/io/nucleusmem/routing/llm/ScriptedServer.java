package io.nucleusmem.routing.llm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/**
 * A server on loopback that answers chat requests as a script says: OpenAI's under {@code /v1},
 * Ollama's under {@code /api}. Keeps what it was asked.
 */
public final class ScriptedServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Queue<Request> requests = new ConcurrentLinkedQueue<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Function<Request, Reply> script;

  /** What came in. */
  public record Request(String path, String authorization, JsonNode body) {
    /** {@code json_schema}, {@code json_object}, or {@code text} where no format is asked for. */
    public String format() {
      if (body.has("format")) { // Ollama's
        return body.get("format").isObject() ? "json_schema" : "json_object";
      }
      return body.path("response_format").path("type").asText("text");
    }

    /** The text of the last message. */
    public String lastWords() {
      JsonNode messages = body.get("messages");
      return messages.get(messages.size() - 1).get("content").asText();
    }
  }

  /**
   * What goes out.
   *
   * @param promised more than the body has: the connection breaks in the middle
   * @param stalls the rest does not come until the server is closed
   */
  public record Reply(int status, String body, int promised, boolean stalls) {
    /** A model's words, in the envelope of the API that was called. */
    public static Function<Request, Reply> saying(String content) {
      return request -> words(request, content);
    }

    static Reply words(Request request, String content) {
      Map<String, Object> message = Map.of("role", "assistant", "content", content);
      Object envelope =
          request.path().startsWith("/api/")
              ? Map.of(
                  "model",
                  "scripted",
                  "created_at",
                  "2026-01-01T00:00:00Z",
                  "message",
                  message,
                  "done",
                  true,
                  "done_reason",
                  "stop",
                  "prompt_eval_count",
                  70,
                  "eval_count",
                  7)
              : Map.of(
                  "id",
                  "1",
                  "object",
                  "chat.completion",
                  "created",
                  1,
                  "model",
                  "scripted",
                  "choices",
                  List.of(Map.of("index", 0, "message", message, "finish_reason", "stop")),
                  "usage",
                  Map.of("prompt_tokens", 70, "completion_tokens", 7, "total_tokens", 77));
      return of(200, write(envelope));
    }

    static Reply of(int status, String body) {
      return new Reply(status, body, 0, false);
    }

    static Reply error(int status, String message) {
      return of(status, write(Map.of("error", Map.of("message", message))));
    }
  }

  /** Starts on a port of the system's choice. */
  public ScriptedServer(Function<Request, Reply> script) throws IOException {
    this.script = script;
    this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  /** For an "openai" provider. */
  public String openAiUrl() {
    return ollamaUrl() + "/v1";
  }

  /** For an "ollama" provider. */
  public String ollamaUrl() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  public List<Request> requests() {
    return List.copyOf(requests);
  }

  List<String> formats() {
    return requests.stream().map(Request::format).toList();
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
    threads.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      var request =
          new Request(
              exchange.getRequestURI().getPath(),
              exchange.getRequestHeaders().getFirst("Authorization"),
              JSON.readTree(exchange.getRequestBody()));
      requests.add(request);
      Reply reply = script.apply(request);
      byte[] body = reply.body().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(reply.status(), Math.max(body.length, reply.promised()));
      exchange.getResponseBody().write(body);
      exchange.getResponseBody().flush();
      if (reply.stalls()) {
        closed.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String write(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (IOException e) {
      throw new IllegalArgumentException(e);
    }
  }
}
