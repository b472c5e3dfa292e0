package io.nucleusmem.examples.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A JVM of ours that says on stderr when it is ready, and what it says there. */
final class BenchProcess implements AutoCloseable {
  private static final long READY_SECONDS_MAX = 180;
  private static final int LINES_MAX = 10_000; // kept, of what it says

  private final Process process;
  private final ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();
  private final CompletableFuture<String> ready = new CompletableFuture<>();

  /**
   * Starts one with this JVM's class path.
   *
   * @param logback its configuration of logging
   * @param morePath in front of the class path; may be empty
   * @param wanted the line that says that it is ready; its first group is what {@link #ready} tells
   */
  BenchProcess(Path logback, String morePath, Pattern wanted, String main, String... arguments)
      throws IOException {
    String path = System.getProperty("java.class.path");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx512m");
    command.add("-Djava.util.concurrent.ForkJoinPool.common.parallelism=2");
    command.add("-Dlogback.configurationFile=" + logback);
    command.add("-cp");
    command.add(morePath.isEmpty() ? path : morePath + System.getProperty("path.separator") + path);
    command.add(main);
    command.addAll(List.of(arguments));
    process = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly)); // none is left
    Thread reader = new Thread(() -> read(wanted), "stderr of " + main);
    reader.setDaemon(true);
    reader.start();
  }

  private void read(Pattern wanted) {
    try (BufferedReader stderr = process.errorReader(StandardCharsets.UTF_8)) {
      for (String line = stderr.readLine(); line != null; line = stderr.readLine()) {
        lines.add(line);
        if (lines.size() > LINES_MAX) {
          lines.poll();
        }
        Matcher found = wanted.matcher(line);
        if (found.find()) {
          ready.complete(found.group(1));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      ready.completeExceptionally(
          new IllegalStateException("a process ended before it was ready; it said " + lines));
    }
  }

  /** Waits until it is ready. */
  String ready() {
    return ready.orTimeout(READY_SECONDS_MAX, TimeUnit.SECONDS).join();
  }

  /** The lines that it has said so far. */
  List<String> lines() {
    return List.copyOf(lines);
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Processor time that it has used; zero where the system does not tell. */
  Duration cpu() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** Sends it a signal that {@code kill} knows, such as STOP. */
  void signal(String name) {
    try {
      new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** {@code kill -9}, and waits for the end. */
  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
  }
}
