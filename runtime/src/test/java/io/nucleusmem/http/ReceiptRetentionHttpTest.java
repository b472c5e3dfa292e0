package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.StoreExtension;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Receipts that their retention has let go, over HTTP: 410, and from when on they are kept. */
@Timeout(120)
class ReceiptRetentionHttpTest {
  private static final AgentType<ReceiptsHttpTest.Msg> READER =
      AgentType.of("reader", ReceiptsHttpTest.Msg.class, ReceiptsHttpTest::reader);

  /** What the keeper writes down before it removes receipts; the time of it. */
  private static String letGo(TestNode node) {
    KvStore store = StoreExtension.get(node.node().system()).store();
    long now = store.now().toCompletableFuture().join();
    long floor = Timestamps.firstOf((Timestamps.millis(now) / 1_000 + 1) * 1_000);
    Bytes row = new BytesWriter(10).u8('r').u8('F').i64(floor).toBytes();
    store.commit(WriteBatch.at(now).put(row, Bytes.EMPTY).build()).toCompletableFuture().join();
    return Timestamps.instant(floor + Timestamps.lastOf(0)).toString();
  }

  @Test
  void whoAsksForReceiptsBehindTheirRetentionGets410AndFromWhenOnTheyAreKept(@TempDir Path dir) {
    try (TestNode node =
        TestNode.hosting(
            dir.resolve("data"),
            List.of(READER),
            "nucleusmem.receipts.retention.interval = 10ms")) {
      String facts = node.space();
      String notes = node.space();
      node.post(
          "/v1/agents",
          """
          {"type": "reader", "id": "watcher", "config": {"facts": "%s", "notes": "%s"},
           "mounts": [{"space": "%s", "access": "read_only"},
                      {"space": "%s", "access": "read_write"}]}\
          """
              .formatted(facts, notes, facts, notes));
      final long old = put(node, facts, "old");
      TestNode.eventually(() -> count(node, notes).equals("1"));
      assertThat(node.get("/v1/agents/watcher/saw").json().has("oldest_at")).isFalse();
      String before =
          node.get("/v1/agents/watcher/saw").json().get("items").get(0).get("at").textValue();
      String oldest = letGo(node);
      TestNode.eventually(() -> Instant.now().isAfter(Instant.parse(oldest)));
      long kept = put(node, facts, "new");
      TestNode.eventually(() -> count(node, notes).equals("2"));

      for (String question : List.of("saw", "replay")) {
        TestNode.Answer refused = node.get("/v1/agents/watcher/" + question + "?from=" + before);
        assertThat(refused.status()).as(question).isEqualTo(410);
        assertThat(refused.code()).isEqualTo("compacted");
        assertThat(refused.json().get("oldest_at").textValue()).isEqualTo(oldest);
      }
      TestNode.Answer rerun =
          node.post(
              "/v1/agents/watcher/rerun",
              "{\"from\": \"%s\", \"until\": \"2100-01-01T00:00:00Z\"}".formatted(before));
      assertThat(rerun.status()).isEqualTo(410);
      JsonNode since = node.get("/v1/agents/watcher/saw?from=" + oldest).json();
      assertThat(since.get("items")).hasSize(2).allMatch(each -> revision(each) == kept);
      String question = "/v1/containment?space=" + facts + "&key=fact&revision=";
      assertThat(node.get(question + old).json().get("complete").booleanValue()).isFalse();
      assertThat(node.get(question + kept).json().get("complete").booleanValue()).isTrue();

      // a log that goes on keeps what is not indexed yet; one that has ended keeps nothing
      node.restart();
      TestNode.eventually(
          () -> {
            JsonNode left = node.get("/v1/agents/watcher/saw").json();
            return Instant.parse(left.get("oldest_at").textValue()).equals(Instant.parse(oldest))
                && left.findValuesAsText("revision").stream()
                    .allMatch(each -> Long.parseLong(each) == kept);
          });
      assertThat(node.get("/v1/spaces/" + facts + "/seen/fact").json().get("items"))
          .allMatch(each -> revision(each) == kept);
    }
  }

  private static long put(TestNode node, String space, String text) {
    return node.put("/v1/spaces/" + space + "/entries/fact", text)
        .json()
        .get("revision")
        .longValue();
  }

  private static String count(TestNode node, String notes) {
    return node.get("/v1/spaces/" + notes + "/entries/watcher").text();
  }

  private static long revision(JsonNode receipt) {
    return receipt.get("revision").longValue();
  }
}
