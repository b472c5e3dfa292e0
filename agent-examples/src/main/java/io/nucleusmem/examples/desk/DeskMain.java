package io.nucleusmem.examples.desk;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import io.nucleusmem.examples.desk.Conversation.Line;
import io.nucleusmem.examples.desk.Desk.Order;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.node.NodeConfig;
import io.nucleusmem.node.NodeStartException;
import io.nucleusmem.node.NucleusNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The document desk on a node of its own. Exit code 0: the digest is written; 1: it cannot be, for
 * the reason in the one line on standard error; 2: the arguments are not understood.
 */
@Command(
    name = "demo",
    description = {
      "A team of agents reads a folder of text and Markdown files and writes a digest.",
      "Kill it at any moment and start it again: it goes on where it was."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class DeskMain implements Callable<Integer> {

  /** Environment variable: the project's directory, whose documents are the default. */
  static final String HOME = "NUCLEUSMEM_HOME";

  private static final int FAILED = 1;
  private static final int ANALYSTS_MAX =
      12; // with the others, below the threads for blocking calls
  private static final String LOCK_FILE = "store.lock"; // every data directory has one

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "FOLDER",
      description = "Its documents, folders below included. Default: this project's own Markdown.")
  private Path folder;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where the memory is kept. Default: below target/desk, one for each folder.")
  private Path data;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "The digest. Default: digest.md in the data directory.")
  private Path out;

  @Option(
      names = "--analysts",
      paramLabel = "N",
      defaultValue = "3",
      description = "How many analysts there are once there is work, 1 to 12. Default: 3.")
  private int analysts;

  @Option(
      names = "--conf",
      paramLabel = "FILE",
      description = "Configuration, such as the model that writes summaries.")
  private Path conf;

  @Option(
      names = "--show",
      description = "Shows the conversation that led to the digest, from the store.")
  private boolean show;

  private final PrintStream stdout = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  /** Runs the command; ends the JVM. */
  public static void main(String[] args) {
    if (System.getProperty("logback.configurationFile") == null) {
      System.setProperty("logback.configurationFile", "desk-logback.xml");
    }
    System.exit(new CommandLine(new DeskMain()).execute(args));
  }

  @Override
  public Integer call() {
    try {
      if (show) {
        show();
      } else {
        run();
      }
      return CommandLine.ExitCode.OK;
    } catch (DeskFailure | NodeStartException | MemSpaceException e) {
      return fail(e.getMessage());
    } catch (CompletionException e) {
      return fail(e.getCause().getMessage());
    } catch (ConfigException | IllegalArgumentException e) {
      return fail("configuration: " + e.getMessage());
    }
  }

  private static int fail(String reason) {
    System.err.println("demo: " + String.valueOf(reason).replace('\n', ' '));
    return FAILED;
  }

  // ---- a run ----

  private void run() {
    Path documents = checkedFolder();
    Path memory = dataDirectory(documents);
    Path digest = checkedOut(memory);
    if (analysts < 1 || analysts > ANALYSTS_MAX) {
      throw new DeskFailure(
          "--analysts is [%d]; it must be 1 to %d".formatted(analysts, ANALYSTS_MAX));
    }
    stdout.println("folder  " + documents);
    stdout.println("data    " + memory);
    long start = System.nanoTime();
    Config config = config(memory);
    DeskSettings settings = DeskSettings.from(config);
    Optional<Summarizer> summarizer = settings.llm().map(Summarizer::of);
    stdout.println(
        "model   "
            + summarizer.map(Summarizer::name).orElse("none: key sentences stand for summaries"));

    try (NucleusNode node = NucleusNode.start(config, DeskRun.types(settings, summarizer))) {
      stdout.println("http    http://127.0.0.1:" + node.address().getPort());
      try (DeskRun run = new DeskRun(node.spaces(), node.agents(), analysts, stdout::println)) {
        node.whenStopped()
            .thenRun(() -> run.fail(new DeskFailure("the node has stopped; start again to go on")));
        var order =
            new Order(
                UUID.randomUUID().toString(),
                documents.toString(),
                kind(),
                List.of(memory.toString(), digest.toString()));
        DeskRun.Outcome outcome = run.carryOut(order);
        write(digest, outcome.digest());
        summarize(outcome, memory, digest, (System.nanoTime() - start) / 1_000_000);
      }
    }
  }

  private void summarize(DeskRun.Outcome outcome, Path memory, Path digest, long millis) {
    Desk.Intake intake = outcome.intake();
    stdout.println();
    stdout.printf(
        "%d documents: %d new or changed, %d unchanged, %d removed; %d left out%n",
        intake.documents(),
        intake.queued(),
        intake.unchanged(),
        intake.removed(),
        intake.leftOut());
    outcome.leftOut().forEach(file -> stdout.println("left out: " + file));
    stdout.printf(
        "results written in this run: %d, revisions among them: %d; %d.%d s%n",
        outcome.results(), outcome.revised(), millis / 1000, millis % 1000 / 100);
    stdout.println("digest  " + digest);
    stdout.println("how it came about: scripts/demo --show --data " + memory);
  }

  private Path checkedFolder() {
    Path documents = (folder != null ? folder : home()).toAbsolutePath().normalize();
    if (!Files.isDirectory(documents) || !Files.isReadable(documents)) {
      throw new DeskFailure(
          "FOLDER is [%s]; it must be a folder that can be read".formatted(documents));
    }
    return documents;
  }

  private static Path home() {
    return Path.of(System.getenv().getOrDefault(HOME, "."));
  }

  /** Among the project's sources only Markdown is meant; in a user's folder text is, too. */
  private DocumentFolder.Kind kind() {
    return folder == null ? DocumentFolder.Kind.MARKDOWN : DocumentFolder.Kind.TEXT;
  }

  private Path dataDirectory(Path documents) {
    if (data != null && Files.exists(data) && !Files.isDirectory(data)) {
      throw new DeskFailure(
          "--data is [%s]; it must be a directory, or not there yet".formatted(data));
    }
    if (data != null) {
      return data.toAbsolutePath().normalize();
    }
    String name = documents.getFileName() == null ? "root" : documents.getFileName().toString();
    String hash =
        DocumentFile.sha256(documents.toString().getBytes(StandardCharsets.UTF_8)).substring(0, 8);
    return home().resolve("target/desk").resolve(name + "-" + hash).toAbsolutePath().normalize();
  }

  /** The digest's path, after a try to write beside it. */
  private Path checkedOut(Path memory) {
    Path digest = (out != null ? out : memory.resolve("digest.md")).toAbsolutePath().normalize();
    Path parent = digest.getParent();
    try {
      if (out == null) {
        Files.createDirectories(memory);
      }
      if (Files.isDirectory(digest) || parent == null || !Files.isDirectory(parent)) {
        throw new DeskFailure(
            "--out is [%s]; it must be a file in a folder that exists".formatted(digest));
      }
      Files.delete(Files.createTempFile(parent, ".digest", ".tmp"));
    } catch (IOException e) {
      throw new DeskFailure("--out is [%s]; it cannot be written: %s".formatted(digest, e), e);
    }
    return digest;
  }

  /** All or nothing: who reads the file finds the digest before or this one. */
  static void write(Path file, String text) {
    try {
      Path temporary = Files.createTempFile(file.getParent(), ".digest", ".tmp");
      try {
        Files.writeString(temporary, text);
        try {
          Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
          Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
        }
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw new DeskFailure("[%s] cannot be written: %s".formatted(file, e), e);
    }
  }

  // ---- the conversation ----

  private void show() {
    Path memory = dataDirectory(data != null ? home() : checkedFolder());
    if (!Files.exists(memory.resolve(LOCK_FILE))) {
      throw new DeskFailure(
          "there is no desk in [%s]; --data names another place".formatted(memory));
    }
    try (DeskStore store = DeskStore.open(config(memory))) {
      List<Line> lines = DeskShow.conversation(store.spaces());
      lines.forEach(line -> stdout.println(line.inFull()));
      stdout.println(lines.size() + " lines; times are UTC, r17 is revision 17 of space desk");
    } catch (MemSpaceException e) {
      throw e.code() == ErrorCode.SPACE_NOT_FOUND
          ? new DeskFailure(
              "there is no desk in [%s]; --data names another place".formatted(memory))
          : e;
    }
  }

  private Config config(Path memory) {
    if (conf != null && !Files.isReadable(conf)) {
      throw new DeskFailure(
          "--conf is [%s]; there is no such file that can be read".formatted(conf));
    }
    Map<String, Object> overrides = new HashMap<>();
    overrides.put("nucleusmem.store.rocksdb.dir", memory.toString());
    overrides.put("nucleusmem.http.port", 0); // beside any other node
    return NodeConfig.load(Optional.ofNullable(conf), overrides);
  }
}
