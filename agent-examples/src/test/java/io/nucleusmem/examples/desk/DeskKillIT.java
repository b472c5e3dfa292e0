package io.nucleusmem.examples.desk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The desk as its user runs it, in a JVM of its own, killed with SIGKILL at lines of its own output
 * and started again on the same data.
 */
class DeskKillIT {

  private static final int DOCUMENTS = 40;

  /** A finished or killed run. */
  private record Ran(int exit, List<String> lines, boolean killed) {
    String text() {
      return String.join("\n", lines);
    }
  }

  @TempDir Path work;

  @Test
  @Timeout(900)
  void killedAnywhereAndStartedAgainTheDigestIsTheSameAndNoResultStandsTwice() throws Exception {
    Path folder = Files.createDirectory(work.resolve("papers"));
    writeDocuments(folder);

    Ran undisturbed = run("", folder.toString(), "--data", data("quiet"), "--out", out("quiet.md"));
    assertThat(undisturbed.exit()).as(undisturbed.text()).isZero();
    String expected = Files.readString(Path.of(out("quiet.md")));

    int kills = 0;
    for (String moment : List.of("reader +puts doc-2\\d", "finds in doc-2\\d", "takes .*round 2")) {
      Ran ran = run(moment, folder.toString(), "--data", data("hit"), "--out", out("hit.md"));
      kills += ran.killed() ? 1 : 0;
    }
    assertThat(kills).as("moments that came").isGreaterThanOrEqualTo(2);

    Ran last = run("", folder.toString(), "--data", data("hit"), "--out", out("hit.md"));
    assertThat(last.exit()).as(last.text()).isZero();
    assertThat(Files.readString(Path.of(out("hit.md")))).isEqualTo(expected);
    assertThat(last.text())
        .contains("left out: empty.md, empty", "left out: noise.txt, binary", "left out: loop.md,")
        .contains("digest  " + out("hit.md"));

    Ran shown = run("", "--show", "--data", data("hit"));
    assertThat(shown.exit()).as(shown.text()).isZero();
    assertEachResultStandsOnce(shown);
    assertThat(shown.text())
        .contains(
            "leaves out empty.md: empty: 0 bytes",
            "puts big.txt on the desk (5",
            "in 7 parts",
            "puts latin.txt on the desk",
            "Latin-1",
            "UTF-16LE");
    assertThat(
            shown.lines().stream()
                .filter(line -> line.startsWith("20"))
                .map(line -> line.substring(0, "2026-11-23 14:03:07.123".length())))
        .as("in order of time")
        .isSorted()
        .hasSizeGreaterThan(DOCUMENTS * 4);
  }

