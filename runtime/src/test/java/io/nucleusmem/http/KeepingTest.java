package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compaction, erasure, quarantine, export and import as the contract has them. */
class KeepingTest {
  @TempDir static Path dir;
  private static TestNode node;

  @BeforeAll
  static void start() {
    node = TestNode.start(dir);
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static JsonNode ended(TestNode.Answer accepted) {
    assertThat(accepted.status()).as("%s", accepted).isEqualTo(202);
    String at = accepted.header("Location");
    assertThat(at).isEqualTo("/v1/operations/" + accepted.json().get("id").textValue());
    TestNode.eventually(() -> !node.get(at).json().get("state").textValue().equals("running"));
    JsonNode ended = node.get(at).json();
    assertThat(ended.get("state").textValue()).as("%s", ended).isEqualTo("done");
    return ended;
  }

  @Test
  void compactionTellsWhatGoesAndThePastBehindItIsRefused() {
    String name = TestNode.fresh("space");
    String path = "/v1/spaces/" + name;
    assertThat(
            node.post(
                    "/v1/spaces",
                    "{\"name\":\"%s\",\"kind\":\"shared\",\"retention\":{\"max_versions\":1}}"
                        .formatted(name))
                .status())
        .isEqualTo(201);
    for (int i = 0; i < 4; i++) {
      node.put(path + "/entries/a", "v" + i);
    }
    JsonNode plan = ended(node.post(path + "/compact", "{\"dry_run\":true}"));
    assertThat(plan.get("kind").textValue()).isEqualTo("compact");
    assertThat(plan.get("space").textValue()).isEqualTo(name);
    assertThat(plan.get("dry_run").booleanValue()).isTrue();
    assertThat(plan.get("result").get("versions").intValue()).isEqualTo(3);
    assertThat(node.get(path + "/history/a").json().get("items")).hasSize(4);

    for (String dry : new String[] {"true", "false"}) {
      TestNode.Answer future =
          node.post(path + "/compact", "{\"floor\":99,\"dry_run\":%s}".formatted(dry));
      assertThat(future.code()).isEqualTo("invalid_request");
      assertThat(future.json().get("accepted").textValue())
          .isEqualTo("1 to the newest revision, 4");
    }

    JsonNode done = ended(node.send("POST", path + "/compact", (String) null));
    assertThat(done.get("result").get("floor").intValue()).isEqualTo(4);
    assertThat(node.get(path + "/history/a").json().get("items")).hasSize(1);
    TestNode.Answer past = node.get(path + "/entries/a?as_of=2");
    assertThat(past.status()).isEqualTo(410);
    assertThat(past.code()).isEqualTo("compacted");
    assertThat(past.json().get("oldest_revision").intValue()).isEqualTo(4);

    JsonNode operations = node.get("/v1/operations?state=done&limit=2").json();
    assertThat(operations.get("items")).hasSize(2);
    assertThat(node.get("/v1/operations/none").code()).isEqualTo("operation_not_found");
    assertThat(node.get("/v1/operations?state=lost").code()).isEqualTo("invalid_request");
    assertThat(node.post("/v1/spaces/none/compact", "{}").code()).isEqualTo("space_not_found");
  }

  @Test
  void erasedIs410AtOnceAndTellsWhoAndWhy() {
    String path = "/v1/spaces/" + node.space();
    node.put(path + "/entries/a", "secret", "Nucleus-Metadata", "{\"subject\":\"p1\"}");
    node.put(path + "/entries/b", "open");
    TestNode.Answer begun =
        node.post(path + "/erase", "{\"subject\":\"p1\",\"reason\":\"asked to\"}");
    TestNode.Answer read = node.get(path + "/entries/a");
    assertThat(read.status()).isEqualTo(410);
    assertThat(read.code()).isEqualTo("erased");
    assertThat(read.json().get("reason").textValue()).isEqualTo("asked to");
    ended(begun);
    assertThat(node.get(path + "/entries/a?as_of=1").code()).isEqualTo("erased");
    assertThat(node.get(path + "/entries?values=true").text()).doesNotContain("secret");
    assertThat(node.get(path + "/entries/b").text()).isEqualTo("open");
    for (String bad :
        new String[] {
          "{\"reason\":\"x\"}",
          "{\"keys\":[\"a\"],\"prefix\":\"a\",\"reason\":\"x\"}",
          "{\"keys\":[\"a\"]}",
          "{\"keys\":[],\"reason\":\"x\"}",
          "{\"who\":1}"
        }) {
      assertThat(node.post(path + "/erase", bad).code()).as(bad).isEqualTo("invalid_request");
    }
    TestNode.Answer forged =
        node.put(path + "/entries/c", "x", "Content-Type", "application/vnd.nucleusmem.erased");
    assertThat(forged.code()).isEqualTo("invalid_request");
  }

  @Test
  void quarantinedIs451UntilReleased() {
    String path = "/v1/spaces/" + node.space();
    node.put(path + "/entries/a", "good");
    node.put(path + "/entries/a", "bad");
    assertThat(
            node.post(path + "/quarantine", "{\"key\":\"a\",\"revision\":2,\"reason\":\"wrong\"}")
                .status())
        .isEqualTo(200);
    TestNode.Answer read = node.get(path + "/entries/a");
    assertThat(read.status()).isEqualTo(451);
    assertThat(read.code()).isEqualTo("quarantined");
    assertThat(node.get(path + "/quarantine").json().get("items").get(0).get("reason").textValue())
        .isEqualTo("wrong");
    TestNode.Answer reverted = node.post(path + "/revert", "{\"key\":\"a\",\"to\":1}");
    assertThat(reverted.status()).isEqualTo(200);
    assertThat(node.get(path + "/entries/a").text()).isEqualTo("good");
    assertThat(node.delete(path + "/quarantine/a?revision=2").status()).isEqualTo(204);
    assertThat(node.get(path + "/entries/a?as_of=2").text()).isEqualTo("bad");
    assertThat(node.post(path + "/revert", "{\"key\":\"a\",\"to\":9999}").code())
        .isEqualTo("as_of_in_future");
    for (String bad : new String[] {"0", "-1"}) {
      assertThat(
              node.post(
                      path + "/quarantine",
                      "{\"key\":\"a\",\"revision\":" + bad + ",\"reason\":\"x\"}")
                  .code())
          .isEqualTo("invalid_request");
      assertThat(node.post(path + "/revert", "{\"key\":\"a\",\"to\":" + bad + "}").code())
          .isEqualTo("invalid_request");
      assertThat(node.post(path + "/compact", "{\"floor\":" + bad + "}").code())
          .isEqualTo("invalid_request");
    }
    assertThat(node.post(path + "/quarantine", "{\"key\":\"a\",\"revision\":2}").code())
        .isEqualTo("invalid_request");
  }

  @Test
  void spaceGoesOutAndComesInAsOneFile() {
    String name = node.space();
    String path = "/v1/spaces/" + name;
    node.put(path + "/entries/a", "one");
    node.put(path + "/entries/a", "two");
    node.put(path + "/entries/large", "x".repeat(900_000));
    TestNode.Answer out = node.get(path + "/export");
    assertThat(out.status()).isEqualTo(200);
    assertThat(out.header("Content-Type")).isEqualTo("application/vnd.nucleusmem.space");
    byte[] file = out.bytes();
    byte[] rest = node.get(path + "/export?from=100&at=" + out.header("Nucleus-Export-At")).bytes();
    assertThat(rest).isEqualTo(Arrays.copyOfRange(file, 100, file.length));

    String copy = TestNode.fresh("copy");
    byte[] cut = Arrays.copyOf(file, file.length / 2);
    TestNode.Answer damaged = node.send("POST", "/v1/spaces/import?name=" + copy, cut);
    assertThat(damaged.status()).isEqualTo(422);
    assertThat(damaged.code()).isEqualTo("damaged_file");
    assertThat(damaged.json().get("byte").longValue()).isEqualTo(cut.length);
    assertThat(node.get("/v1/spaces/" + copy).status()).isEqualTo(404);

    TestNode.Answer in = node.send("POST", "/v1/spaces/import?name=" + copy, file);
    assertThat(in.status()).as("%s", in).isEqualTo(201);
    assertThat(in.json().get("revision")).isEqualTo(node.get(path).json().get("revision"));
    assertThat(node.get("/v1/spaces/" + copy + "/entries/a?as_of=1").text()).isEqualTo("one");
    assertThat(node.get("/v1/spaces/" + copy + "/entries/a").text()).isEqualTo("two");
    assertThat(node.send("POST", "/v1/spaces/import?name=" + copy, file).code())
        .isEqualTo("space_exists");
    assertThat(node.send("POST", "/v1/spaces/import", file).code()).isEqualTo("invalid_request");
  }
}
