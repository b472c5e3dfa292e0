package io.nucleusmem.examples.desk;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import io.nucleusmem.node.NodeConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A wrong figure is taken back as if it had never been, twice on the same memory. */
@Timeout(240)
class DeskStoryTest {
  @TempDir Path dir;
  private final ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();

  private DeskStory.Outcome tell() {
    Config config =
        NodeConfig.load(
            Optional.empty(),
            Map.of(
                "nucleusmem.store.rocksdb.dir",
                dir.resolve("data").toString(),
                "nucleusmem.http.port",
                0));
    return DeskStory.tell(dir, config, lines::add);
  }

  @Test
  void digestIsWrongThenRightAndTheHistoryKeepsBoth() {
    for (int times = 1; times <= 2; times++) {
      lines.clear();
      DeskStory.Outcome told = tell();
      assertThat(told.monday())
          .contains(DeskStory.TRUE_FIGURE)
          .doesNotContain(DeskStory.FALSE_FIGURE);
      assertThat(told.wrong())
          .contains(DeskStory.FALSE_FIGURE, "86,000 euros", "harbour-day.md")
          .doesNotContain(DeskStory.TRUE_FIGURE);
      assertThat(told.right())
          .contains(DeskStory.TRUE_FIGURE, "86,000 euros", "harbour-day.md")
          .doesNotContain(DeskStory.FALSE_FIGURE);
      assertThat(told.wrongRevision()).isLessThan(told.rightRevision());
      assertThat(told.readers()).anyMatch(agent -> agent.startsWith(Desk.ANALYST));

      // what came of it, and nothing of the other news
      assertThat(told.gone())
          .extracting(Inquiry.Version::key)
          .contains(
              Desk.result(DeskStory.PATH).name(),
              Desk.verdict(DeskStory.PATH).name(),
              Desk.DIGEST.name())
          .doesNotContain(
              Desk.result("building.md").name(),
              Desk.verdict("building.md").name(),
              Desk.result("harbour-day.md").name());
      assertThat(List.copyOf(lines))
          .anyMatch(line -> line.contains("POST /v1/agents/critic/rerun"))
          .anyMatch(line -> line.contains("so it is: as of revision " + told.wrongRevision()));
    }
  }
}
