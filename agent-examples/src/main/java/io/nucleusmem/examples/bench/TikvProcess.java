package io.nucleusmem.examples.bench;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The test server of TiKV's protocol (not TiKV: no disk, no Raft, no network), as a process that
 * counts what arrives. It ends with this one.
 */
final class TikvProcess implements AutoCloseable {
  private static final String MAIN = "io.nucleusmem.ledger.CountingTikvServer";
  private static final String JAR = "NUCLEUSMEM_TEST_SERVER"; // variable: memspace-actors' test jar
  private static final String GREETING = "pd ";

  private final Process process;
  private final BufferedReader answers;
  private final PrintWriter questions;
  private final String pd;

  /** Starts it. */
  TikvProcess() throws IOException {
    String testJar = System.getenv(JAR);
    if (testJar == null) {
      throw new IllegalStateException(
          JAR + " (the jar of the protocol's test server) is not set; scripts/bench sets it");
    }
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-cp",
                testJar + File.pathSeparator + System.getProperty("java.class.path"),
                MAIN)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    questions = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
    String first = answers.readLine();
    if (first == null || !first.startsWith(GREETING)) {
      process.destroy();
      throw new IOException("[%s] of [%s] began with [%s]".formatted(MAIN, testJar, first));
    }
    pd = first.substring(GREETING.length());
  }

  /** PD's address. */
  String pd() {
    return pd;
  }

  void reset() throws IOException {
    ask("reset");
  }

  /**
   * Cuts spaces between their log and their other rows, as TiKV does with those that have grown.
   */
  void split() throws IOException {
    ask("split");
  }

  /** What arrived since the last reset, by name. */
  Map<String, Integer> counts() throws IOException {
    Map<String, Integer> counts = new HashMap<>();
    for (String each : ask("counts").split(" ")) {
      String[] parts = each.split("=");
      counts.put(parts[0], Integer.parseInt(parts[1]));
    }
    return counts;
  }

  private String ask(String question) throws IOException {
    questions.println(question);
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("the test server has ended at [%s]".formatted(question));
    }
    return answer;
  }

  @Override
  public void close() {
    questions.close(); // its input ends, and it with it
  }
}
