package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.http.TestNode.Answer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Section 2 of the contract, the mounts of section 7, and retries. */
class SpacesTest {
  private static TestNode node;

  @BeforeAll
  static void start(@TempDir Path dir) {
    node = TestNode.start(dir.resolve("data"));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static Answer create(String json, String... headers) {
    return node.post("/v1/spaces", json, headers);
  }

  @Test
  void aNewSpaceIsDescribedAndMounted() {
    String name = TestNode.fresh("space");
    Answer made =
        create(
            """
            {"name": "%s", "kind": "private", "labels": {"team": "a"}, "retention": {"max_versions": 3, "max_age_ms": 60000}}"""
                .formatted(name));
    assertThat(made.status()).as(made.toString()).isEqualTo(201);
    assertThat(made.header("Location")).isEqualTo("/v1/spaces/" + name);
    JsonNode space = made.json();
    assertThat(space.get("mount").textValue()).isNotEmpty();
    JsonNode described = node.get("/v1/spaces/" + name).json();
    assertThat(described.has("mount")).isFalse();
    assertThat(described.get("node")).isEqualTo(node.get("/v1/cluster").json().get("self"));
    for (JsonNode it : List.of(space, described)) {
      assertThat(it.get("name").textValue()).isEqualTo(name);
      assertThat(it.get("kind").textValue()).isEqualTo("private");
      assertThat(it.get("owner").textValue()).isEqualTo("local");
      assertThat(it.get("labels").get("team").textValue()).isEqualTo("a");
      assertThat(it.get("state").textValue()).isEqualTo("active");
      assertThat(it.get("revision").isIntegralNumber()).isTrue();
      assertThat(Instant.parse(it.get("created_at").textValue())).isBefore(Instant.MAX);
      assertThat(it.get("retention").get("max_versions").longValue()).isEqualTo(3);
      assertThat(it.get("retention").get("max_age_ms").longValue()).isEqualTo(60_000);
    }
  }

  @Test
  void namesAreUniqueAndChecked() {
    String name = node.space();
    Answer again = create("{\"name\": \"" + name + "\", \"kind\": \"shared\"}");
    assertThat(again.status()).isEqualTo(409);
    assertThat(again.code()).isEqualTo("space_exists");
    for (String bad : List.of("", ".hidden", "a b", "a/b", "x".repeat(129))) {
      assertThat(create("{\"name\": \"" + bad + "\", \"kind\": \"shared\"}").code())
          .as(bad)
          .isEqualTo("invalid_request");
    }
    assertThat(create("{\"name\": \"" + "x".repeat(128) + "\", \"kind\": \"shared\"}").status())
        .isEqualTo(201);
    assertThat(create("{\"name\": \"y\", \"kind\": \"public\"}").json().get("accepted").textValue())
        .isEqualTo("private or shared");
    assertThat(create("{\"kind\": \"shared\"}").json().get("field").textValue()).isEqualTo("name");
  }

  @Test
  void spacesAreListedByLabelInPages() {
    String label = TestNode.fresh("label");
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      String name = TestNode.fresh("listed");
      made.add(name);
      create(
          "{\"name\": \"%s\", \"kind\": \"shared\", \"labels\": {\"set\": \"%s\"}}"
              .formatted(name, label));
    }
    made.sort(null);
    List<String> found = new ArrayList<>();
    String cursor = "";
    do {
      Answer page = node.get("/v1/spaces?limit=2&label=set:" + label + cursor);
      assertThat(page.status()).isEqualTo(200);
      page.json().get("items").forEach(item -> found.add(item.get("name").textValue()));
      String next = page.json().get("next").textValue();
      cursor = next == null ? null : "&cursor=" + next;
    } while (cursor != null);
    assertThat(found).isEqualTo(made);
  }

  @Test
  void labelsAndRetentionChange() {
    String path = "/v1/spaces/" + node.space();
    Answer patched =
        node.send(
            "PATCH",
            path,
            "{\"labels\": {\"a\": \"b\"}, \"retention\": {\"max_versions\": 2}}",
            "Content-Type",
            "application/json");
    assertThat(patched.status()).as(patched.toString()).isEqualTo(200);
    JsonNode space = node.get(path).json();
    assertThat(space.get("labels").get("a").textValue()).isEqualTo("b");
    assertThat(space.get("retention").get("max_versions").longValue()).isEqualTo(2);
  }

