package io.nucleusmem.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The command as operators run it: a process of its own, ended by SIGTERM. */
@Timeout(480)
class NodeProcessTest {
  private static final int SIGTERM_EXIT = 143;
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  @TempDir Path dir;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private NodeProcess run(String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(List.of("--data", dir.resolve("data").toString(), "--port", "0"));
    arguments.addAll(List.of(more));
    return new NodeProcess(dir, arguments.toArray(String[]::new));
  }

  @Test
  void sigtermFinishesWhatIsInFlightAndLosesNothing() throws Exception {
    List<String> acknowledged;
    try (NodeProcess node = run()) {
      int port = node.port();
      send(port, "POST", "/v1/spaces", "{\"name\": \"s\", \"kind\": \"shared\"}");
      send(port, "PUT", "/v1/spaces/s/topics/t/subscriptions/q", "{}");

      // a write whose body is half sent when the signal comes
      Socket slow = new Socket(InetAddress.getLoopbackAddress(), port);
      slow.setSoTimeout(30_000);
      OutputStream out = slow.getOutputStream();
      out.write(
          ascii(
              "PUT /v1/spaces/s/entries/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf"));
      out.flush();
      // a pull that would wait for a minute
      CompletableFuture<HttpResponse<String>> pull =
          client.sendAsync(
              request(
                  port,
                  "POST",
                  "/v1/spaces/s/topics/t/subscriptions/q/pull",
                  "{\"wait_ms\": 60000}"),
              HttpResponse.BodyHandlers.ofString());
      Writers writers = new Writers(port);
      writers.awaitAcknowledged(50);

      node.terminate();
      while (accepts(port)) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
      out.write(ascii("done"));
      out.flush();
      String answer =
          new BufferedReader(
                  new InputStreamReader(slow.getInputStream(), StandardCharsets.ISO_8859_1))
              .readLine();
      assertThat(answer).isEqualTo("HTTP/1.1 200 OK");
      slow.close();
      assertThat(pull.get(30, TimeUnit.SECONDS).statusCode()).isEqualTo(503);
      acknowledged = writers.finish();

      assertThat(node.exitCode()).isEqualTo(SIGTERM_EXIT);
      assertThat(node.rest()).noneMatch(line -> line.startsWith("\tat "));
    }
    try (NodeProcess node = run()) {
      int port = node.port();
      assertThat(send(port, "GET", "/v1/spaces/s/entries/slow", null).body()).isEqualTo("halfdone");
      for (String key : acknowledged) {
        assertThat(send(port, "GET", "/v1/spaces/s/entries/" + key, null).body())
            .isEqualTo("value of " + key);
      }
      node.terminate();
      node.rest();
      assertThat(node.exitCode()).isEqualTo(SIGTERM_EXIT);
    }
  }

  @Test
  void whatPreventsTheStartIsOneLineAndExitCode1() throws Exception {
    try (NodeProcess first = run()) {
      int port = first.port();
      try (NodeProcess second = run()) {
        assertOneLine(second, "node: store: ", dir.resolve("data").toString());
      }
      try (NodeProcess third =
          new NodeProcess(
              dir, "--data", dir.resolve("other").toString(), "--port", String.valueOf(port))) {
        assertOneLine(third, "node: http: ", "[" + port + "]");
      }
      first.terminate();
      first.rest();
    }
    Path conf = dir.resolve("node.conf");
    Files.writeString(conf, "nucleusmem.http.prot = 8181");
    try (NodeProcess bad = run("--conf", conf.toString())) {
      assertOneLine(bad, "node: configuration: ", "nucleusmem.http.port");
    }
    Files.writeString(conf, "nucleusmem { http");
    try (NodeProcess bad = run("--conf", conf.toString())) {
      assertOneLine(bad, "node: configuration: ", "node.conf");
    }
    try (NodeProcess bad = run("--conf", dir.resolve("none.conf").toString())) {
      assertOneLine(bad, "node: configuration: ", "none.conf");
    }
  }

  private static void assertOneLine(NodeProcess command, String start, String contained)
      throws Exception {
    List<String> lines = command.rest();
    assertThat(command.exitCode()).isEqualTo(1);
    assertThat(lines).hasSize(1);
    assertThat(lines.get(0)).startsWith(start).contains(contained);
  }

  /** Four writers that write until the node is gone. */
  private final class Writers {
    private final ConcurrentLinkedQueue<String> acknowledged = new ConcurrentLinkedQueue<>();
    private final List<Thread> threads = new ArrayList<>();

    Writers(int port) {
      for (int i = 0; i < 4; i++) {
        int writer = i;
        Thread thread = new Thread(() -> write(port, writer));
        threads.add(thread);
        thread.start();
      }
    }

    private void write(int port, int writer) {
      for (int n = 0; ; n++) {
        String key = "w" + writer + "-" + n;
        try {
          HttpResponse<String> answer =
              send(port, "PUT", "/v1/spaces/s/entries/" + key, "value of " + key);
          if (answer.statusCode() != 200) {
            assertThat(answer.statusCode()).isEqualTo(503);
            return;
          }
          acknowledged.add(key);
        } catch (UncheckedIOException e) {
          return; // the node is gone
        }
      }
    }

    void awaitAcknowledged(int count) {
      while (acknowledged.size() < count) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }

    List<String> finish() throws InterruptedException {
      for (Thread thread : threads) {
        thread.join();
      }
      return List.copyOf(acknowledged);
    }
  }

  private static boolean accepts(int port) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (ConnectException e) {
      return false;
    }
  }

  private HttpResponse<String> send(int port, String method, String path, String body) {
    try {
      return client.send(request(port, method, path, body), HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static HttpRequest request(int port, String method, String path, String body) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body));
    if (body != null && !path.contains("/entries/")) {
      request.header("Content-Type", "application/json");
    }
    return request.build();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
