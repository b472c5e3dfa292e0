package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.http.TestNode.Answer;
import io.nucleusmem.http.TestNode.Event;
import io.nucleusmem.http.TestNode.Events;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Section 6 of the contract. */
@Timeout(60)
class TopicsTest {
  private static TestNode node;
  private String topics;
  private String topic;

  @BeforeAll
  static void start(@TempDir Path dir) {
    node = TestNode.start(dir.resolve("data"));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @BeforeEach
  void makeSpace() {
    topics = "/v1/spaces/" + node.space() + "/topics";
    topic = topics + "/news";
  }

  private Answer publish(String text, String... headers) {
    return node.send("POST", topic + "/messages", text, with(headers));
  }

  private static String[] with(String... headers) {
    List<String> all = new ArrayList<>(List.of(headers));
    all.addAll(List.of("Content-Type", "text/plain"));
    return all.toArray(String[]::new);
  }

  @Test
  void aTopicIsMadeByItsFirstMessageOrByName() {
    Answer published = publish("hello");
    assertThat(published.status()).as(published.toString()).isEqualTo(201);
    assertThat(published.json().get("id").textValue()).matches("news/\\d{4}-.*Z\\.\\d+/local");
    assertThat(published.json().get("revision").longValue()).isEqualTo(1);
    assertThat(published.json().get("at").isTextual()).isTrue();
    Answer made = node.post(topics, "{\"name\": \"empty\"}");
    assertThat(made.status()).isEqualTo(201);
    JsonNode items = node.get(topics).json().get("items");
    assertThat(items).hasSize(2);
    assertThat(items.get(0).get("name").textValue()).isEqualTo("empty");
    assertThat(items.get(0).get("revision").longValue()).isZero();
    assertThat(items.get(1).get("name").textValue()).isEqualTo("news");
    assertThat(items.get(1).get("revision").longValue()).isEqualTo(1);
    assertThat(items.get(1).get("subscriptions").intValue()).isZero();
  }

  @Test
  void messagesAreFetchedByRevisionAndByInstant() {
    publish("one");
    String at = publish("two", "Nucleus-Metadata", "{\"k\":\"v\"}").json().get("at").textValue();
    publish("three");
    assertThat(values(node.get(topic + "/messages?values=true")))
        .containsExactly("one", "two", "three");
    assertThat(values(node.get(topic + "/messages?values=true&order=desc&limit=2")))
        .containsExactly("three", "two");
    assertThat(values(node.get(topic + "/messages?values=true&from=2&until=2")))
        .containsExactly("two");
    assertThat(values(node.get(topic + "/messages?values=true&until=" + at)))
        .contains("one", "two");
    JsonNode message = node.get(topic + "/messages?from=2&until=2").json().get("items").get(0);
    assertThat(message.get("sender").textValue()).isEqualTo("local");
    assertThat(message.get("metadata").get("k").textValue()).isEqualTo("v");
    assertThat(message.has("value")).isFalse();
    Answer raw = node.get(topic + "/messages/2");
    assertThat(raw.text()).isEqualTo("two");
    assertThat(raw.header("Content-Type")).isEqualTo("text/plain");
    assertThat(raw.header("Nucleus-Revision")).isEqualTo("2");
    assertThat(raw.header("Nucleus-Metadata")).isEqualTo("{\"k\":\"v\"}");
    assertThat(node.get(topic + "/messages/9").code()).isEqualTo("message_not_found");
    assertThat(node.get(topic + "/messages/x").code()).isEqualTo("invalid_request");
    assertThat(node.get(topics + "/none/messages").status()).isIn(200, 404);
  }

  @Test
  void pagesOfMessagesFitTogether() {
    for (int i = 1; i <= 5; i++) {
      publish("m" + i);
    }
    Answer page = node.get(topic + "/messages?values=true&limit=2");
    List<String> all = new ArrayList<>(values(page));
    while (!page.json().get("next").isNull()) {
      page =
          node.get(
              topic
                  + "/messages?values=true&limit=2&cursor="
                  + page.json().get("next").textValue());
      all.addAll(values(page));
    }
    assertThat(all).containsExactly("m1", "m2", "m3", "m4", "m5");
  }

  @Test
  void publishingTwiceWithOneKeyIsOneMessage() {
    String[] key = {"Idempotency-Key", "publish-0123456789"};
    Answer first = publish("once", key);
    Answer again = publish("once", key);
    assertThat(again.text()).isEqualTo(first.text());
    assertThat(again.header("Nucleus-Replayed")).isEqualTo("true");
    assertThat(node.get(topic + "/messages").json().get("items")).hasSize(1);
    assertThat(publish("other", key).code()).isEqualTo("idempotency_key_reused");
  }

  @Test
  void aWatchSeesWhatIsForItsAgentAndForAll() {
    publish("before");
    try (Events events = node.watch(topic + "/watch?to=me&values=true")) {
      assertThat(events.status()).isEqualTo(200);
      node.send("POST", topic + "/messages?to=other", "not for me", with());
      node.send("POST", topic + "/messages?to=me", "for me", with());
      publish("for all");
      Event mine = events.nextSignal();
      assertThat(mine.id()).isEqualTo("3");
      assertThat(mine.data().get("to").textValue()).isEqualTo("me");
      assertThat(mine.data().get("value").textValue()).isEqualTo("for me");
      assertThat(events.nextSignal().id()).isEqualTo("4");
    }
    try (Events events = node.watch(topic + "/watch?from=1", "Last-Event-ID", "1")) {
      assertThat(events.nextSignal().id()).isEqualTo("2");
    }
  }

  @Test
  void aSubscriptionDeliversUntilAcknowledged() {
    String subscription = topic + "/subscriptions/s";
    publish("one");
    Answer made = node.putJson(subscription, "{\"from\": \"earliest\"}");
    assertThat(made.status()).as(made.toString()).isEqualTo(201);
    assertThat(node.putJson(subscription, "{\"from\": \"earliest\"}").status()).isEqualTo(200);
    long second = publish("two").json().get("revision").longValue();
    JsonNode messages = pull("s", 10, 0);
    assertThat(messages).hasSize(2);
    assertThat(messages.get(0).get("revision").longValue()).isEqualTo(1);
    assertThat(messages.get(0).get("id").textValue()).startsWith("news/");
    assertThat(messages.get(0).get("sender").textValue()).isEqualTo("local");
    assertThat(messages.get(0).get("delivery").intValue()).isEqualTo(1);
    assertThat(messages.get(0).get("content_type").textValue()).isEqualTo("text/plain");
    assertThat(messages.get(0).get("value").textValue()).isEqualTo("one");
    assertThat(node.get(subscription).json().get("pending").intValue()).isEqualTo(2);
    assertThat(pull("s", 10, 0)).isEmpty();

    assertThat(node.post(subscription + "/nack", "{\"revisions\": [" + second + "]}").status())
        .isEqualTo(204);
    JsonNode again = pull("s", 10, 1_000);
    assertThat(again).hasSize(1);
    assertThat(again.get(0).get("delivery").intValue()).isEqualTo(2);
    assertThat(node.post(subscription + "/ack", "{\"revisions\": [1, " + second + "]}").status())
        .isEqualTo(204);
    JsonNode state = node.get(subscription).json();
    assertThat(state.get("name").textValue()).isEqualTo("s");
    assertThat(state.get("cursor").longValue()).isEqualTo(second);
    assertThat(state.get("pending").intValue()).isZero();
    assertThat(state.get("dead").longValue()).isZero();
    assertThat(node.delete(subscription).status()).isEqualTo(204);
    assertThat(node.get(subscription).code()).isEqualTo("subscription_not_found");
  }

  @Test
  void aPullWaitsForTheFirstMessage() {
    publish("before");
    node.putJson(topic + "/subscriptions/s", "{}"); // from latest
    assertThat(pull("s", 1, 50)).isEmpty();
    Thread publisher = new Thread(() -> publish("late"));
    publisher.start();
    JsonNode messages = pull("s", 1, 20_000);
    assertThat(messages.get(0).get("value").textValue()).isEqualTo("late");
  }

  @Test
  void aMessageThatIsNackedTooOftenIsADeadLetterWithItsReason() {
    publish("poison");
    String subscription = topic + "/subscriptions/s";
    node.putJson(subscription, "{\"from\": 1, \"deliveries_max\": 2}");
    for (int i = 0; i < 2; i++) {
      assertThat(pull("s", 1, 1_000)).hasSize(1);
      node.post(subscription + "/nack", "{\"revisions\": [1]}");
    }
    assertThat(pull("s", 1, 0)).isEmpty();
    TestNode.eventually(() -> node.get(subscription).json().get("dead").longValue() == 1);
    JsonNode dead = node.get(topics + "/news.dead/messages?values=true").json().get("items").get(0);
    assertThat(dead.get("value").textValue()).isEqualTo("poison");
    assertThat(dead.get("metadata").toString()).contains("reason");
  }

  @Test
  void subscriptionsRefuseWhatIsOutOfBounds() {
    publish("one");
    String subscription = topic + "/subscriptions/s";
    for (String bad :
        new String[] {
          "{\"from\": \"middle\"}",
          "{\"from\": 0}",
          "{\"deliveries_max\": 0}",
          "{\"redeliver_after_ms\": 86400001}",
          "{\"form\": 1}"
        }) {
      assertThat(node.putJson(subscription, bad).code()).as(bad).isEqualTo("invalid_request");
    }
    node.putJson(subscription, "{}");
    for (String bad :
        new String[] {
          "{\"max\": 0}", "{\"max\": 1001}", "{\"wait_ms\": 60001}", "{\"wait_ms\": -1}"
        }) {
      assertThat(node.post(subscription + "/pull", bad).code())
          .as(bad)
          .isEqualTo("invalid_request");
    }
    assertThat(node.post(topic + "/subscriptions/none/pull", "{}").code())
        .isEqualTo("subscription_not_found");
  }

  private JsonNode pull(String subscription, int max, int waitMs) {
    Answer answer =
        node.post(
            topic + "/subscriptions/" + subscription + "/pull",
            "{\"max\": %d, \"wait_ms\": %d}".formatted(max, waitMs));
    assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    return answer.json().get("messages");
  }

  private static List<String> values(Answer page) {
    List<String> values = new ArrayList<>();
    page.json().get("items").forEach(item -> values.add(item.get("value").textValue()));
    return values;
  }
}
