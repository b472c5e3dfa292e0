package io.nucleusmem.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A running command and what it has written to stderr. */
public final class NodeProcess implements AutoCloseable {
  private static final Pattern READY = Pattern.compile("ready in (\\d+) ms: http://[^:]+:(\\d+)");

  private static final int END_SECONDS_MAX = 120; // a node stops within 90 s

  private final Process process;
  private final List<String> lines = new ArrayList<>(); // guarded by itself
  private final CompletableFuture<Integer> port = new CompletableFuture<>();
  private final Thread reader;

  /**
   * Starts one.
   *
   * @param dir for its files
   * @param arguments of the command
   */
  public NodeProcess(Path dir, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Djava.util.concurrent.ForkJoinPool.common.parallelism=2");
    command.add("-Xmx512m");
    command.add("-XX:TieredStopAtLevel=1"); // such a short life would be spent in compiling
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
  public int port() {
    return port.join();
  }

  /** Waits for its end; all that it has written. */
  public List<String> rest() throws InterruptedException {
    reader.join();
    synchronized (lines) {
      return List.copyOf(lines);
    }
  }

  /** Sends SIGTERM. Not by Process.destroy, which closes the streams as well. */
  public void terminate() {
    process.toHandle().destroy();
  }

  /** Sends it a signal that {@code kill} knows, such as STOP. */
  public void signal(String name) throws IOException, InterruptedException {
    assertThat(
            new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor())
        .isZero();
  }

  /** Writes a line to its standard input. */
  public void say(String line) throws IOException {
    process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().flush();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for its end. */
  public int exitCode() throws InterruptedException {
    assertThat(process.waitFor(END_SECONDS_MAX, TimeUnit.SECONDS))
        .describedAs("the process ends in %d s; it said %s", END_SECONDS_MAX, lines)
        .isTrue();
    return process.exitValue();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
