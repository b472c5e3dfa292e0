package io.nucleusmem.examples.desk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.langchain4j.model.chat.ChatModel;
import io.nucleusmem.examples.desk.AnalysisTest.ScriptedModel;
import io.nucleusmem.examples.desk.Desk.Order;
import io.nucleusmem.node.NucleusNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** All agents on a node of this JVM, with a scripted model. */
@Timeout(120)
class DeskRunTest {

  @TempDir Path folder;
  @TempDir Path data;
  private final ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();

  @Test
  void agentsWriteTheDigestAndAModelsWeakSummaryIsSentBackOnce() throws IOException {
    Files.writeString(
        folder.resolve("a.md"), "# A\n\nThe desk was opened in 1999 for everybody.\n");
    Files.writeString(
        folder.resolve("b.md"), "# B\n\nThis one always makes the model fail, sadly.\n");
    Files.writeString(
        folder.resolve("c.md"), "# C\n\nAbout this one the model makes numbers up.\n");
    Files.writeString(folder.resolve("empty.txt"), "");
    ChatModel model =
        new ScriptedModel(
            prompt -> {
              if (prompt.contains("[b.md]")) {
                throw new IllegalStateException("out of order");
              }
              return prompt.contains("[c.md]") && !prompt.contains("sent back")
                  ? "It took 4711 days."
                  : "A good summary.";
            });

    DeskRun.Outcome outcome = run(Optional.of(new Summarizer(model, "scripted")), "run-1");

    assertThat(outcome.digest())
        .contains(
            "3 documents; 1 revised after review; 1 left out.",
            "Summary (llm scripted):\n\n> A good summary.",
            "no summary by model scripted (IllegalStateException: out of order), key sentences",
            "- This one always makes the model fail, sadly.",
            "- empty: 0 bytes: `empty.txt`")
        .doesNotContain("4711");
    assertThat(outcome.results()).isEqualTo(4);
    assertThat(outcome.revised()).isEqualTo(1);
    assertThat(outcome.leftOut()).containsExactly("empty.txt, empty: 0 bytes");
    assertThat(lines)
        .anyMatch(line -> line.contains("3 analysts from now on"))
        .anyMatch(line -> line.contains("c.md please again: the summary has numbers"));

    Files.delete(folder.resolve("b.md"));
    DeskRun.Outcome second = run(Optional.of(new Summarizer(model, "scripted")), "run-2");
    assertThat(second.results()).as("nothing is done twice").isZero();
    assertThat(second.digest()).contains("2 documents").doesNotContain("b.md");
  }

  @Test
  void aFolderThatVanishesEndsTheRun() throws IOException {
    Files.delete(folder);
    assertThatThrownBy(() -> run(Optional.empty(), "run-1")).hasMessageContaining("cannot be read");
    Files.createDirectory(folder);
  }

  private DeskRun.Outcome run(Optional<Summarizer> summarizer, String id) {
    var config =
        ConfigFactory.parseString(
            """
            nucleusmem.store.rocksdb.dir = "%s"
            nucleusmem.http.port = 0
            """
                .formatted(data));
    DeskSettings settings =
        DeskSettings.from(ConfigFactory.parseResources("reference.conf").resolve());
    try (NucleusNode node = NucleusNode.start(config, DeskRun.types(settings, summarizer));
        DeskRun run = new DeskRun(node.spaces(), node.agents(), 3, lines::add)) {
      return run.carryOut(new Order(id, folder.toString(), DocumentFolder.Kind.TEXT, List.of()));
    }
  }
}
