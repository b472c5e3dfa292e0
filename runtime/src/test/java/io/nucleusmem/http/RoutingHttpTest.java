package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.javadsl.Behaviors;
import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.http.TestNode.Answer;
import io.nucleusmem.routing.NoChooser;
import io.nucleusmem.routing.RoutingSetup;
import io.nucleusmem.routing.WordTrainer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Routes, messages and decisions over HTTP: section 8 of the contract. */
@Timeout(120)
class RoutingHttpTest {
  private static final String UNROUTED = "/v1/spaces/nucleusmem.unrouted/topics/messages/messages";

  private static TestNode node;

  @BeforeAll
  static void start(@TempDir Path dir) {
    AgentType<String> clerk =
        AgentType.of("clerk", String.class, context -> Behaviors.<String>ignore())
            .inbox(mail -> mail.what().content().text());
    node =
        TestNode.routing(
            dir.resolve("data"),
            RoutingSetup.of(new WordTrainer(), NoChooser.NONE),
            List.of(clerk));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  /** Routes are the cluster's: what one test leaves would be another's candidates. */
  @AfterEach
  void withdrawAll() {
    for (JsonNode route : node.get("/v1/routes").json().get("items")) {
      node.delete("/v1/routes/" + route.get("name").textValue());
    }
  }

  /**
   * The space for what no route takes is made by its first message; only who mounts it reads it.
   */
  private static Answer unrouted(String path) {
    String mount =
        node.post("/v1/spaces/nucleusmem.unrouted/mounts", "{\"access\": \"read_only\"}")
            .json()
            .get("mount")
            .textValue();
    return node.get(UNROUTED + path, "Nucleus-Mount", mount);
  }

  private static String toTopic(String space, String topic, String... examples) {
    return "{\"target\": {\"space\": \"%s\", \"topic\": \"%s\"}, \"description\": \"\", \"examples\": [%s]}"
        .formatted(space, topic, quoted(examples));
  }

  private static String toAgent(String agent, String... examples) {
    return "{\"target\": {\"agent\": \"%s\"}, \"description\": \"\", \"examples\": [%s]}"
        .formatted(agent, quoted(examples));
  }

  private static String quoted(String... texts) {
    return "\"" + String.join("\", \"", texts) + "\"";
  }

  private static Answer say(String text, String... headers) {
    return node.post(
        "/v1/messages", "{\"to\": \"router\", \"text\": \"%s\"}".formatted(text), headers);
  }

  private static JsonNode decisionOf(Answer sent) {
    return node.get("/v1/decisions/" + sent.json().get("decision").textValue()).json();
  }

  private static String clerk() {
    String id = TestNode.fresh("clerk");
    Answer spawned =
        node.post("/v1/agents", "{\"type\": \"clerk\", \"id\": \"" + id + "\", \"mounts\": []}");
    assertThat(spawned.status()).as(spawned.toString()).isEqualTo(201);
    return id;
  }

  private static List<String> texts(JsonNode items, String field) {
    return StreamSupport.stream(items.spliterator(), false)
        .map(item -> item.path(field).isNull() ? "null" : item.path(field).asText())
        .toList();
  }

  @Test
  void aRouteIsRegisteredChangedReadAndWithdrawn() {
    String space = node.space();
    Answer created = node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    assertThat(created.status()).as(created.toString()).isEqualTo(201);
    assertThat(created.header("Location")).isEqualTo("/v1/routes/refunds");
    long first = created.json().get("revision").longValue();

    Answer changed = node.putJson("/v1/routes/refunds", toTopic(space, "r", "refund my order"));
    assertThat(changed.status()).isEqualTo(200);
    JsonNode now = node.get("/v1/routes/refunds").json();
    assertThat(now.get("name").textValue()).isEqualTo("refunds");
    assertThat(now.at("/target/topic").textValue()).isEqualTo("r");
    assertThat(texts(now.get("examples"), "")).hasSize(1);
    assertThat(now.get("owner").textValue()).isEqualTo("local");
    JsonNode then = node.get("/v1/routes/refunds?as_of=" + first).json();
    assertThat(then.at("/examples/0").textValue()).isEqualTo("money back please");

    Answer page = node.get("/v1/routes?limit=10");
    assertThat(texts(page.json().get("items"), "name")).containsExactly("refunds");
    assertThat(page.json().get("next").isNull()).isTrue();

    assertThat(node.delete("/v1/routes/refunds").status()).isEqualTo(204);
    for (Answer gone :
        new Answer[] {node.get("/v1/routes/refunds"), node.delete("/v1/routes/refunds")}) {
      assertThat(gone.status()).isEqualTo(404);
      assertThat(gone.code()).isEqualTo("route_not_found");
    }
    assertThat(node.get("/v1/routes/refunds?as_of=" + first).status()).isEqualTo(200);
  }

  @Test
  void whatARouteCannotBeIsNamed() {
    for (String target :
        new String[] {
          "{\"agent\": \"nobody\"}",
          "{\"agent_type\": \"nothing\"}",
          "{\"space\": \"nowhere\", \"topic\": \"t\"}"
        }) {
      Answer unknown =
          node.putJson(
              "/v1/routes/x", "{\"target\": " + target + ", \"description\": \"anything\"}");
      assertThat(unknown.status()).as(unknown.toString()).isEqualTo(404);
      assertThat(unknown.code()).isEqualTo("unknown_target");
    }
    for (String body :
        new String[] {
          "{\"description\": \"no target\"}",
          "{\"target\": {}, \"description\": \"none\"}",
          "{\"target\": {\"agent\": \"a\", \"agent_type\": \"b\"}, \"description\": \"two\"}",
          "{\"target\": {\"space\": \"s\"}, \"description\": \"half\"}",
          "{\"target\": {\"agent\": \"a\"}, \"description\": \" \", \"examples\": []}",
          "{\"target\": {\"agent\": \"a\"}, \"description\": \"\", \"examples\": [\"\"]}",
          "{\"target\": {\"agent\": \"a\"}, \"description\": \"d\", \"weight\": 3}"
        }) {
      Answer refused = node.putJson("/v1/routes/x", body);
      assertThat(refused.status()).as(body + refused).isEqualTo(400);
      assertThat(refused.code()).isEqualTo("invalid_request");
    }
    Answer name = node.putJson("/v1/routes/.x", toAgent("a", "b"));
    assertThat(name.status()).isEqualTo(400);
    assertThat(name.json().get("field").textValue()).isEqualTo("name");
  }

  @Test
  void theDryRunTellsWhereATextWouldGoAndWouldHaveGone() {
    String space = node.space();
    node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    Answer second = node.putJson("/v1/routes/shipping", toTopic(space, "s", "where is my parcel"));
    long before = second.json().get("revision").longValue() - 1;

    JsonNode clear = node.post("/v1/route", "{\"text\": \"where is my parcel\"}").json();
    assertThat(clear.get("route").textValue()).isEqualTo("shipping");
    assertThat(clear.get("score").doubleValue()).isEqualTo(1.0);
    assertThat(clear.get("stage").textValue()).isEqualTo("embedding");
    assertThat(texts(clear.get("candidates"), "route")).containsExactly("shipping", "refunds");
    assertThat(clear.get("reason").textValue()).isNotEmpty();
    assertThat(clear.get("latency_ms").isIntegralNumber()).isTrue();
    assertThat(clear.has("model")).isFalse();

    JsonNode past =
        node.post("/v1/route", "{\"text\": \"where is my parcel\", \"as_of\": \"" + before + "\"}")
            .json();
    assertThat(past.get("route").isNull()).isTrue();
    assertThat(past.get("stage").textValue()).isEqualTo("fallback");
    assertThat(texts(past.get("candidates"), "route")).containsExactly("refunds");

    JsonNode one =
        node.post("/v1/route", "{\"text\": \"where is my parcel\", \"limit\": 1}").json();
    assertThat(one.get("candidates")).hasSize(1);
    for (String body :
        new String[] {
          "{}",
          "{\"text\": \" \"}",
          "{\"text\": \"x\", \"limit\": 0}",
          "{\"text\": \"x\", \"limit\": 33}",
          "{\"text\": \"x\", \"as_of\": \"yesterday\"}"
        }) {
      Answer refused = node.post("/v1/route", body);
      assertThat(refused.status()).as(body + refused).isEqualTo(400);
    }
    assertThat(
            node.post("/v1/route", "{\"text\": \"x\", \"as_of\": \"2999-01-01T00:00:00Z\"}").code())
        .isEqualTo("as_of_in_future");
  }

  @Test
  void aMessageToTheRouterArrivesAndTellsWhy() {
    String space = node.space();
    node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    Answer sent = say("money back please");
    assertThat(sent.status()).as(sent.toString()).isEqualTo(202);
    long revision = sent.json().get("revision").longValue();
    String id = sent.json().get("id").textValue();

    Answer message = node.get("/v1/spaces/" + space + "/topics/r/messages?values=true");
    JsonNode item = message.json().at("/items/0");
    assertThat(item.get("id").textValue()).isEqualTo(id);
    assertThat(item.get("revision").longValue()).isEqualTo(revision);
    assertThat(item.get("value").textValue()).isEqualTo("money back please");
    assertThat(item.at("/metadata/route").textValue()).isEqualTo("refunds");
    assertThat(item.at("/metadata/sender").textValue()).isEqualTo("local");

    JsonNode decision = decisionOf(sent);
    assertThat(decision.get("message").textValue()).isEqualTo(id);
    assertThat(decision.get("message_revision").longValue()).isEqualTo(revision);
    assertThat(decision.get("route").textValue()).isEqualTo("refunds");
    assertThat(decision.get("text").textValue()).isEqualTo("money back please");
    assertThat(decision.get("stage").textValue()).isEqualTo("embedding");
    assertThat(decision.at("/deliveries/0/to").textValue()).isEqualTo("topic/" + space + "/r");
    JsonNode byMessage =
        node.get("/v1/decisions?message=" + Percent.encodePath(id).replace("/", "%2F")).json();
    assertThat(texts(byMessage.get("items"), "id")).containsExactly(decision.get("id").textValue());
  }

  @Test
  void aMessageToAnAgentComesIntoItsInbox() {
    String agent = clerk();
    node.putJson("/v1/routes/accounts", toAgent(agent, "change my password"));
    Answer sent = say("change my password");
    assertThat(sent.status()).isEqualTo(202);
    assertThat(sent.json().get("id").textValue()).startsWith("inbox." + agent + "/");
    assertThat(decisionOf(sent).at("/deliveries/0/to").textValue()).isEqualTo("agent/" + agent);
  }

  @Test
  void namedTargetsNeedNoRouterAndNoDecision() {
    String agent = clerk();
    String space = node.space();
    for (String to : new String[] {"agent/" + agent, "topic/" + space + "/t"}) {
      Answer sent = node.post("/v1/messages", "{\"to\": \"" + to + "\", \"text\": \"hi\"}");
      assertThat(sent.status()).as(sent.toString()).isEqualTo(202);
      assertThat(sent.json().get("decision").isNull()).isTrue();
      assertThat(sent.json().get("revision").longValue()).isEqualTo(1);
    }
    assertThat(node.post("/v1/messages", "{\"to\": \"agent/nobody\", \"text\": \"hi\"}").code())
        .isEqualTo("agent_not_found");
    for (String body :
        new String[] {
          "{\"to\": \"somebody\", \"text\": \"x\"}",
          "{\"to\": \"topic/space\", \"text\": \"x\"}",
          "{\"text\": \"x\"}",
          "{\"to\": \"router\"}",
          "{\"to\": \"router\", \"text\": \"x\", \"value_base64\": \"eA==\"}",
          "{\"to\": \"router\", \"value_base64\": \"%\"}",
          "{\"to\": \"router\", \"text\": \"x\", \"conversation\": \"\"}"
        }) {
      Answer refused = node.post("/v1/messages", body);
      assertThat(refused.status()).as(body + refused).isEqualTo(400);
    }
  }

  @Test
  void bytesArriveAsTheyWereAndAreRoutedIfTheyAreText() {
    String space = node.space();
    node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    byte[] text = "money back please".getBytes(StandardCharsets.UTF_8);
    Answer sent = sendBytes(text);
    assertThat(decisionOf(sent).get("route").textValue()).isEqualTo("refunds");
    Answer noText = sendBytes(new byte[] {(byte) 0xFF, 0, 1});
    assertThat(noText.status()).isEqualTo(202);
    JsonNode decision = decisionOf(noText);
    assertThat(decision.get("route").isNull()).isTrue();
    assertThat(decision.get("stage").textValue()).isEqualTo("fallback");
    assertThat(decision.get("reason").textValue()).contains("no text");
    Answer kept = unrouted("/" + noText.json().get("revision"));
    assertThat(kept.bytes()).containsExactly(0xFF, 0, 1);
  }

  private static Answer sendBytes(byte[] bytes) {
    return node.post(
        "/v1/messages",
        "{\"to\": \"router\", \"value_base64\": \"%s\"}"
            .formatted(Base64.getEncoder().encodeToString(bytes)));
  }

  @Test
  void whatNoRouteTakesIsKeptWithTheReason() {
    Answer none = say("anything at all");
    assertThat(none.status()).as(none.toString()).isEqualTo(202);
    assertThat(decisionOf(none).get("reason").textValue()).contains("no routes");
    String space = node.space();
    node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    Answer other = say("quantum chromodynamics lecture");
    JsonNode decision = decisionOf(other);
    assertThat(decision.get("stage").textValue()).isEqualTo("fallback");
    assertThat(decision.get("route").isNull()).isTrue();
    assertThat(decision.get("reason").textValue()).contains("no language model is configured");
    JsonNode kept = unrouted("?order=desc&values=true").json().at("/items/0");
    assertThat(kept.get("id").textValue()).isEqualTo(other.json().get("id").textValue());
    assertThat(kept.get("value").textValue()).isEqualTo("quantum chromodynamics lecture");
    assertThat(kept.at("/metadata/routing-reason").textValue()).contains("no route fits");
  }

  private static String message(String text, String conversation) {
    return "{\"to\": \"router\", \"text\": \"%s\", \"conversation\": \"%s\"}"
        .formatted(text, conversation);
  }

  @Test
  void aRequestIdIsNotTakenForAMessageThatDiffersAnywhere() {
    String space = node.space();
    node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    String longText = "money back please ".repeat(1_000); // more than the router looks at
    String key = "01234567890123456789-" + space;
    String[] header = {"Idempotency-Key", key};
    assertThat(node.post("/v1/messages", message(longText, "c"), header).status()).isEqualTo(202);
    for (String other : new String[] {message(longText + "now", "c"), message(longText, "d")}) {
      Answer reused = node.post("/v1/messages", other, header);
      assertThat(reused.status()).as(reused.toString()).isEqualTo(422);
      assertThat(reused.code()).isEqualTo("idempotency_key_reused");
    }
    assertThat(node.post("/v1/messages", message(longText, "c"), header).header("Nucleus-Replayed"))
        .isEqualTo("true");
  }

  @Test
  void aRequestThatMayHaveBeenForgottenIsRefusedAndDecidesNothing() {
    String old = "01000000-0000-7000-8000-000000000000"; // made in 2004
    String word = TestNode.fresh("old");
    Answer refused = say(word, "Idempotency-Key", old);
    assertThat(refused.status()).as(refused.toString()).isEqualTo(409);
    assertThat(refused.code()).isEqualTo("request_too_old");
    assertThat(texts(node.get("/v1/decisions?limit=1000").json().get("items"), "text"))
        .doesNotContain(word);
  }

  @Test
  void aMessageThatNoTopicTakesIsRefusedAndDecidesNothing() {
    String word = TestNode.fresh("large");
    Answer refused = say(word + " ".repeat(1 << 20));
    assertThat(refused.status()).as(refused.toString()).isEqualTo(413);
    assertThat(refused.code()).isEqualTo("too_large");
    assertThat(texts(node.get("/v1/decisions?limit=1000").json().get("items"), "text"))
        .noneMatch(text -> text.startsWith(word));
  }

  @Test
  void aRequestThatIsSentAgainLeavesItsConversationWhereItIsNow() {
    String space = node.space();
    node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    node.putJson("/v1/routes/shipping", toTopic(space, "s", "where is my parcel"));
    String conversation = TestNode.fresh("conversation");
    String[] header = {"Idempotency-Key", "01234567890123456789-" + space};
    Answer first = node.post("/v1/messages", message("money back please", conversation), header);
    Answer moved = node.post("/v1/messages", message("where is my parcel", conversation));
    assertThat(decisionOf(moved).get("route").textValue()).isEqualTo("shipping");
    Answer again = node.post("/v1/messages", message("money back please", conversation), header);
    assertThat(again.json()).isEqualTo(first.json());
    Answer next = node.post("/v1/messages", message(" ", conversation));
    assertThat(decisionOf(next).get("route").textValue()).isEqualTo("shipping");
  }

  @Test
  void theRoutesOfAnInstantAreThoseOfThen() {
    String space = node.space();
    String then =
        node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"))
            .json()
            .get("at")
            .textValue();
    Answer before = node.get("/v1/as-of/2020-01-01T00:00:00Z/routes");
    assertThat(before.json().get("items")).isEmpty();
    Answer routes = node.get("/v1/as-of/" + then + "/routes");
    assertThat(routes.status()).as(routes.toString()).isEqualTo(200);
    assertThat(texts(routes.json().get("items"), "name")).containsExactly("refunds");
    assertThat(node.get("/v1/as-of/2100-01-01T00:00:00Z/routes").code())
        .isEqualTo("as_of_in_future");
  }

  @Test
  void aRequestThatIsSentAgainIsRoutedOnce() {
    String space = node.space();
    node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    String key = "01234567890123456789-" + space;
    Answer first = say("money back please", "Idempotency-Key", key);
    node.delete("/v1/routes/refunds");
    Answer again = say("money back please", "Idempotency-Key", key);
    assertThat(again.status()).isEqualTo(202);
    assertThat(again.header("Nucleus-Replayed")).isEqualTo("true");
    assertThat(again.json()).isEqualTo(first.json());
    Answer messages = node.get("/v1/spaces/" + space + "/topics/r/messages");
    assertThat(messages.json().get("items")).hasSize(1);
    Answer reused = say("something else", "Idempotency-Key", key);
    assertThat(reused.status()).isEqualTo(422);
    assertThat(reused.code()).isEqualTo("idempotency_key_reused");
  }

  @Test
  void decisionsAreListedByRouteAndTimeAndReplayedWithTodaysRoutes() {
    String space = node.space();
    node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    JsonNode first = decisionOf(say("money back please"));
    JsonNode second = decisionOf(say("please money back"));
    JsonNode other = decisionOf(say("hello"));
    String from = first.get("at").textValue();
    JsonNode listed = node.get("/v1/decisions?route=refunds&limit=1&from=" + from).json();
    assertThat(texts(listed.get("items"), "id")).containsExactly(first.get("id").textValue());
    JsonNode rest =
        node.get(
                "/v1/decisions?route=refunds&limit=1&from=%s&cursor=%s"
                    .formatted(from, listed.get("next").textValue()))
            .json();
    assertThat(texts(rest.get("items"), "id")).containsExactly(second.get("id").textValue());
    assertThat(rest.get("next").isNull()).isTrue();
    assertThat(texts(node.get("/v1/decisions?from=" + from).json().get("items"), "id"))
        .contains(first.get("id").textValue(), other.get("id").textValue());
    assertThat(node.get("/v1/decisions?until=2020-01-01T00:00:00Z").json().get("items")).isEmpty();

    node.delete("/v1/routes/refunds");
    node.putJson("/v1/routes/money", toTopic(space, "m", "money back please"));
    JsonNode differs =
        node.post("/v1/decisions/replay", "{\"from\": \"" + from + "\"}").json().get("items");
    assertThat(texts(differs, "message"))
        .containsExactly(first.get("message").textValue(), second.get("message").textValue());
    assertThat(texts(differs, "then")).containsOnly("refunds");
    assertThat(texts(differs, "now")).containsOnly("money");
    Answer unknown = node.get("/v1/decisions/0123");
    assertThat(unknown.status()).isEqualTo(404);
    assertThat(unknown.code()).isEqualTo("decision_not_found");
  }

  @Test
  void aConversationStaysUntilSomethingElseIsClearlyMeant() {
    String space = node.space();
    node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    node.putJson("/v1/routes/shipping", toTopic(space, "s", "where is my parcel"));
    String talk = TestNode.fresh("talk");
    assertThat(inConversation(talk, "money back please").get("route").textValue())
        .isEqualTo("refunds");
    JsonNode follows = inConversation(talk, "thank you very much");
    assertThat(follows.get("route").textValue()).isEqualTo("refunds");
    assertThat(follows.get("stage").textValue()).isEqualTo("sticky");
    JsonNode moves = inConversation(talk, "where is my parcel");
    assertThat(moves.get("route").textValue()).isEqualTo("shipping");
    assertThat(moves.get("reason").textValue()).contains("moves from [refunds]");
    JsonNode elsewhere = inConversation(TestNode.fresh("talk"), "thank you very much");
    assertThat(elsewhere.get("stage").textValue()).isEqualTo("fallback");
  }

  private static JsonNode inConversation(String conversation, String text) {
    return decisionOf(
        node.post(
            "/v1/messages",
            "{\"to\": \"router\", \"text\": \"%s\", \"conversation\": \"%s\"}"
                .formatted(text, conversation)));
  }

  @Test
  void aLongTextAndOneInAnotherLanguageArriveWhole() {
    String space = node.space();
    node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    String words = "money back please ".repeat(6_000);
    Answer sent = say(words);
    assertThat(sent.status()).as(sent.toString()).isEqualTo(202);
    JsonNode decision = decisionOf(sent);
    assertThat(decision.get("route").textValue()).isEqualTo("refunds");
    assertThat(decision.get("text_cut").booleanValue()).isTrue();
    assertThat(decision.get("text").textValue()).hasSize(8_192);
    Answer kept =
        node.get("/v1/spaces/" + space + "/topics/r/messages/" + sent.json().get("revision"));
    assertThat(kept.text()).isEqualTo(words);
    Answer japanese = say("荷物はどこですか");
    assertThat(japanese.status()).isEqualTo(202);
    assertThat(decisionOf(japanese).get("text").textValue()).isEqualTo("荷物はどこですか");
    Answer empty = say("");
    assertThat(empty.status()).isEqualTo(202);
    assertThat(decisionOf(empty).get("reason").textValue()).contains("no text");
  }

  @Test
  void aTargetThatIsGoneLosesNoMessage() {
    String agent = clerk();
    node.putJson("/v1/routes/accounts", toAgent(agent, "change my password"));
    node.delete("/v1/agents/" + agent);
    Answer sent = say("change my password");
    assertThat(sent.status()).as(sent.toString()).isEqualTo(202);
    JsonNode decision = decisionOf(sent);
    assertThat(decision.get("route").textValue()).isEqualTo("accounts");
    assertThat(decision.get("stage").textValue()).isEqualTo("fallback");
    assertThat(decision.get("reason").textValue()).contains("agent_not_found");
    assertThat(texts(decision.get("deliveries"), "to"))
        .containsExactly("agent/" + agent, "topic/nucleusmem.unrouted/messages");
    assertThat(sent.json().get("id").textValue()).startsWith("messages/");
  }

  @Test
  void aMountThatIsRevokedLosesNoMessage() {
    String space = node.space();
    node.putJson("/v1/routes/refunds", toTopic(space, "r", "money back please"));
    for (JsonNode mount : node.get("/v1/spaces/" + space + "/mounts").json().get("items")) {
      if (mount.get("holder").textValue().equals("router")) {
        node.delete("/v1/mounts/" + mount.get("mount").textValue());
      }
    }
    JsonNode decision = decisionOf(say("money back please"));
    assertThat(decision.get("stage").textValue()).isEqualTo("fallback");
    assertThat(decision.get("reason").textValue()).contains("mount_required");
  }
}
