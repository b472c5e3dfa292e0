package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What agents saw, over HTTP: the beginning of section 9 of the contract. */
@Timeout(120)
class ReceiptsHttpTest {
  sealed interface Msg {}

  record Changed(AgentContext.Seen<Signal> signal) implements Msg {}

  record Got(Optional<Entry> entry, Throwable failure) implements Msg {}

  private static TestNode node;
  private static String space;
  private static String notes;
  private static long revision;

  @BeforeAll
  static void start(@TempDir Path dir) throws Exception {
    node =
        TestNode.hosting(
            dir.resolve("data"), AgentType.of("reader", Msg.class, ReceiptsHttpTest::reader));
    space = node.space();
    notes = node.space();
    for (String id : List.of("watcher", "blind")) {
      String receipts = id.equals("blind") ? ", \"receipts\": false" : "";
      TestNode.Answer spawned =
          node.post(
              "/v1/agents",
              """
              {"type": "reader", "id": "%s", "config": {"facts": "%s", "notes": "%s"},
               "mounts": [{"space": "%s", "access": "read_only"%s},
                          {"space": "%s", "access": "read_write"}]}\
              """
                  .formatted(id, space, notes, space, receipts, notes));
      assertThat(spawned.status()).as(spawned.toString()).isEqualTo(201);
    }
    revision = put("Zürich is a city");
    put("and so is Genève");
    for (String id : List.of("watcher", "blind")) {
      TestNode.eventually(
          () -> node.get("/v1/spaces/" + notes + "/entries/" + id).text().equals("2"));
    }
  }

  private static long put(String text) {
    return node.put("/v1/spaces/" + space + "/entries/fact/1", text)
        .json()
        .get("revision")
        .longValue();
  }

  /** Counts what it has pulled. */
  static Behavior<Msg> reader(AgentContext<Msg> agent) {
    String facts = agent.config().get("facts");
    agent.watch("facts", facts, WatchRequest.of(Region.MEMORY, "").from(1), Changed::new);
    int[] count = {0};
    return Behaviors.receive(Msg.class)
        .onMessage(
            Changed.class,
            changed -> {
              Signal signal = changed.signal().what();
              agent.pipe(agent.space(facts).pull(signal.key(), signal.revision()), Got::new);
              return Behaviors.same();
            })
        .onMessage(
            Got.class,
            got -> {
              agent
                  .space(agent.config().get("notes"))
                  .put(EntryKey.of(agent.id()), Content.text("" + ++count[0]));
              return Behaviors.same();
            })
        .build();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @Test
  void whatAnAgentSawIsAPageOfReceipts() {
    JsonNode page = node.get("/v1/agents/watcher/saw").json();
    assertThat(page.get("items")).hasSize(4);
    assertThat(page.get("next").isNull()).isTrue();
    JsonNode first = page.get("items").get(0);
    assertThat(first.get("at").textValue()).endsWith("Z");
    assertThat(first.get("space").textValue()).isEqualTo(space);
    assertThat(first.get("region").textValue()).isEqualTo("memory");
    assertThat(first.get("key").textValue()).isEqualTo("fact/1");
    assertThat(first.get("revision").longValue()).isEqualTo(revision);
    assertThat(first.get("how").textValue()).isEqualTo("signal");
    assertThat(first.get("mount").textValue()).startsWith("m-");
    assertThat(first.get("confirmed").booleanValue()).isTrue();

    JsonNode half = node.get("/v1/agents/watcher/saw?limit=3").json();
    assertThat(half.get("items")).hasSize(3);
    JsonNode rest =
        node.get("/v1/agents/watcher/saw?cursor=" + half.get("next").textValue()).json();
    assertThat(rest.get("items")).hasSize(1);
    String at = rest.get("items").get(0).get("at").textValue();
    assertThat(node.get("/v1/agents/watcher/saw?from=" + at).json().get("items")).isNotEmpty();
    assertThat(node.get("/v1/agents/watcher/saw?until=2001-01-01T00:00:00Z").json().get("items"))
        .isEmpty();
  }

  @Test
  void whoSawAVersionIsAPageOfReceipts() {
    String seen = "/v1/spaces/" + space + "/seen/fact/1";
    JsonNode one = node.get(seen + "?revision=" + revision).json().get("items");
    assertThat(one).hasSize(2);
    assertThat(one.get(0).get("agent").textValue()).isEqualTo("watcher");
    assertThat(node.get(seen).json().get("items")).hasSize(4);
    assertThat(node.get(seen + "?region=task").json().get("items")).isEmpty();
  }

  @Test
  void replayStreamsWhatWasReceived() throws Exception {
    TestNode.Answer answer = node.get("/v1/agents/watcher/replay");
    assertThat(answer.header("Content-Type")).startsWith("application/x-ndjson");
    List<String> values = new ArrayList<>();
    for (String line : answer.text().split("\n")) {
      JsonNode json = new ObjectMapper().readTree(line);
      assertThat(json.get("state").textValue()).isEqualTo("present");
      assertThat(json.get("author").textValue()).isEqualTo("local");
      values.add(json.get("value").textValue());
    }
    assertThat(values)
        .containsExactlyInAnyOrder(
            "Zürich is a city", "Zürich is a city", "and so is Genève", "and so is Genève");
  }

  @Test
  void mountCanBeWithoutReceipts() {
    assertThat(node.get("/v1/agents/blind/saw").json().get("items")).isEmpty();
  }

  @Test
  void badQuestionsAreNamed() {
    assertThat(node.get("/v1/agents/nobody/saw").code()).isEqualTo("agent_not_found");
    assertThat(node.get("/v1/agents/nobody/replay").code()).isEqualTo("agent_not_found");
    assertThat(node.get("/v1/spaces/nowhere/seen/x").code()).isEqualTo("space_not_found");
    assertThat(node.get("/v1/agents/watcher/saw?from=yesterday").code())
        .isEqualTo("invalid_request");
    assertThat(node.get("/v1/agents/watcher/saw?cursor=x").code()).isEqualTo("invalid_request");
    assertThat(node.get("/v1/spaces/" + space + "/seen/x?revision=0").code())
        .isEqualTo("invalid_request");
  }
}
