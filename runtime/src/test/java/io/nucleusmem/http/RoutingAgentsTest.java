package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.HandOver;
import io.nucleusmem.http.TestNode.Answer;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.routing.NoChooser;
import io.nucleusmem.routing.Router;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.routing.RoutingSetup;
import io.nucleusmem.routing.Stage;
import io.nucleusmem.routing.WordTrainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What agents do with the router, and routers that users plug in. */
@Timeout(120)
class RoutingAgentsTest {
  private static final BlockingQueue<String> HEARD = new LinkedBlockingQueue<>();

  private static TestNode node;

  @BeforeAll
  static void start(@TempDir Path dir) {
    AgentType<String> desk =
        AgentType.of("desk", String.class, RoutingAgentsTest::desk)
            .inbox(mail -> mail.what().content().text());
    node =
        TestNode.routing(
            dir.resolve("data"), RoutingSetup.of(new WordTrainer(), NoChooser.NONE), List.of(desk));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @AfterEach
  void withdrawAll() {
    for (JsonNode route : node.get("/v1/routes").json().get("items")) {
      node.delete("/v1/routes/" + route.get("name").textValue());
    }
    HEARD.clear();
  }

  /** Does what it is told; what it is not told to do it has heard. */
  private static Behavior<String> desk(AgentContext<String> agent) {
    return Behaviors.receiveMessage(
        text -> {
          String[] words = text.split(" ", 3);
          switch (words[0]) {
            case "offer" ->
                agent.pipe(
                    agent.offer(words[1], false, "", List.of(words[2])),
                    (route, failure) -> failure == null ? "done offering" : "failed " + failure);
            case "withdraw" ->
                agent.pipe(
                    agent.withdraw(words[1]),
                    (done, failure) -> failure == null ? "done withdrawing" : "failed " + failure);
            case "hand" ->
                agent.pipe(
                    agent.handOver(
                        new HandOver(
                            words[1],
                            words[2],
                            List.of(AgentMount.of(agent.config().get("space"), Access.READ_ONLY)),
                            Content.text("take over " + words[2]))),
                    (sent, failure) -> failure == null ? "done handing" : "failed " + failure);
            default -> HEARD.add(agent.id() + ": " + text);
          }
          return Behaviors.same();
        });
  }

  private static String heard() throws InterruptedException {
    String heard = HEARD.poll(30, TimeUnit.SECONDS);
    if (heard == null) {
      throw new AssertionError("no agent has heard anything in 30 s");
    }
    return heard;
  }

  private static String spawn(String mounts, String space) {
    String id = TestNode.fresh("desk");
    Answer spawned =
        node.post(
            "/v1/agents",
            "{\"type\": \"desk\", \"id\": \"%s\", \"mounts\": [%s], \"config\": {\"space\": \"%s\"}}"
                .formatted(id, mounts, space));
    assertThat(spawned.status()).as(spawned.toString()).isEqualTo(201);
    return id;
  }

  private static String spawn() {
    return spawn("", "none");
  }

  private static void tell(String agent, String text) {
    Answer told = node.send("POST", "/v1/agents/" + agent + "/messages", text);
    assertThat(told.status()).as(told.toString()).isEqualTo(202);
  }

  private static JsonNode say(String text, String conversation) {
    Answer sent =
        node.post(
            "/v1/messages",
            "{\"to\": \"router\", \"text\": \"%s\", \"conversation\": \"%s\"}"
                .formatted(text, conversation));
    assertThat(sent.status()).as(sent.toString()).isEqualTo(202);
    return node.get("/v1/decisions/" + sent.json().get("decision").textValue()).json();
  }

  private static JsonNode say(String text) {
    return say(text, TestNode.fresh("talk"));
  }

  private static Routing routing() {
    return node.node().routing();
  }

  @Test
  void anAgentOffersWhatItTakesAndTakesItBack() throws InterruptedException {
    String agent = spawn();
    tell(agent, "offer refunds money back please");
    assertThat(heard()).isEqualTo(agent + ": done offering");
    assertThat(node.get("/v1/routes/refunds").json().get("owner").textValue())
        .isEqualTo("agent/" + agent);
    say("money back please");
    assertThat(heard()).isEqualTo(agent + ": money back please");

    String other = spawn();
    tell(other, "offer refunds give me my money");
    assertThat(heard()).startsWith(other + ": failed").contains("[agent/" + agent + "]'s");
    tell(other, "withdraw refunds");
    assertThat(heard()).startsWith(other + ": failed");

    tell(agent, "withdraw refunds");
    assertThat(heard()).isEqualTo(agent + ": done withdrawing");
    assertThat(say("money back please").get("stage").textValue()).isEqualTo("fallback");
  }

  @Test
  void aConversationIsHandedOverWithTheMountsItNeeds() throws InterruptedException {
    String space = node.space();
    String from = spawn("{\"space\": \"" + space + "\", \"access\": \"read_write\"}", space);
    String to = spawn();
    String talk = TestNode.fresh("talk");
    tell(from, "offer refunds money back please");
    assertThat(heard()).contains("done offering");
    say("money back please", talk);
    assertThat(heard()).isEqualTo(from + ": money back please");

    tell(from, "hand " + to + " " + talk);
    assertThat(List.of(heard(), heard()))
        .containsExactlyInAnyOrder(from + ": done handing", to + ": take over " + talk);
    JsonNode mounts = node.get("/v1/agents/" + to).json().get("mounts");
    assertThat(mounts).hasSize(1);
    assertThat(mounts.get(0).get("space").textValue()).isEqualTo(space);
    assertThat(mounts.get(0).get("access").textValue()).isEqualTo("read_only");

    JsonNode stays = say("money back please", talk);
    assertThat(heard()).isEqualTo(to + ": money back please");
    assertThat(stays.get("stage").textValue()).isEqualTo("sticky");
    assertThat(stays.get("reason").textValue()).contains("handed the conversation to [" + to);
    JsonNode all = node.get("/v1/decisions?limit=1000").json().get("items");
    JsonNode handOver = null;
    for (JsonNode decision : all) {
      if (decision.get("stage").textValue().equals("hand_over")) {
        handOver = decision.get("hand_over");
      }
    }
    assertThat(handOver).isNotNull();
    assertThat(handOver.get("to").textValue()).isEqualTo(to);
    assertThat(handOver.at("/mounts/0").textValue()).isEqualTo(space + " (read_only)");

    // neither what one does not have, nor a conversation that is with somebody else
    tell(from, "hand " + to + " " + talk);
    assertThat(heard()).startsWith(from + ": failed").contains("is with agent [" + to);
    String without = spawn("", space);
    tell(without, "hand " + to + " " + TestNode.fresh("talk"));
    assertThat(heard()).startsWith(without + ": failed").contains("cannot hand over");
  }

  @Test
  void anAgentOfATypeKeepsItsConversationAsLongAsItIsThere() throws InterruptedException {
    node.putJson(
        "/v1/routes/any",
        "{\"target\": {\"agent_type\": \"desk\"}, \"description\": \"money back please\"}");
    spawn();
    spawn();
    String talk = TestNode.fresh("talk");
    say("money back please", talk);
    String first = heard();
    say("thank you very much", talk);
    assertThat(heard().split(":")[0]).isEqualTo(first.split(":")[0]);
    node.delete("/v1/agents/" + first.split(":")[0]);
    assertThat(say("money back please", talk).get("stage").textValue()).isEqualTo("embedding");
    assertThat(heard().split(":")[0]).isNotEqualTo(first.split(":")[0]);
  }

  @Test
  void theRouterIsReplacedWhileItRuns() {
    String space = node.space();
    for (String name : new String[] {"left", "right"}) {
      node.putJson(
          "/v1/routes/" + name,
          "{\"target\": {\"space\": \"%s\", \"topic\": \"%s\"}, \"description\": \"go %s\"}"
              .formatted(space, name, name));
    }
    routing()
        .define(
            "contrary",
            (query, standard) ->
                standard
                    .route(query, standard)
                    .thenApply(
                        answer ->
                            Router.Answer.to(
                                answer.route().orElse("").equals("left") ? "right" : "left",
                                1,
                                Stage.HOOK,
                                answer.candidates(),
                                "the other way")));
    routing()
        .define(
            "broken",
            (query, standard) ->
                CompletableFuture.failedFuture(new IllegalStateException("out of order")));
    routing()
        .define(
            "lost",
            (query, standard) ->
                CompletableFuture.completedFuture(
                    Router.Answer.to("nowhere", 1, Stage.HOOK, List.of(), "lost")));
    assertThat(say("go left").get("route").textValue()).isEqualTo("left");

    use(Optional.of("contrary"));
    JsonNode other = say("go left");
    assertThat(other.get("route").textValue()).isEqualTo("right");
    assertThat(other.get("stage").textValue()).isEqualTo("hook");
    assertThat(other.get("router").textValue()).isEqualTo("contrary");
    for (String broken : new String[] {"broken", "lost", "no.such.Class"}) {
      use(Optional.of(broken));
      JsonNode decision = say("go left");
      assertThat(decision.get("route").textValue()).as(broken).isEqualTo("left");
      assertThat(decision.get("reason").textValue()).contains("router [" + broken + "] failed");
    }
    use(Optional.empty());
    assertThat(say("go left").get("router").textValue()).isEqualTo("standard");
  }

  private static void use(Optional<String> router) {
    routing().use(Principal.LOCAL, router).toCompletableFuture().join();
  }

  @Test
  void whatComesToATopicWithARouterIsRouted() {
    String space = node.space();
    node.putJson(
        "/v1/routes/left",
        "{\"target\": {\"space\": \"%s\", \"topic\": \"left\"}, \"description\": \"go left\"}"
            .formatted(space));
    routing().hook(Principal.LOCAL, space, "in", Optional.empty()).toCompletableFuture().join();
    Answer published =
        node.send(
            "POST",
            "/v1/spaces/" + space + "/topics/in/messages",
            "go left",
            "Content-Type",
            "text/plain");
    assertThat(published.status()).as(published.toString()).isEqualTo(201);
    String source = published.json().get("id").textValue();
    String query = "/v1/decisions?message=" + Percent.encodePath(source).replace("/", "%2F");
    TestNode.eventually(() -> node.get(query).json().get("items").size() == 1);
    JsonNode decision = node.get(query).json().at("/items/0");
    assertThat(decision.get("source").textValue()).isEqualTo(source);
    assertThat(decision.at("/deliveries/0/to").textValue()).isEqualTo("topic/" + space + "/left");
    Answer moved = node.get("/v1/spaces/" + space + "/topics/left/messages?values=true");
    assertThat(moved.json().at("/items/0/value").textValue()).isEqualTo("go left");
    routing().unhook(Principal.LOCAL, space, "in").toCompletableFuture().join();
  }
}
