package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.http.TestNode.Event;
import io.nucleusmem.http.TestNode.Events;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Section 5 of the contract. */
@Timeout(60)
class WatchTest {
  private static TestNode node;
  private String name;
  private String space;

  @BeforeAll
  static void start(@TempDir Path dir) {
    node = TestNode.start(dir.resolve("data"), "nucleusmem.http.progress-interval = 100ms");
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @BeforeEach
  void makeSpace() {
    name = node.space();
    space = "/v1/spaces/" + name;
  }

  @Test
  void whatComesNextIsSignalledInOrder() {
    node.put(space + "/entries/plan/0", "before");
    try (Events events = node.watch(space + "/watch?prefix=plan/")) {
      assertThat(events.status()).isEqualTo(200);
      assertThat(events.contentType()).isEqualTo("text/event-stream");
      node.put(space + "/entries/plan/7", "seven");
      node.put(space + "/entries/other", "not asked for");
      node.delete(space + "/entries/plan/7");
      Event put = events.nextSignal();
      assertThat(put.id()).isEqualTo("2");
      assertThat(put.name()).isEqualTo("signal");
      assertThat(put.data().get("region").textValue()).isEqualTo("memory");
      assertThat(put.data().get("key").textValue()).isEqualTo("plan/7");
      assertThat(put.data().get("revision").longValue()).isEqualTo(2);
      assertThat(put.data().get("kind").textValue()).isEqualTo("put");
      assertThat(put.data().get("author").textValue()).isEqualTo("local");
      assertThat(put.data().get("at").isTextual()).isTrue();
      assertThat(put.data().has("value")).isFalse();
      Event deleted = events.nextSignal();
      assertThat(deleted.id()).isEqualTo("4");
      assertThat(deleted.data().get("kind").textValue()).isEqualTo("delete");
    }
  }

  @Test
  void fromAndLastEventIdGoOnWithoutGapOrRepetition() {
    for (int i = 1; i <= 4; i++) {
      node.put(space + "/entries/k" + i, "v");
    }
    try (Events events = node.watch(space + "/watch?from=2")) {
      assertThat(events.nextSignal().id()).isEqualTo("2");
      assertThat(events.nextSignal().id()).isEqualTo("3");
    }
    try (Events events = node.watch(space + "/watch?from=1", "Last-Event-ID", "3")) {
      assertThat(events.nextSignal().id()).isEqualTo("4");
      node.put(space + "/entries/k5", "v");
      assertThat(events.nextSignal().id()).isEqualTo("5");
    }
  }

  @Test
  void valuesTravelWhereTheyAreSmall() {
    node.put(space + "/entries/small", "content");
    node.put(space + "/entries/large", "x".repeat(4_097));
    node.send("PUT", space + "/entries/bytes", new byte[] {-1, 0}, "Content-Type", "image/png");
    try (Events events = node.watch(space + "/watch?from=1&values=true")) {
      assertThat(events.nextSignal().data().get("value").textValue()).isEqualTo("content");
      Event large = events.nextSignal();
      assertThat(large.data().has("value") || large.data().has("value_base64")).isFalse();
      assertThat(events.nextSignal().data().get("value_base64").textValue()).isEqualTo("/wA=");
    }
  }

  @Test
  void aBatchComesTogetherWithOneId() {
    node.post(
        space + "/batch",
        """
        {"ops": [{"op": "put", "key": "a", "value": "1"}, {"op": "put", "key": "b", "value": "2"}]}""");
    node.put(space + "/entries/c", "3");
    try (Events events = node.watch(space + "/watch?from=1")) {
      assertThat(events.nextSignal().id()).isEqualTo("1");
      assertThat(events.next().id()).isEqualTo("1"); // nothing in between
      assertThat(events.nextSignal().id()).isEqualTo("2");
    }
  }

  @Test
  void silenceIsFilledWithProgressUpToTheNewestRevision() {
    try (Events events = node.watch(space + "/watch?prefix=never/")) {
      node.put(space + "/entries/k", "v");
      Event event = events.next();
      while (!"1".equals(event.id())) {
        assertThat(event.name()).isEqualTo("progress");
        event = events.next();
      }
      assertThat(event.name()).isEqualTo("progress");
      assertThat(event.data().get("revision").longValue()).isEqualTo(1);
    }
  }

  @Test
  void aStartThatIsGoneIsSaid() throws Exception {
    for (int i = 0; i < 5; i++) {
      node.put(space + "/entries/k", "v" + i);
    }
    NucleusMem.get(node.node().system())
        .system()
        .compact(name, 4)
        .toCompletableFuture()
        .get(30, TimeUnit.SECONDS);
    try (Events events = node.watch(space + "/watch?from=1")) {
      assertThat(events.status()).isEqualTo(200);
      Event event = events.nextSignal();
      assertThat(event.name()).isEqualTo("compacted");
      assertThat(event.data().get("oldest_revision").longValue()).isEqualTo(4);
      assertThat(events.next()).isNull();
    }
    TestNode.Answer read = node.get(space + "/entries/k?as_of=1");
    assertThat(read.status()).isEqualTo(410);
    assertThat(read.code()).isEqualTo("compacted");
    assertThat(read.json().get("oldest_revision").longValue()).isEqualTo(4);
  }

  @Test
  void aRevokedMountEndsItsStream() {
    String mount =
        node.post(space + "/mounts", "{\"access\": \"read_only\"}").json().get("mount").textValue();
    try (Events events = node.watch(space + "/watch", "Nucleus-Mount", mount)) {
      assertThat(node.delete("/v1/mounts/" + mount).status()).isEqualTo(204);
      Event event = events.nextSignal();
      assertThat(event.name()).isEqualTo("ended");
      assertThat(event.data().get("code").textValue()).isEqualTo("mount_revoked");
      assertThat(events.next()).isNull();
    }
  }

  @Test
  void watchesRefuseWhatTheyDoNotKnow() {
    assertThat(node.get(space + "/watch?from=x").code()).isEqualTo("invalid_request");
    assertThat(node.get(space + "/watch?form=1").json().get("field").textValue()).isEqualTo("form");
    assertThat(node.get(space + "/watch", "Last-Event-ID", "x").code())
        .isEqualTo("invalid_request");
  }
}