  @Test
  @Timeout(240)
  void whatCannotBeIsOneLineAndExitCodeOne() throws Exception {
    Path folder = Files.createDirectory(work.resolve("papers"));
    Files.writeString(folder.resolve("a.md"), "A document of a few words.");
    assertOneLine(run("", folder + "/gone"), "it must be a folder that can be read");
    assertOneLine(
        run("", folder.toString(), "--data", data("x"), "--out", folder + "/gone/d.md"),
        "it must be a file in a folder that exists");
    assertOneLine(run("", "--show", "--data", data("nowhere")), "there is no desk in");
    assertThat(Path.of(data("nowhere"))).doesNotExist();

    Path used = Files.createDirectory(work.resolve("used"));
    try (FileChannel lock =
        FileChannel.open(
            used.resolve("store.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      assertThat(lock.tryLock()).isNotNull(); // as a node that runs does
      assertOneLine(run("", "--show", "--data", used.toString()), "is in use");
      assertOneLine(
          run("", folder.toString(), "--data", used.toString(), "--out", out("d.md")), "is in use");
    }
  }

  private static void assertOneLine(Ran ran, String text) {
    assertThat(ran.exit()).isEqualTo(1);
    assertThat(ran.lines().stream().filter(line -> line.startsWith("demo: ")))
        .as(ran.text())
        .singleElement()
        .asString()
        .contains(text);
  }

  private static void assertEachResultStandsOnce(Ran shown) {
    for (int i = 0; i < DOCUMENTS; i++) {
      String path = "doc-%02d.md".formatted(i);
      assertThat(count(shown, "finds in " + path + ":")).as(path + shown.text()).isEqualTo(1);
      assertThat(count(shown, "finds in " + path + " (round 2):"))
          .as(path)
          .isEqualTo(isWeak(i) ? 1 : 0);
      assertThat(count(shown, "accepts " + path)).as(path).isEqualTo(1);
      assertThat(count(shown, "sends back " + path)).as(path).isEqualTo(isWeak(i) ? 1 : 0);
      assertThat(count(shown, path + " please again")).as(path).isEqualTo(isWeak(i) ? 1 : 0);
    }
    assertThat(count(shown, ", complete")).isPositive();
  }

  private static long count(Ran ran, String text) {
    return ran.lines().stream().filter(line -> line.contains(text)).count();
  }

  // ---- documents ----

  private static boolean isWeak(int document) {
    return document % 3 == 0;
  }

  private static void writeDocuments(Path folder) throws IOException {
    for (int i = 0; i < DOCUMENTS; i++) {
      var text = new StringBuilder("# Document %d\n\n".formatted(i));
      if (isWeak(i)) {
        text.append("- an item of a list that never ends here\n".repeat(10)); // no sentence in it
      } else {
        text.append(
            "Station %d was opened on %d May 2026 by the people.\n".formatted(i, i % 31 + 1));
        text.append("Its trains take %d minutes to the sea, and nobody minds.\n".formatted(i + 7));
      }
      Files.writeString(folder.resolve("doc-%02d.md".formatted(i)), text);
    }
    Files.writeString(folder.resolve("big.txt"), "word and another one\n".repeat(250_000));
    Files.writeString(folder.resolve("empty.md"), "");
    byte[] noise = new byte[5_000];
    new Random(7).nextBytes(noise);
    Files.write(folder.resolve("noise.txt"), noise);
    Files.write(
        folder.resolve("latin.txt"), "Grüße aus Köln.".getBytes(StandardCharsets.ISO_8859_1));
    Files.write(
        folder.resolve("wide.txt"), "\uFEFFGrüße aus Köln.".getBytes(StandardCharsets.UTF_16LE));
    Files.createSymbolicLink(folder.resolve("loop.md"), Path.of("loop.md"));
    Files.createSymbolicLink(folder.resolve("round"), folder);
    Files.createDirectory(folder.resolve(".git"));
    Files.writeString(folder.resolve(".git/hidden.md"), "not to be read");
  }

  // ---- the process ----

  private String data(String name) {
    return work.resolve(name).toString();
  }

  private String out(String name) {
    return work.resolve(name).toString();
  }

  /** Runs the desk to its end, or kills it at the first line that fits. */
  private Ran run(String killAt, String... arguments) throws IOException, InterruptedException {
    Process process = start(arguments);
    var lines = new ArrayList<String>();
    boolean killed = false;
    Pattern moment = Pattern.compile(killAt.isEmpty() ? "(?!)" : killAt);
    try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(line);
        if (moment.matcher(line).find()) {
          killed = true;
          process.toHandle().destroyForcibly(); // SIGKILL; what it has said stays readable
        }
      }
      return new Ran(process.waitFor(), lines, killed);
    } finally {
      process.destroyForcibly();
    }
  }

  private Process start(String... arguments) throws IOException {
    Path conf = work.resolve("desk.conf");
    Files.writeString(conf, "nucleusmem.examples.desk.lease = 3s\n");
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx700m",
                "-Djava.util.concurrent.ForkJoinPool.common.parallelism=2",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                DeskMain.class.getName(),
                "--conf",
                conf.toString()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }
}
