package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.http.TestNode.Answer;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Agents over HTTP: the middle of section 7 of the contract. */
@Timeout(120)
class AgentsHttpTest {
  private static TestNode node;

  @BeforeAll
  static void start(@TempDir Path dir) {
    AgentType<String> echo =
        AgentType.of("echo", String.class, AgentsHttpTest::echo)
            .inbox(mail -> mail.what().content().text());
    node = TestNode.hosting(dir.resolve("data"), echo);
  }

  /** Writes down what it is told. */
  private static Behavior<String> echo(AgentContext<String> agent) {
    return Behaviors.receiveMessage(
        text -> {
          agent.space(agent.config().get("space")).put(EntryKey.of("told"), Content.text(text));
          return Behaviors.same();
        });
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @Test
  void typesAreListed() {
    JsonNode items = node.get("/v1/agent-types").json().get("items");
    assertThat(items).hasSize(1);
    assertThat(items.get(0).get("type").textValue()).isEqualTo("echo");
    assertThat(items.get(0).get("instances").isIntegralNumber()).isTrue();
    assertThat(items.get(0).get("nodes")).hasSize(1);
  }

  @Test
  void unknownTypesAndAgentsAreNamed() {
    Answer type = node.post("/v1/agents", "{\"type\": \"ecko\", \"mounts\": []}");
    assertThat(type.status()).isEqualTo(404);
    assertThat(type.code()).isEqualTo("unknown_agent_type");
    assertThat(type.text()).contains("echo");
    for (Answer answer :
        new Answer[] {
          node.get("/v1/agents/nobody"),
          node.delete("/v1/agents/nobody"),
          node.send("POST", "/v1/agents/nobody/messages", "x"),
          node.putJson("/v1/agents/nobody/mounts", "{\"mounts\": []}")
        }) {
      assertThat(answer.status()).as(answer.toString()).isEqualTo(404);
      assertThat(answer.code()).isEqualTo("agent_not_found");
    }
  }

  @Test
  void anAgentIsSpawnedDescribedSwitchedAndStopped() {
    String one = node.space();
    String two = node.space();
    Answer spawned =
        node.post(
            "/v1/agents",
            """
            {"type": "echo", "id": "e-1", "mounts": [{"space": "%s", "access": "read_write"}],
             "config": {"space": "%s"}}"""
                .formatted(one, one));
    assertThat(spawned.status()).as(spawned.toString()).isEqualTo(201);
    assertThat(spawned.header("Location")).isEqualTo("/v1/agents/e-1");
    Answer again = node.post("/v1/agents", "{\"type\": \"echo\", \"id\": \"e-1\", \"mounts\": []}");
    assertThat(again.code()).isEqualTo("agent_exists");

    JsonNode agent = node.get("/v1/agents/e-1").json();
    assertThat(agent.get("type").textValue()).isEqualTo("echo");
    assertThat(agent.get("state").textValue()).isEqualTo("running");
    assertThat(agent.get("node").textValue()).startsWith("akka://");
    assertThat(agent.get("mounts").get(0).get("space").textValue()).isEqualTo(one);
    assertThat(agent.get("restarts").intValue()).isZero();
    assertThat(agent.get("cursors").isObject()).isTrue();
    assertThat(agent.get("config").get("space").textValue()).isEqualTo(one);
    assertThat(node.get("/v1/agents").text()).contains("\"e-1\"");

    Answer sent =
        node.send("POST", "/v1/agents/e-1/messages", "hello", "Content-Type", "text/plain");
    assertThat(sent.status()).as(sent.toString()).isEqualTo(202);
    assertThat(sent.json().get("id").textValue()).isNotEmpty();
    assertThat(sent.json().get("revision").isIntegralNumber()).isTrue();

    TestNode.eventually(
        () -> node.get("/v1/spaces/" + one + "/entries/told").text().equals("hello"));
    assertThat(node.get("/v1/spaces/" + one + "/entries/told").header("Nucleus-Author"))
        .isEqualTo("agent/e-1");

    Answer switched =
        node.putJson(
            "/v1/agents/e-1/mounts",
            "{\"mounts\": [{\"space\": \"%s\", \"access\": \"read_only\"}]}".formatted(two));
    assertThat(switched.status()).as(switched.toString()).isEqualTo(200);
    JsonNode mounts = node.get("/v1/agents/e-1").json().get("mounts");
    assertThat(mounts).hasSize(1);
    assertThat(mounts.get(0).get("space").textValue()).isEqualTo(two);
    assertThat(mounts.get(0).get("access").textValue()).isEqualTo("read_only");

    assertThat(node.delete("/v1/agents/e-1").status()).isEqualTo(204);
    Answer stopped = node.get("/v1/agents/e-1");
    assertThat(stopped.status() == 404 || stopped.text().contains("stopped"))
        .as(stopped.toString())
        .isTrue();
  }

  @Test
  void aTypeIsScaled() {
    String space = node.space();
    String mounts = "[{\"space\": \"%s\", \"access\": \"read_only\"}]".formatted(space);
    Answer scaled =
        node.post("/v1/agent-types/echo/scale", "{\"instances\": 3, \"mounts\": " + mounts + "}");
    assertThat(scaled.status()).as(scaled.toString()).isEqualTo(200);
    assertThat(scaled.json().get("items")).hasSize(3);
    assertThat(node.get("/v1/agents/echo-3").status()).isEqualTo(200);
    assertThat(node.post("/v1/agent-types/echo/scale", "{\"instances\": 0}").status())
        .isEqualTo(200);
    assertThat(node.post("/v1/agent-types/none/scale", "{\"instances\": 1}").code())
        .isEqualTo("unknown_agent_type");
    assertThat(node.post("/v1/agent-types/echo/scale", "{\"instances\": -1}").code())
        .isEqualTo("invalid_request");
  }

  @Test
  void theSameKeySpawnsOneAgent() {
    String[] key = {"Idempotency-Key", "spawn-0123456789ab"};
    String spawn = "{\"type\": \"echo\", \"mounts\": []}";
    Answer first = node.post("/v1/agents", spawn, key);
    Answer again = node.post("/v1/agents", spawn, key);
    assertThat(first.status()).as(first.toString()).isEqualTo(201);
    assertThat(again.json().get("id")).isEqualTo(first.json().get("id"));
    assertThat(again.header("Nucleus-Replayed")).isEqualTo("true");
  }

  @Test
  void g4TheSameKeySpawnsOneAgentAlsoAfterARestart() {
    String[] key = {"Idempotency-Key", "spawn-restart-0123456789"};
    String spawn = "{\"type\": \"echo\", \"id\": \"once-1\", \"mounts\": []}";
    assertThat(node.post("/v1/agents", spawn, key).status()).isEqualTo(201);
    node.restart();
    Answer again = node.post("/v1/agents", spawn, key);
    assertThat(again.status()).as(again.toString()).isEqualTo(201);
    assertThat(again.json().get("id").textValue()).isEqualTo("once-1");
    assertThat(node.post("/v1/agents", spawn).code()).isEqualTo("agent_exists");
    String[] other = {"Idempotency-Key", "spawn-another-0123456789"};
    assertThat(node.post("/v1/agents", spawn, other).code()).isEqualTo("agent_exists");
    node.restart();
    String configured = spawn.replace("\"mounts\": []", "\"config\": {\"a\": \"b\"}");
    assertThat(node.post("/v1/agents", configured, key).code()).isEqualTo("idempotency_key_reused");
  }
}
