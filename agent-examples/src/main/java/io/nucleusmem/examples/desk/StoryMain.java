package io.nucleusmem.examples.desk;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.node.NodeConfig;
import io.nucleusmem.node.NodeStartException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Tells what becomes of a wrong figure on the document desk. Exit code 0: all that it says is so;
 * 1: something is not, named in the one line on standard error; 2: the arguments are not
 * understood.
 */
@Command(
    name = "story",
    description = {
      "A wrong figure comes to the document desk: who saw it, what came of it, and how it is taken back.",
      "It uses small documents of its own."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class StoryMain implements Callable<Integer> {
  private static final int FAILED = 1;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Where documents and memory are kept. Default: a new folder, removed at the end.")
  private Path data;

  private final PrintStream stdout = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  /** Runs the command; ends the JVM. */
  public static void main(String[] args) {
    if (System.getProperty("logback.configurationFile") == null) {
      System.setProperty("logback.configurationFile", "desk-logback.xml");
    }
    System.exit(new CommandLine(new StoryMain()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    Path dir = data == null ? Files.createTempDirectory("nucleusmem-story") : data.toAbsolutePath();
    try {
      DeskStory.tell(dir, config(dir), stdout::println);
      return CommandLine.ExitCode.OK;
    } catch (DeskFailure | NodeStartException | MemSpaceException e) {
      return fail(e.getMessage());
    } catch (CompletionException e) {
      return fail(String.valueOf(e.getCause()));
    } catch (ConfigException | IllegalArgumentException e) {
      return fail("configuration: " + e.getMessage());
    } finally {
      if (data == null) {
        remove(dir);
      }
    }
  }

  private static Config config(Path dir) {
    return NodeConfig.load(
        Optional.empty(),
        Map.of(
            "nucleusmem.store.rocksdb.dir",
            dir.resolve("data").toString(),
            "nucleusmem.http.port",
            0)); // beside any other node
  }

  private static int fail(String reason) {
    System.err.println("story: " + String.valueOf(reason).replace('\n', ' '));
    return FAILED;
  }

  private static void remove(Path dir) throws IOException {
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