  @Test
  void anArchivedSpaceIsReadAndNotWritten() {
    String name = node.space();
    node.put("/v1/spaces/" + name + "/entries/k", "v");
    Answer archived = node.send("POST", "/v1/spaces/" + name + "/archive", (byte[]) null);
    assertThat(archived.status()).isEqualTo(200);
    assertThat(archived.json().get("state").textValue()).isEqualTo("archived");
    assertThat(node.get("/v1/spaces/" + name + "/entries/k").text()).isEqualTo("v");
    Answer write = node.put("/v1/spaces/" + name + "/entries/k", "w");
    assertThat(write.status()).isEqualTo(409);
    assertThat(write.code()).isEqualTo("space_archived");
  }

  @Test
  void aDeletedSpaceIsGoneAndItsNameIsFree() {
    String name = node.space();
    String entry = "/v1/spaces/" + name + "/entries/k";
    node.put(entry, "v");
    assertThat(node.delete("/v1/spaces/" + name).status()).isEqualTo(204);
    assertThat(node.get("/v1/spaces/" + name).code()).isEqualTo("space_not_found");
    assertThat(node.get(entry).status()).isIn(403, 404);
    assertThat(node.delete("/v1/spaces/" + name).code()).isEqualTo("space_not_found");
    assertThat(create("{\"name\": \"" + name + "\", \"kind\": \"shared\"}").status())
        .isEqualTo(201);
    assertThat(node.get(entry).code()).isEqualTo("entry_not_found");
    assertThat(node.put(entry, "new").status()).isEqualTo(200);
  }

  // ---- mounts ----

  @Test
  void aMountLimitsWhatIsSeen() {
    String space = node.space();
    node.put("/v1/spaces/" + space + "/entries/a/1", "one");
    node.put("/v1/spaces/" + space + "/entries/b/1", "two");
    Answer made =
        node.post(
            "/v1/spaces/" + space + "/mounts",
            """
            {"access": "read_only", "regions": ["memory"], "prefixes": ["a/"], "topics": []}""");
    assertThat(made.status()).as(made.toString()).isEqualTo(201);
    JsonNode mount = made.json();
    assertThat(mount.get("space").textValue()).isEqualTo(space);
    assertThat(mount.get("holder").textValue()).isEqualTo("local");
    assertThat(mount.get("access").textValue()).isEqualTo("read_only");
    assertThat(mount.get("prefixes").get(0).textValue()).isEqualTo("a/");
    String id = mount.get("mount").textValue();
    assertThat(node.get("/v1/mounts/" + id).json()).isEqualTo(mount);
    assertThat(node.get("/v1/spaces/" + space + "/mounts").json().get("items")).hasSize(2);

    String[] through = {"Nucleus-Mount", id};
    assertThat(node.get("/v1/spaces/" + space + "/entries/a/1", through).text()).isEqualTo("one");
    assertThat(node.get("/v1/spaces/" + space + "/entries/b/1", through).code())
        .isEqualTo("entry_not_found");
    assertThat(node.get("/v1/spaces/" + space + "/entries", through).json().get("items"))
        .hasSize(1);
    assertThat(node.put("/v1/spaces/" + space + "/entries/a/1", "x", through).code())
        .isEqualTo("forbidden");
  }

  @Test
  void withTwoMountsTheHeaderIsNeeded() {
    String space = node.space();
    String entry = "/v1/spaces/" + space + "/entries/k";
    assertThat(node.put(entry, "v").status()).isEqualTo(200);
    String second =
        node.post("/v1/spaces/" + space + "/mounts", "{\"access\": \"append_only\"}")
            .json()
            .get("mount")
            .textValue();
    Answer unclear = node.put(entry, "w");
    assertThat(unclear.status()).isEqualTo(403);
    assertThat(unclear.code()).isEqualTo("mount_required");
    assertThat(node.put(entry, "w", "Nucleus-Mount", second).code()).isEqualTo("forbidden");
    assertThat(
            node.send(
                    "POST",
                    "/v1/spaces/" + space + "/entries?prefix=l/",
                    "x",
                    "Nucleus-Mount",
                    second)
                .status())
        .isEqualTo(201);
    String other = node.space();
    assertThat(node.put("/v1/spaces/" + other + "/entries/k", "v", "Nucleus-Mount", second).code())
        .isEqualTo("mount_required");
    assertThat(node.put(entry, "w", "Nucleus-Mount", "m-none").code()).isEqualTo("mount_not_found");
  }

