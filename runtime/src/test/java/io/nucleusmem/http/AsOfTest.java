package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.http.TestNode.Answer;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** G7, G8: everything at one instant, over HTTP: of section 9 of the contract. */
@Timeout(120)
class AsOfTest {
  private static TestNode node;

  @BeforeAll
  static void start(@TempDir Path dir) {
    AgentType<String> idle =
        AgentType.of("idle", String.class, AsOfTest::idle)
            .inbox(mail -> mail.what().content().text());
    node = TestNode.hosting(dir.resolve("data"), idle);
  }

  private static Behavior<String> idle(AgentContext<String> agent) {
    return Behaviors.ignore();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  /** The instant of a write that is done; what follows lies behind it. */
  private static String instant(String space) {
    Answer put = node.put("/v1/spaces/" + space + "/entries/now", "x");
    Instant at = Instant.parse(put.json().get("at").textValue());
    TestNode.eventually(() -> Instant.now().isAfter(at.plusMillis(1)));
    return at.toString();
  }

  private static JsonNode item(String path, String field, String value) {
    Answer page = node.get(path);
    assertThat(page.status()).as(page.toString()).isEqualTo(200);
    for (JsonNode item : page.json().get("items")) {
      if (item.path(field).asText().equals(value)) {
        return item;
      }
    }
    return null;
  }

  @Test
  void aSpaceThatWasDeletedSinceIsListedAndItsEntriesAreGone() {
    String space = node.space();
    node.put("/v1/spaces/" + space + "/entries/a", "1");
    String then = instant(space);
    JsonNode there = item("/v1/as-of/" + then + "/spaces?limit=1000", "name", space);
    assertThat(there.get("content").textValue()).isEqualTo("present");
    assertThat(there.has("oldest_revision")).isFalse();
    assertThat(node.delete("/v1/spaces/" + space).status()).isEqualTo(204);

    JsonNode was = item("/v1/as-of/" + then + "/spaces?limit=1000", "name", space);
    assertThat(was.get("content").textValue()).isEqualTo("space_deleted");
    assertThat(was.get("kind")).isEqualTo(there.get("kind"));
    assertThat(was.get("owner")).isEqualTo(there.get("owner"));
    assertThat(was.get("created_at")).isEqualTo(there.get("created_at"));
    assertThat(item("/v1/as-of/" + then + "/mounts?limit=1000", "space", space)).isNotNull();
    String entries = "/v1/as-of/" + then + "/entries?space=" + space;
    assertThat(node.get(entries).status()).isEqualTo(410);
    assertThat(node.get(entries).code()).isEqualTo("space_deleted");
    assertThat(node.get("/v1/as-of/" + then + "/entries?space=nowhere").code())
        .isEqualTo("space_not_found");
    // another space of that name is not the one that was there
    node.post("/v1/spaces", "{\"name\":\"" + space + "\",\"kind\":\"shared\"}");
    assertThat(node.get(entries).code()).isEqualTo("space_deleted");
    assertThat(
            item("/v1/as-of/" + instant(space) + "/spaces?limit=1000", "name", space)
                .get("content")
                .textValue())
        .isEqualTo("present");
  }

  @Test
  void agentsAreShownAsTheyWere() {
    String one = node.space();
    String two = node.space();
    Answer spawned =
        node.post(
            "/v1/agents",
            """
            {"type": "idle", "id": "idle-7", "mounts": [{"space": "%s", "access": "read_write"}],
             "config": {"a": "b"}}"""
                .formatted(one));
    assertThat(spawned.status()).as(spawned.toString()).isEqualTo(201);
    String first = instant(one);
    node.putJson(
        "/v1/agents/idle-7/mounts",
        "{\"mounts\": [{\"space\": \"%s\", \"access\": \"read_only\"}]}".formatted(two));
    String second = instant(one);
    assertThat(node.delete("/v1/agents/idle-7").status()).isEqualTo(204);
    String third = instant(one);

    JsonNode agent = item("/v1/as-of/" + first + "/agents", "id", "idle-7");
    assertThat(agent.get("type").textValue()).isEqualTo("idle");
    assertThat(agent.get("state").textValue()).isEqualTo("running");
    assertThat(agent.get("node")).isEqualTo(spawned.json().get("node"));
    assertThat(agent.get("config").get("a").textValue()).isEqualTo("b");
    assertThat(agent.get("mounts")).hasSize(1);
    JsonNode mount = agent.get("mounts").get(0);
    assertThat(mount.get("space").textValue()).isEqualTo(one);
    assertThat(mount.get("access").textValue()).isEqualTo("read_write");
    assertThat(mount)
        .isEqualTo(
            item(
                "/v1/as-of/" + first + "/mounts?limit=1000",
                "mount",
                mount.get("mount").textValue()));
    JsonNode later = item("/v1/as-of/" + second + "/agents", "id", "idle-7").get("mounts");
    assertThat(later).hasSize(1);
    assertThat(later.get(0).get("space").textValue()).isEqualTo(two);
    assertThat(item("/v1/as-of/" + third + "/agents", "id", "idle-7")).isNull();
    // also when its spaces are gone
    node.delete("/v1/spaces/" + two);
    assertThat(item("/v1/as-of/" + second + "/agents", "id", "idle-7").get("mounts"))
        .isEqualTo(later);
  }
}
