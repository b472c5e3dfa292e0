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
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Reruns, containment and replay over HTTP, also of what is not there any more. */
@Timeout(120)
class RerunHttpTest {
  private static final String ALL =
      "\"from\": \"1970-01-01T00:00:00Z\", \"until\": \"2100-01-01T00:00:00Z\"";

  sealed interface Msg {}

  record Changed(AgentContext.Seen<Signal> signal) implements Msg {}

  record Found(Paged<Entry> page, Throwable failure) implements Msg {}

  private static final AgentType<Msg> CLERK =
      AgentType.of("clerk", Msg.class, RerunHttpTest::clerk);

  @TempDir static Path dir;
  private static TestNode node;

  @BeforeAll
  static void start() {
    node = TestNode.hosting(dir.resolve("data"), CLERK);
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  /** Writes down, under one key, all that is below a prefix, whenever something there changes. */
  private static Behavior<Msg> clerk(AgentContext<Msg> agent) {
    String space = agent.config().get("space");
    ScanRequest all = ScanRequest.of(Region.MEMORY, agent.config().get("from"));
    agent.watch("all", space, WatchRequest.of(Region.MEMORY, all.prefix()).from(1), Changed::new);
    return Behaviors.receive(Msg.class)
        .onMessage(
            Changed.class,
            changed -> {
              agent.pipe(agent.space(space).scan(all), Found::new);
              return Behaviors.same();
            })
        .onMessage(
            Found.class,
            found -> {
              String text =
                  found.page().items().stream().map(Entry::text).collect(Collectors.joining(" "));
              agent.space(space).put(EntryKey.of(agent.config().get("to")), Content.text(text));
              return Behaviors.same();
            })
        .build();
  }

  /** A space with a clerk for its facts. */
  private static final class Office {
    final String space = node.space();
    final String clerk = TestNode.fresh("clerk");
    final String path = "/v1/spaces/" + space;

    Office() {
      spawn(clerk, "fact/", "digest");
    }

    void spawn(String id, String from, String to) {
      TestNode.Answer spawned =
          node.post(
              "/v1/agents",
              """
              {"type": "clerk", "id": "%s", "config": {"space": "%s", "from": "%s", "to": "%s"},
               "mounts": [{"space": "%s", "access": "read_write"}]}\
              """
                  .formatted(id, space, from, to, space));
      assertThat(spawned.status()).as(spawned.toString()).isEqualTo(201);
    }

    long put(String key, String text) {
      return node.put(path + "/entries/" + key, text).json().get("revision").longValue();
    }

    void untilText(String key, String text) {
      TestNode.eventually(() -> node.get(path + "/entries/" + key).text().equals(text));
    }

    /** A containment once it is known that so much came of the version. */
    JsonNode containment(long revision, int derived) {
      String query = "/v1/containment?space=" + space + "&key=fact/2&revision=" + revision;
      TestNode.eventually(() -> node.get(query).json().path("derived").size() == derived);
      return node.get(query).json();
    }

    TestNode.Answer rerun(String more) {
      return node.post("/v1/agents/" + clerk + "/rerun", "{" + ALL + more + "}");
    }

    JsonNode ended(TestNode.Answer accepted) {
      assertThat(accepted.status()).as("%s", accepted).isEqualTo(202);
      String at = accepted.header("Location");
      TestNode.eventually(() -> !node.get(at).json().get("state").textValue().equals("running"));
      return node.get(at).json();
    }

    /** What a replay tells of a key, by revision. */
    List<String> replayed(String key) throws Exception {
      List<String> lines = new ArrayList<>();
      for (String line : node.get("/v1/agents/" + clerk + "/replay").text().split("\n")) {
        JsonNode json = new ObjectMapper().readTree(line);
        if (json.get("key").textValue().equals(key)) {
          lines.add(
              json.get("revision").longValue()
                  + " "
                  + json.get("state").textValue()
                  + " "
                  + json.path("value").asText());
        }
      }
      return lines;
    }
  }

  @Test
  void rerunWithoutAVersionTellsWhereItDiffersAndWhatWouldNotHaveBeen() {
    Office office = new Office();
    office.put("fact/1", "one");
    office.untilText("digest", "one");
    long wrong = office.put("fact/2", "WRONG");
    office.untilText("digest", "one WRONG");
    long right = office.put("fact/3", "three");
    office.untilText("digest", "one WRONG three");
    office.containment(wrong, 2);

    TestNode.Answer begun =
        office.rerun(
            ", \"fork\": \"%s-f\", \"without\": [{\"space\": \"%s\", \"key\": \"fact/2\", \"revision\": %d}]"
                .formatted(office.space, office.space, wrong));
    assertThat(begun.json().get("scratch").textValue()).isEqualTo(office.space + "-f");
    JsonNode done = office.ended(begun);
    assertThat(done.get("state").textValue()).as("%s", done).isEqualTo("done");
    assertThat(done.get("agent").textValue()).isEqualTo(office.clerk);
    JsonNode result = done.get("result");
    assertThat(result.get("inputs").intValue()).isEqualTo(2);
    JsonNode at = result.get("diverged_at");
    assertThat(done.get("diverged_at")).isEqualTo(at);
    assertThat(at.get("space").textValue()).isEqualTo(office.space);
    assertThat(at.get("key").textValue()).isEqualTo("fact/3");
    assertThat(at.get("revision").longValue()).isEqualTo(right);
    assertThat(at.get("how").textValue()).contains("another write");
    assertThat(result.get("not_repeated")).hasSize(2);
    assertThat(result.get("not_repeated").get(0).get("key").textValue()).isEqualTo("digest");
    assertThat(node.get("/v1/spaces/" + office.space + "-f/entries/digest").text())
        .isEqualTo("one three");
    assertThat(node.get(office.path + "/entries/digest").text()).isEqualTo("one WRONG three");

    // what was not repeated may be given back as it came
    TestNode.Answer again = office.rerun(", \"without\": " + result.get("not_repeated").toString());
    assertThat(office.ended(again).get("state").textValue()).isEqualTo("done");
  }

  @Test
  void rerunOfTheSameDiffersNowhere() {
    Office office = new Office();
    office.put("fact/1", "one");
    office.untilText("digest", "one");
    long two = office.put("fact/2", "two");
    office.untilText("digest", "one two");
    office.containment(two, 1);
    JsonNode done = office.ended(office.rerun(""));
    assertThat(done.get("result").get("not_repeated")).isEmpty();
    assertThat(done.get("result").has("diverged_at")).isFalse();
    assertThat(done.has("diverged_at")).isFalse();
    String scratch = done.get("scratch").textValue();
    assertThat(node.get("/v1/spaces/" + scratch + "/entries/digest").text()).isEqualTo("one two");
  }

  @Test
  void containmentIsAListAndAGraph() {
    Office office = new Office();
    String second = TestNode.fresh("clerk");
    office.spawn(second, "digest", "summary");
    long wrong = office.put("fact/2", "WRONG");
    office.untilText("summary", "WRONG");
    JsonNode found = office.containment(wrong, 2);
    assertThat(found.get("complete").booleanValue()).isTrue();
    assertThat(texts(found.get("readers"), "agent"))
        .containsExactlyInAnyOrder(office.clerk, second);
    JsonNode reader = found.get("readers").get(0);
    assertThat(reader.get("key").textValue()).isEqualTo("fact/2");
    assertThat(reader.get("revision").longValue()).isEqualTo(wrong);
    assertThat(reader.get("at").textValue()).endsWith("Z");
    assertThat(reader.get("how").textValue()).isEqualTo("signal");
    assertThat(texts(found.get("derived"), "key")).containsExactlyInAnyOrder("digest", "summary");

    // each derived version is reached from the first one along the edges
    Set<String> reached = new HashSet<>(Set.of("fact/2"));
    Set<String> agents = new HashSet<>();
    for (int i = 0; i < found.get("edges").size(); i++) {
      for (JsonNode edge : found.get("edges")) {
        String key = edge.get("key").textValue();
        String agent = edge.get("agent").textValue();
        if (edge.get("kind").textValue().equals("read") ? reached.contains(key) : false) {
          agents.add(agent);
        } else if (edge.get("kind").textValue().equals("wrote") && agents.contains(agent)) {
          reached.add(key);
        }
      }
    }
    assertThat(reached).contains("digest", "summary");
    assertThat(agents).containsExactlyInAnyOrder(office.clerk, second);

    assertThat(node.get("/v1/containment?space=" + office.space + "&key=fact/2").code())
        .isEqualTo("invalid_request");
    assertThat(node.get("/v1/containment?space=nowhere&key=x&revision=1").code())
        .isEqualTo("space_not_found");
  }

  private static List<String> texts(JsonNode items, String field) {
    List<String> texts = new ArrayList<>();
    items.forEach(item -> texts.add(item.get(field).textValue()));
    return texts;
  }

  @Test
  void replayAndRerunSayWhatIsErased() throws Exception {
    Office office = new Office();
    long secret = office.put("fact/2", "secret");
    office.untilText("digest", "secret");
    office.containment(secret, 1);
    JsonNode erased =
        office.ended(
            node.post(
                office.path + "/erase", "{\"keys\": [\"fact/2\"], \"reason\": \"asked to\"}"));
    assertThat(erased.get("state").textValue()).isEqualTo("done");
    assertThat(office.replayed("fact/2")).isNotEmpty().allMatch((secret + " erased ")::equals);

    JsonNode failed = office.ended(office.rerun(""));
    assertThat(failed.get("state").textValue()).isEqualTo("failed");
    assertThat(failed.get("error").get("code").textValue()).isEqualTo("erased");
    assertThat(failed.get("error").get("detail").textValue())
        .contains("fact/2", office.space, "[without]");
    office.put("fact/3", "three");
    TestNode.eventually(() -> node.get(office.path + "/entries/digest").text().endsWith("three"));
    JsonNode without =
        office.ended(
            office.rerun(
                ", \"without\": [{\"space\": \"%s\", \"region\": \"memory\", \"key\": \"fact/2\", \"revision\": %d}]"
                    .formatted(office.space, secret)));
    assertThat(without.get("state").textValue()).as("%s", without).isEqualTo("done");
  }

  @Test
  void replayAndRerunSayWhatIsCompacted() throws Exception {
    Office office = new Office();
    long first = office.put("fact/2", "old");
    office.untilText("digest", "old");
    long last = office.put("fact/2", "new");
    office.untilText("digest", "new");
    office.containment(first, 2);
    TestNode.Answer patched =
        node.send(
            "PATCH",
            office.path,
            "{\"retention\": {\"max_versions\": 1}}",
            "Content-Type",
            "application/json");
    assertThat(patched.status()).as("%s", patched).isEqualTo(200);
    JsonNode compacted = office.ended(node.post(office.path + "/compact", "{}"));
    assertThat(compacted.get("result").get("floor").longValue())
        .as("%s", compacted)
        .isGreaterThanOrEqualTo(last);
    assertThat(office.replayed("fact/2"))
        .contains(first + " compacted ", last + " present new")
        .doesNotContain(first + " present old");

    TestNode.Answer refused = office.rerun(", \"fork\": \"%s-f\"".formatted(office.space));
    assertThat(refused.status()).isEqualTo(410);
    assertThat(refused.code()).isEqualTo("compacted");
    assertThat(node.get("/v1/spaces/" + office.space + "-f").code()).isEqualTo("space_not_found");
  }

  @Test
  void agentWhoseTypeIsGoneIsReplayedAndNotRunAgain() throws Exception {
    Path own = dir.resolve("own");
    TestNode shared = node;
    try {
      try (TestNode before = TestNode.hosting(own, CLERK)) {
        node = before;
        Office office = new Office();
        long two = office.put("fact/2", "two");
        office.untilText("digest", "two");
        office.containment(two, 1);
      }
      try (TestNode after = TestNode.hosting(own)) {
        node = after;
        String agent = node.get("/v1/agents").json().get("items").get(0).get("id").textValue();
        assertThat(node.get("/v1/agents/" + agent + "/replay").text()).contains("\"two\"");
        int spaces = node.get("/v1/spaces").json().get("items").size();
        TestNode.Answer refused = node.post("/v1/agents/" + agent + "/rerun", "{" + ALL + "}");
        assertThat(refused.status()).isEqualTo(404);
        assertThat(refused.code()).isEqualTo("unknown_agent_type");
        assertThat(refused.json().get("detail").textValue()).contains("clerk");
        assertThat(node.get("/v1/spaces").json().get("items")).hasSize(spaces);
      }
    } finally {
      node = shared;
    }
  }

  @Test
  void rerunThatIsRefusedHalfWayLeavesNoFork() {
    Office office = new Office();
    String second = node.space();
    String agent = TestNode.fresh("clerk");
    TestNode.Answer spawned =
        node.post(
            "/v1/agents",
            """
            {"type": "clerk", "id": "%s", "config": {"space": "%s", "from": "fact/", "to": "own"},
             "mounts": [{"space": "%s", "access": "read_write"},
                        {"space": "%s", "access": "read_write"}]}\
            """
                .formatted(agent, office.space, office.space, second));
    assertThat(spawned.status()).isEqualTo(201);
    office.put("fact/2", "two");
    office.untilText("own", "two");
    String fork = TestNode.fresh("fork");
    // the name of the second fork is taken
    assertThat(
            node.post("/v1/spaces", "{\"name\": \"" + fork + ".1\", \"kind\": \"shared\"}")
                .status())
        .isEqualTo(201);
    TestNode.Answer refused =
        node.post("/v1/agents/" + agent + "/rerun", "{" + ALL + ", \"fork\": \"" + fork + "\"}");
    assertThat(refused.code()).isEqualTo("space_exists");
    assertThat(node.get("/v1/spaces/" + fork).code()).isEqualTo("space_not_found");
    assertThat(node.delete("/v1/spaces/" + second).status()).isEqualTo(204);
    assertThat(node.delete(office.path).status()).as("nothing pins it").isEqualTo(204);
  }

  @Test
  void badRerunsAreNamedAndLeaveNoFork() {
    Office office = new Office();
    TestNode.eventually( // until it runs, nobody knows the agent from receipts
        () ->
            node.get("/v1/agents/" + office.clerk).json().path("state").asText().equals("running"));
    assertThat(office.rerun("").code()).isEqualTo("invalid_request"); // nothing to run again
    long two = office.put("fact/2", "two");
    office.untilText("digest", "two");
    office.containment(two, 1);
    String other = node.space();
    assertThat(office.rerun(", \"fork\": \"" + other + "\"").code()).isEqualTo("invalid_request");
    assertThat(office.rerun(", \"fork\": \"..\"").code()).isEqualTo("invalid_request");
    assertThat(office.rerun(", \"without\": [{\"space\": \"x\", \"key\": \"y\"}]").code())
        .isEqualTo("invalid_request");
    assertThat(
            office
                .rerun(
                    ", \"without\": [{\"space\": \"x\", \"region\": \"attic\", \"key\": \"y\", \"revision\": 1}]")
                .code())
        .isEqualTo("invalid_request");
    assertThat(node.post("/v1/agents/" + office.clerk + "/rerun", "{}").code())
        .isEqualTo("invalid_request");
    assertThat(node.post("/v1/agents/nobody/rerun", "{" + ALL + "}").code())
        .isEqualTo("agent_not_found");
    assertThat(node.delete(office.path).status()).as("no fork pins it").isEqualTo(204);
  }
}
