package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.http.TestNode.Answer;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.routing.NoChooser;
import io.nucleusmem.routing.RoutingSetup;
import io.nucleusmem.routing.WordTrainer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** G9 over HTTP: by no call is an inbox shown to who has sent to one. */
@Timeout(120)
class InboxAccessTest {
  private static final String[] ADMIN = {"Authorization", "Bearer admin-token-0123456789"};
  private static final String[] ALICE = {"Authorization", "Bearer alice-token-0123456789"};
  private static final String[] BOB = {"Authorization", "Bearer bob-token-0123456789"};

  private static TestNode node;
  private static String space;
  private static String sentAt;

  @BeforeAll
  static void start(@TempDir Path dir) {
    AgentType<String> echo =
        AgentType.of("echo", String.class, InboxAccessTest::echo)
            .inbox(mail -> mail.what().sender() + ": " + mail.what().content().text());
    node =
        TestNode.routing(
            dir.resolve("data"),
            RoutingSetup.of(new WordTrainer(), NoChooser.NONE),
            List.of(echo),
            """
            nucleusmem.http.tokens = [
              { token = "admin-token-0123456789", principal = operator, role = admin }
              { token = "alice-token-0123456789", principal = alice, role = agent }
              { token = "bob-token-0123456789", principal = bob, role = agent }
            ]""");
    space = TestNode.fresh("space");
    node.post("/v1/spaces", "{\"name\": \"%s\", \"kind\": \"shared\"}".formatted(space), ALICE);
    for (String id : List.of("hers", "open")) {
      Answer spawned =
          node.post(
              "/v1/agents",
              """
              {"type": "echo", "id": "%s", "config": {"space": "%s"},
               "mounts": [{"space": "%s", "access": "read_write"}]}"""
                  .formatted(id, space, space),
              ALICE);
      assertThat(spawned.status()).as(spawned.toString()).isEqualTo(201);
    }
    send("hers", "the secret", ALICE);
    send("open", "hello", BOB);
  }

  /** Writes down who told it what. */
  private static Behavior<String> echo(AgentContext<String> agent) {
    return Behaviors.receiveMessage(
        text -> {
          agent.space(agent.config().get("space")).put(EntryKey.of(agent.id()), Content.text(text));
          return Behaviors.same();
        });
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static void send(String agent, String text, String... who) {
    Answer sent =
        node.post(
            "/v1/messages", "{\"to\": \"agent/%s\", \"text\": \"%s\"}".formatted(agent, text), who);
    assertThat(sent.status()).as(sent.toString()).isEqualTo(202);
    sentAt = sent.json().get("at").textValue();
    TestNode.eventually(
        () -> node.get("/v1/spaces/" + space + "/entries/" + agent, ALICE).text().endsWith(text));
  }

  private static void hidden(Answer answer) {
    assertThat(answer.status()).as(answer.toString()).isIn(403, 404);
    assertThat(answer.text()).doesNotContain("secret");
  }

  @Test
  void theSenderIsTheAuthor() {
    assertThat(node.get("/v1/spaces/" + space + "/entries/open", ALICE).text())
        .isEqualTo("bob: hello");
  }

  @Test
  void noReadOfTheSpaceOfInboxesIsAnsweredToASender() {
    for (String path :
        List.of(
            "",
            "/topics",
            "/topics/inbox.hers/messages?values=true",
            "/topics/inbox.hers/messages/1",
            "/topics/inbox.hers/watch?from=1",
            "/topics/inbox.hers/subscriptions/x",
            "/entries?values=true",
            "/entries/agent/hers",
            "/history/agent/hers",
            "/watch?from=1",
            "/diff?from=1&until=2",
            "/mounts",
            "/bookmarks/x",
            "/export",
            "/seen/inbox.hers?messages=true&revision=1")) {
      hidden(node.get("/v1/spaces/agents" + path, BOB));
    }
    hidden(node.get("/v1/containment?space=agents&key=inbox.hers&revision=1&messages=true", BOB));
    hidden(node.get("/v1/agents/hers/saw", BOB));
    hidden(node.get("/v1/agents/hers/replay", BOB));
    for (String what : List.of("spaces", "mounts")) {
      Answer then = node.get("/v1/as-of/" + sentAt + "/" + what, BOB);
      assertThat(then.status()).as(then.toString()).isEqualTo(200);
      assertThat(then.text()).doesNotContain("inbox", "\"agents\"");
    }
    assertThat(node.get("/v1/spaces", BOB).text()).doesNotContain("\"agents\"");
  }

  @Test
  void noWriteToTheSpaceOfInboxesIsTakenFromASender() {
    String spaces = "/v1/spaces/agents";
    hidden(
        node.post("/v1/messages", "{\"to\": \"topic/agents/inbox.hers\", \"text\": \"x\"}", BOB));
    hidden(node.send("POST", spaces + "/topics/inbox.hers/messages", "x", BOB));
    hidden(node.putJson(spaces + "/topics/inbox.hers/subscriptions/x", "{}", BOB));
    hidden(
        node.post(
            spaces + "/topics/inbox.hers/subscriptions/x/pull",
            "{\"max\": 1, \"wait_ms\": 0}",
            BOB));
    hidden(node.put(spaces + "/entries/agent/hers", "x", BOB));
    hidden(
        node.post(
            spaces + "/claims", "{\"prefix\": \"\", \"worker\": \"w\", \"lease_ms\": 1000}", BOB));
    hidden(node.post(spaces + "/forks", "{\"name\": \"mine\", \"at\": 1}", BOB));
    hidden(node.post(spaces + "/mounts", "{\"access\": \"read_only\"}", BOB));
    hidden(node.delete(spaces, BOB));
    hidden(
        node.putJson(
            "/v1/routes/steal",
            """
            {"target": {"space": "agents", "topic": "inbox.hers"}, "description": "all",
             "examples": ["all"]}""",
            BOB));
  }

  @Test
  void noMountOfTheSpaceOfInboxesOpensToAnother() {
    for (var mount : node.get("/v1/spaces/agents/mounts", ADMIN).json().get("items")) {
      assertThat(mount.get("holder").textValue()).doesNotContain("bob", "alice");
      String id = mount.get("mount").textValue();
      String[] through = {BOB[0], BOB[1], "Nucleus-Mount", id};
      hidden(node.get("/v1/spaces/agents/topics/inbox.hers/messages?values=true", through));
      hidden(node.get("/v1/mounts/" + id, BOB));
      hidden(node.delete("/v1/mounts/" + id, BOB));
    }
  }

  @Test
  void anotherPrincipalsAgentIsNeitherStoppedNorSwitched() {
    Answer stopped = node.delete("/v1/agents/hers", BOB);
    assertThat(stopped.status()).as(stopped.toString()).isEqualTo(403);
    assertThat(stopped.code()).isEqualTo("forbidden");
    assertThat(node.putJson("/v1/agents/hers/mounts", "{\"mounts\": []}", BOB).code())
        .isEqualTo("forbidden");
    assertThat(node.get("/v1/agents/hers", ALICE).json().get("mounts")).hasSize(1);
  }
}
