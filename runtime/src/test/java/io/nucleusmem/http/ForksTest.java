package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.http.TestNode.Answer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Forks, bookmarks, differences and merges: of section 9 of the contract. */
class ForksTest {
  private static TestNode node;

  @BeforeAll
  static void start(@TempDir Path dir) {
    node = TestNode.start(dir.resolve("data"));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static void put(String space, String key, String value) {
    Answer put = node.put("/v1/spaces/" + space + "/entries/" + key, value);
    assertThat(put.status()).as(put.toString()).isEqualTo(200);
  }

  private static String get(String space, String key) {
    return node.get("/v1/spaces/" + space + "/entries/" + key).text();
  }

  private static String fork(String space, String at) {
    String name = TestNode.fresh("fork");
    Answer made =
        node.post(
            "/v1/spaces/" + space + "/forks", "{\"name\":\"" + name + "\",\"at\":" + at + "}");
    assertThat(made.status()).as(made.toString()).isEqualTo(201);
    assertThat(made.header("Location")).isEqualTo("/v1/spaces/" + name);
    assertThat(made.json().get("mount").textValue()).isNotEmpty();
    assertThat(made.json().get("base").get("space").textValue()).isEqualTo(space);
    return name;
  }

  @Test
  void aForkIsMadeReadAndKeepsItsBase() {
    String space = node.space();
    put(space, "a", "1");
    put(space, "a", "2");
    String first = fork(space, "1");
    assertThat(node.get("/v1/spaces/" + first).json().get("base").get("revision").longValue())
        .isEqualTo(1);
    assertThat(get(first, "a")).isEqualTo("1");
    put(first, "b", "own");
    assertThat(get(space, "b")).contains("entry_not_found");
    assertThat(node.get("/v1/spaces/" + first + "/history/a").json().get("items")).hasSize(1);
    Answer pinned = node.delete("/v1/spaces/" + space);
    assertThat(pinned.status()).isEqualTo(409);
    assertThat(pinned.code()).isEqualTo("space_pinned");
    String second = fork(first, "\"2\"");
    assertThat(get(second, "a")).isEqualTo("1");
    for (String each : List.of(second, first, space)) {
      assertThat(node.delete("/v1/spaces/" + each).status()).isEqualTo(204);
    }
    String gone = TestNode.fresh("fork");
    assertThat(
            node.post("/v1/spaces/" + space + "/forks", "{\"name\":\"" + gone + "\",\"at\":1}")
                .code())
        .isEqualTo("space_not_found");
  }

  @Test
  void whatCanNotBeForkedIsRefusedByName() {
    String space = node.space();
    put(space, "a", "1");
    String forks = "/v1/spaces/" + space + "/forks";
    assertThat(node.post(forks, "{\"at\":1}").json().get("field").textValue()).isEqualTo("name");
    Answer future = node.post(forks, "{\"name\":\"x-" + space + "\",\"at\":99}");
    assertThat(future.code()).isEqualTo("as_of_in_future");
    assertThat(future.json().get("field").textValue()).isEqualTo("at");
    assertThat(node.post(forks, "{\"name\":\"x-" + space + "\",\"at\":0}").code())
        .isEqualTo("invalid_request");
    assertThat(
            node.post(forks, "{\"name\":\"x-" + space + "\",\"at\":\"2999-01-01T00:00:00Z\"}")
                .code())
        .isEqualTo("as_of_in_future");
    assertThat(node.post(forks, "{\"name\":\"x-" + space + "\",\"at\":\"nothing\"}").code())
        .isEqualTo("invalid_request");
    assertThat(node.post(forks, "{\"name\":\"x-" + space + "\",\"at\":true}").code())
        .isEqualTo("invalid_request");
    assertThat(node.post(forks, "{\"name\":\"" + space + "\",\"at\":1}").code())
        .isEqualTo("space_exists");
    assertThat(node.delete("/v1/spaces/" + space).status()).isEqualTo(204); // no pin is left
  }

  @Test
  void aKeyIsResolvedByOneOfTheSides() {
    String space = node.space();
    put(space, "a", "1");
    String fork = TestNode.fresh("fork");
    node.post("/v1/spaces/" + space + "/forks", "{\"name\":\"" + fork + "\"}");
    Answer refused = node.post("/v1/spaces/" + fork + "/merge", "{\"resolve\":{\"a\":\"fail\"}}");
    assertThat(refused.code()).isEqualTo("invalid_request");
    assertThat(refused.json().get("accepted").textValue()).isEqualTo("ours or theirs");
  }

  @Test
  void aBookmarkNamesAStateWhereverOneIsNamed() {
    String space = node.space();
    put(space, "a", "1");
    String bookmark = "/v1/spaces/" + space + "/bookmarks/before";
    Answer set = node.putJson(bookmark, "{\"at\": 1}");
    assertThat(set.status()).as(set.toString()).isEqualTo(200);
    assertThat(set.json().get("revision").longValue()).isEqualTo(1);
    put(space, "a", "2");
    assertThat(node.get(bookmark).json().get("name").textValue()).isEqualTo("before");
    assertThat(node.get("/v1/spaces/" + space + "/bookmarks").json().get("items")).hasSize(1);
    assertThat(node.get("/v1/spaces/" + space + "/entries/a?as_of=before").text()).isEqualTo("1");
    String fork = fork(space, "\"before\"");
    assertThat(get(fork, "a")).isEqualTo("1");
    assertThat(keys(node.get("/v1/spaces/" + space + "/diff?from=before")))
        .containsExactly("a changed");
    assertThat(node.delete(bookmark).status()).isEqualTo(204);
    assertThat(node.get(bookmark).code()).isEqualTo("bookmark_not_found");
    assertThat(node.putJson("/v1/spaces/" + space + "/bookmarks/12", "{}").code())
        .isEqualTo("invalid_request");
  }

  private static List<String> keys(Answer diff) {
    assertThat(diff.status()).as(diff.toString()).isEqualTo(200);
    List<String> keys = new ArrayList<>();
    for (JsonNode item : diff.json().get("items")) {
      keys.add(item.get("key").textValue() + " " + item.get("change").textValue());
    }
    return keys;
  }

  @Test
  void aForkIsFlattenedOnDemandAndReadsAsBefore() {
    String space = node.space();
    put(space, "a", "1");
    put(space, "a", "2");
    String fork = fork(space, "2");
    Answer begun = node.post("/v1/spaces/" + fork + "/flatten", "");
    assertThat(begun.status()).as(begun.toString()).isEqualTo(202);
    String operation = "/v1/operations/" + begun.json().get("id").textValue();
    Answer ended = node.get(operation);
    while (ended.json().get("state").textValue().equals("running")) {
      ended = node.get(operation);
    }
    assertThat(ended.json().get("state").textValue()).as(ended.toString()).isEqualTo("done");
    assertThat(ended.json().get("result").get("layers").intValue()).isEqualTo(1);
    assertThat(node.get("/v1/spaces/" + fork + "/entries/a?as_of=1").text()).isEqualTo("1");
    assertThat(get(fork, "a")).isEqualTo("2");
  }

  @Test
  void aForkIsComparedAndMerged() {
    String space = node.space();
    put(space, "a", "1");
    put(space, "b", "1");
    String fork = fork(space, "2");
    put(fork, "a", "2");
    put(fork, "c", "1");
    assertThat(node.delete("/v1/spaces/" + fork + "/entries/b").status()).isEqualTo(200);
    Answer diff = node.get("/v1/spaces/" + fork + "/diff?with=" + space);
    assertThat(keys(diff)).containsExactly("a changed", "b removed", "c added");
    assertThat(keys(node.get("/v1/spaces/" + space + "/diff?with=" + fork)))
        .containsExactly("a changed", "b removed", "c added");
    JsonNode changed = diff.json().get("items").get(0);
    assertThat(changed.get("before").get("value").textValue()).isEqualTo("1");
    assertThat(changed.get("after").get("value").textValue()).isEqualTo("2");
    assertThat(changed.get("authors").get(0).textValue()).isEqualTo("local");
    Answer page = node.get("/v1/spaces/" + fork + "/diff?with=" + space + "&limit=2");
    assertThat(
            keys(
                node.get(
                    "/v1/spaces/%s/diff?with=%s&limit=2&cursor=%s"
                        .formatted(fork, space, page.json().get("next").textValue()))))
        .containsExactly("c added");
    assertThat(node.get("/v1/spaces/" + fork + "/diff").code()).isEqualTo("invalid_request");
    Answer second =
        node.post(
            "/v1/spaces/" + space + "/mounts", "{\"access\":\"read_only\",\"prefixes\":[\"a\"]}");
    String with = "/v1/spaces/" + fork + "/diff?with=" + space;
    assertThat(node.get(with).code()).isEqualTo("mount_required");
    String mount = second.json().get("mount").textValue();
    assertThat(keys(node.get(with + "&with_mount=" + mount)))
        .containsExactly("a changed", "c added");
    assertThat(
            node.get("/v1/spaces/" + space + "/diff?with=" + fork + "&with_mount=" + mount).code())
        .isIn("invalid_request", "mount_required");
    assertThat(node.delete("/v1/mounts/" + mount).status()).isEqualTo(204);

    put(space, "a", "other");
    String merge = "/v1/spaces/" + fork + "/merge";
    Answer conflict = node.post(merge, "{\"policy\":\"fail\"}");
    assertThat(conflict.status()).isEqualTo(409);
    assertThat(conflict.code()).isEqualTo("merge_conflict");
    assertThat(conflict.json().get("conflicts").get(0).get("key").textValue()).isEqualTo("a");
    assertThat(get(space, "b")).isEqualTo("1");
    Answer merged = node.post(merge, "{\"policy\":\"fail\",\"resolve\":{\"a\":\"theirs\"}}");
    assertThat(merged.status()).as(merged.toString()).isEqualTo(200);
    assertThat(merged.json().get("merged").intValue()).isEqualTo(3);
    assertThat(merged.json().get("atomic").booleanValue()).isTrue();
    assertThat(get(space, "a")).isEqualTo("2");
    assertThat(get(space, "c")).isEqualTo("1");
    assertThat(node.post(merge, "{\"policy\":\"mine\"}").code()).isEqualTo("invalid_request");
    assertThat(node.post("/v1/spaces/" + space + "/merge", "{}").code())
        .isEqualTo("invalid_request");
    assertThat(node.post("/v1/spaces/" + space + "/archive", "").status()).isEqualTo(200);
    put(fork, "a", "3");
    assertThat(node.post(merge, "{}").code()).isEqualTo("space_archived");
  }

  @Test
  void everythingIsShownAsItWasAtAnInstant() {
    String space = node.space();
    put(space, "a", "1");
    String then = node.get("/v1/spaces/" + space + "/entries/a").header("Nucleus-At");
    String cut = "/v1/as-of/" + then;
    Answer entries = node.get(cut + "/entries?space=" + space + "&values=true");
    assertThat(entries.status()).as(entries.toString()).isEqualTo(200);
    assertThat(entries.json().get("items").get(0).get("value").textValue()).isEqualTo("1");
    put(space, "a", "2");
    assertThat(node.get(cut + "/spaces?limit=1000").text()).contains(space);
    assertThat(node.get(cut + "/mounts?limit=1000").text()).contains(space);
    assertThat(node.get(cut + "/agents").json().get("items")).isEmpty();
    assertThat(node.get(cut + "/routes").json().get("items")).isEmpty();
    String route = TestNode.fresh("route");
    Answer routed =
        node.send(
            "PUT",
            "/v1/routes/" + route,
            "{\"target\":{\"space\":\"%s\",\"topic\":\"t\"},\"description\":\"d\",\"examples\":[\"e\"]}"
                .formatted(space),
            "Content-Type",
            "application/json");
    assertThat(routed.status()).as(routed.toString()).isEqualTo(201);
    String registered = routed.json().get("at").textValue();
    assertThat(node.get("/v1/as-of/" + registered + "/routes?limit=1000").text()).contains(route);
    assertThat(node.get(cut + "/routes?limit=1000").text()).doesNotContain(route);
    assertThat(node.get("/v1/as-of/2999-01-01T00:00:00Z/routes").code())
        .isEqualTo("as_of_in_future");
    assertThat(node.get("/v1/as-of/2999-01-01T00:00:00Z/spaces").code())
        .isEqualTo("as_of_in_future");
    for (String far : new String[] {"9999-12-31T23:59:59Z", "+999999999-12-31T23:59:59Z"}) {
      assertThat(node.get("/v1/as-of/" + far + "/spaces").code()).isEqualTo("as_of_in_future");
      assertThat(
              node.get("/v1/spaces/" + space + "/entries/a?as_of=" + far.replace("+", "%2B"))
                  .code())
          .isEqualTo("as_of_in_future");
    }
    for (String old : new String[] {"1900-01-01T00:00:00Z", "-999999999-01-01T00:00:00Z"}) {
      assertThat(node.get("/v1/as-of/" + old + "/spaces").json().get("items")).isEmpty();
      assertThat(node.get("/v1/spaces/" + space + "/entries/a?as_of=" + old).text())
          .doesNotContain("future")
          .doesNotContain("\"internal\"");
    }
    assertThat(node.get("/v1/as-of/then/spaces").code()).isEqualTo("invalid_request");
    assertThat(node.get("/v1/as-of/2001-01-01T00:00:00Z/spaces").json().get("items")).isEmpty();
  }
}
