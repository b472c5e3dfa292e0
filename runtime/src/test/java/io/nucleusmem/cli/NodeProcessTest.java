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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The command as operators run it: a process of its own, ended by SIGTERM. */
@Timeout(240)
class NodeProcessTest {
  private static final Pattern READY = Pattern.compile("ready in (\\d+) ms: http://[^:]+:(\\d+)");
  private static final int SIGTERM_EXIT = 143;

  @TempDir Path dir;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  /** A running command and what it has written to stderr. */
  private static final class Command implements AutoCloseable {
    private final Process process;
    private final List<String> lines = new ArrayList<>(); // guarded by itself
    private final CompletableFuture<Integer> port = new CompletableFuture<>();
    private final Thread reader;

    Command(Path dir, String... arguments) throws IOException {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.add("-Djava.util.concurrent.ForkJoinPool.common.parallelism=2");
      command.add("-Dlogback.configurationFile=" + quiet(dir));
      command.addAll(List.of("-cp", System.getProperty("java.class.path")));
      command.add(NodeCommand.class.getName());
      command.addAll(List.of(arguments));
      process = new ProcessBuilder(command).redirectOutput(dir.resolve("stdout").toFile()).start();
      reader = new Thread(this::read);
      reader.start();
    }

    private void read() {
      try (BufferedReader stderr = process.errorReader(StandardCharsets.UTF_8)) {
        for (String line = stderr.readLine(); line != null; line = stderr.readLine()) {
          synchronized (lines) {
            lines.add(line);
          }
          Matcher ready = READY.matcher(line);
          if (ready.find()) {
            port.complete(Integer.parseInt(ready.group(2)));
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        port.completeExceptionally(new AssertionError("the node did not start: " + lines));
      }
    }

    /** As conf/logback.xml, found wherever the test runs. */
    private static String quiet(Path dir) throws IOException {
      Path file = dir.resolve("logback.xml");
      try (var resource = NodeCommand.class.getResourceAsStream("/logback.xml")) {
        Files.write(file, resource.readAllBytes());
      }
      return file.toString();
    }

    /** Waits until it is ready and tells its port. */
    int port() {
      return port.join();
    }

    /** Waits for its end; all that it has written. */
    List<String> rest() throws InterruptedException {
      reader.join();
      synchronized (lines) {
        return List.copyOf(lines);
      }
    }

    /** Sends SIGTERM. Not by Process.destroy, which closes the streams as well. */
    void terminate() {
      process.toHandle().destroy();
    }

    int exitCode() throws InterruptedException {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      return process.exitValue();
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }

  private Command run(String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(List.of("--data", dir.resolve("data").toString(), "--port", "0"));
    arguments.addAll(List.of(more));
    return new Command(dir, arguments.toArray(String[]::new));
  }

  @Test
  void sigtermFinishesWhatIsInFlightAndLosesNothing() throws Exception {
    List<String> acknowledged;
    try (Command node = run()) {
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
        Thread.onSpinWait();
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
    try (Command node = run()) {
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
    try (Command first = run()) {
      int port = first.port();
      try (Command second = run()) {
        assertOneLine(second, "node: store: ", dir.resolve("data").toString());
      }
      try (Command third =
          new Command(
              dir, "--data", dir.resolve("other").toString(), "--port", String.valueOf(port))) {
        assertOneLine(third, "node: http: ", "[" + port + "]");
      }
      first.terminate();
      first.rest();
    }
    Path conf = dir.resolve("node.conf");
    Files.writeString(conf, "nucleusmem.http.prot = 8181");
    try (Command bad = run("--conf", conf.toString())) {
      assertOneLine(bad, "node: configuration: ", "nucleusmem.http.port");
    }
    Files.writeString(conf, "nucleusmem { http");
    try (Command bad = run("--conf", conf.toString())) {
      assertOneLine(bad, "node: configuration: ", "node.conf");
    }
    try (Command bad = run("--conf", dir.resolve("none.conf").toString())) {
      assertOneLine(bad, "node: configuration: ", "none.conf");
    }
  }

  private static void assertOneLine(Command command, String start, String contained)
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
        Thread.onSpinWait();
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