  @Test
  void aRevokedMountIsRefusedFromThenOn() {
    String space = node.space();
    String entry = "/v1/spaces/" + space + "/entries/k";
    String mount =
        node.post("/v1/spaces/" + space + "/mounts", "{\"access\": \"read_write\"}")
            .json()
            .get("mount")
            .textValue();
    String[] through = {"Nucleus-Mount", mount};
    assertThat(node.put(entry, "v", through).status()).isEqualTo(200);
    assertThat(node.get(entry, through).status()).isEqualTo(200);
    assertThat(node.delete("/v1/mounts/" + mount).status()).isEqualTo(204);
    for (Answer answer : List.of(node.put(entry, "w", through), node.get(entry, through))) {
      assertThat(answer.status()).isEqualTo(403);
      assertThat(answer.code()).isEqualTo("mount_revoked");
    }
    assertThat(node.get(entry).text()).isEqualTo("v"); // the other mount is the only one again
  }

  // ---- retries ----

  @Test
  void theSameKeyAndRequestIsDoneOnce() {
    String entries = "/v1/spaces/" + node.space() + "/entries";
    String[] key = {"Idempotency-Key", "0123456789abcdef", "Content-Type", "text/plain"};
    Answer first = node.send("POST", entries + "?prefix=l/", "x", key);
    Answer again = node.send("POST", entries + "?prefix=l/", "x", key);
    assertThat(first.header("Nucleus-Replayed")).isNull();
    assertThat(again.header("Nucleus-Replayed")).isEqualTo("true");
    assertThat(again.status()).isEqualTo(first.status());
    assertThat(again.text()).isEqualTo(first.text());
    assertThat(node.get(entries).json().get("items")).hasSize(1);
    Answer other = node.send("POST", entries + "?prefix=l/", "y", key);
    assertThat(other.status()).isEqualTo(422);
    assertThat(other.code()).isEqualTo("idempotency_key_reused");
    assertThat(node.put(entries + "/k", "v", "Idempotency-Key", "short").code())
        .isEqualTo("invalid_request");
  }

  @Test
  void aRequestThatIsTooOldIsNeverExecuted() {
    String entry = "/v1/spaces/" + node.space() + "/entries/k";
    // a UUIDv7 of 2020
    String old = "016f5e66-e800-7000-8000-000000000001";
    Answer answer = node.put(entry, "v", "Idempotency-Key", old);
    assertThat(answer.status()).as(answer.toString()).isEqualTo(409);
    assertThat(answer.code()).isEqualTo("request_too_old");
    assertThat(node.get(entry).status()).isEqualTo(404);
  }

  @Test
  void creationsAreRepeatedWithTheSameAnswer() {
    String name = TestNode.fresh("space");
    String json = "{\"name\": \"" + name + "\", \"kind\": \"shared\"}";
    String[] key = {"Idempotency-Key", name + "-0123456789"};
    Answer first = create(json, key);
    Answer again = create(json, key);
    assertThat(again.status()).isEqualTo(201);
    assertThat(again.header("Nucleus-Replayed")).isEqualTo("true");
    assertThat(again.json()).isEqualTo(first.json());
    assertThat(create(json.replace("shared", "private"), key).code())
        .isEqualTo("idempotency_key_reused");
    String mounts = "/v1/spaces/" + name + "/mounts";
    String[] other = {"Idempotency-Key", name + "-mount-0123456789"};
    String mount = node.post(mounts, "{\"access\": \"read_only\"}", other).text();
    assertThat(node.post(mounts, "{\"access\": \"read_only\"}", other).text()).isEqualTo(mount);
    assertThat(node.get(mounts).json().get("items")).hasSize(2);
  }
}
