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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Section 3 of the contract, line by line, from outside. */
class EntriesTest {
  private static TestNode node;
  private String space;
  private String entries;

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
    space = node.space();
    entries = "/v1/spaces/" + space + "/entries";
  }

  @Test
  void createPutGetIsThreeCalls() {
    Answer put = node.put(entries + "/greeting", "hello");
    assertThat(put.status()).isEqualTo(200);
    assertThat(put.header("ETag")).isEqualTo("\"1\"");
    assertThat(put.json().get("space").textValue()).isEqualTo(space);
    assertThat(put.json().get("region").textValue()).isEqualTo("memory");
    assertThat(put.json().get("key").textValue()).isEqualTo("greeting");
    assertThat(put.json().get("revision").longValue()).isEqualTo(1);
    assertThat(put.json().get("at").textValue())
        .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");

    Answer got = node.get(entries + "/greeting");
    assertThat(got.status()).isEqualTo(200);
    assertThat(got.text()).isEqualTo("hello");
    assertThat(got.header("Content-Type")).isEqualTo("text/plain; charset=UTF-8");
    assertThat(got.header("ETag")).isEqualTo("\"1\"");
    assertThat(got.header("Nucleus-Revision")).isEqualTo("1");
    assertThat(got.header("Nucleus-At")).isEqualTo(put.json().get("at").textValue());
    assertThat(got.header("Nucleus-Author")).isEqualTo("local");
  }

  @Test
  void bytesComeBackAsTheyWere() {
    byte[] all = new byte[256];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) i;
    }
    node.send("PUT", entries + "/raw", all, "Content-Type", "image/png");
    Answer got = node.get(entries + "/raw");
    assertThat(got.bytes()).isEqualTo(all);
    assertThat(got.header("Content-Type")).isEqualTo("image/png");
    node.send("PUT", entries + "/untyped", all);
    assertThat(node.get(entries + "/untyped").header("Content-Type"))
        .isEqualTo("application/octet-stream");
    node.put(entries + "/empty", "");
    assertThat(node.get(entries + "/empty").bytes()).isEmpty();
  }

  @Test
  void keysAreTheRestOfThePathDecoded() {
    for (String encoded :
        List.of("plan%2F7", "plan//7", "a%20b+c", "%C3%A9%F0%9F%98%80", "100%25", "x/", "a/../b")) {
      String key =
          switch (encoded) {
            case "plan%2F7" -> "plan/7";
            case "a%20b+c" -> "a b+c";
            case "%C3%A9%F0%9F%98%80" -> "é😀";
            case "100%25" -> "100%";
            default -> encoded;
          };
      Answer put = node.put(entries + "/" + encoded, "value of " + key);
      assertThat(put.status()).as(encoded).isEqualTo(200);
      assertThat(put.json().get("key").textValue()).isEqualTo(key);
      assertThat(node.get(entries + "/" + encoded).text()).isEqualTo("value of " + key);
    }
    assertThat(node.get(entries + "/plan/7").text()).isEqualTo("value of plan/7");
    assertThat(node.put(entries + "/a%FFb", "no UTF-8").code()).isEqualTo("invalid_request");
    assertThat(node.put(entries + "/", "no key").code()).isEqualTo("invalid_request");
    assertThat(node.put(entries + "/" + "k".repeat(1_025), "too long").code())
        .isIn("too_large", "invalid_request");
  }

  @Test
  void regionsAreKeptApart() {
    node.put(entries + "/k?region=task", "a task");
    assertThat(node.get(entries + "/k").code()).isEqualTo("entry_not_found");
    assertThat(node.get(entries + "/k?region=task").text()).isEqualTo("a task");
    Answer unknown = node.get(entries + "/k?region=tasks");
    assertThat(unknown.status()).isEqualTo(400);
    assertThat(unknown.json().get("field").textValue()).isEqualTo("region");
    assertThat(unknown.json().get("accepted").textValue()).contains("task");
  }

  @Test
  void putIfRevisionSucceedsOnceAndTellsTheLoserWhatIsThere() {
    node.put(entries + "/k", "one");
    assertThat(node.put(entries + "/k", "two", "If-Match", "\"1\"").status()).isEqualTo(200);
    Answer lost = node.put(entries + "/k", "other", "If-Match", "\"1\"");
    assertThat(lost.status()).isEqualTo(412);
    assertThat(lost.code()).isEqualTo("revision_mismatch");
    assertThat(lost.json().get("current_revision").longValue()).isEqualTo(2);
    assertThat(lost.json().get("current_value").textValue()).isEqualTo("two");
    assertThat(node.get(entries + "/k").text()).isEqualTo("two");
    Answer absent = node.put(entries + "/none", "x", "If-Match", "\"7\"");
    assertThat(absent.json().get("current_revision").longValue()).isZero();
    assertThat(absent.json().has("current_value")).isFalse();
    assertThat(node.put(entries + "/k", "x", "If-Match", "abc").code())
        .isEqualTo("invalid_request");
  }

  @Test
  void mismatchShowsBytesInBase64AndLargeValuesNotAtAll() {
    node.send("PUT", entries + "/b", new byte[] {-1, 0}, "Content-Type", "image/png");
    JsonNode problem = node.put(entries + "/b", "x", "If-None-Match", "*").json();
    assertThat(problem.get("current_value_base64").textValue()).isEqualTo("/wA=");
    node.put(entries + "/large", "x".repeat(4_097));
    JsonNode large = node.put(entries + "/large", "x", "If-None-Match", "*").json();
    assertThat(large.has("current_value")).isFalse();
    assertThat(large.get("current_revision").longValue()).isEqualTo(2);
  }

  @Test
  void putIfAbsentIs201Once() {
    Answer first = node.put(entries + "/k", "one", "If-None-Match", "*");
    assertThat(first.status()).isEqualTo(201);
    assertThat(node.put(entries + "/k", "two", "If-None-Match", "*").status()).isEqualTo(412);
    node.delete(entries + "/k");
    assertThat(node.put(entries + "/k", "three", "If-None-Match", "*").status()).isEqualTo(201);
  }

  @Test
  void readsThatHaveItAlreadyGet304() {
    node.put(entries + "/k", "one");
    Answer same = node.get(entries + "/k", "If-None-Match", "\"1\"");
    assertThat(same.status()).isEqualTo(304);
    assertThat(same.bytes()).isEmpty();
    assertThat(same.header("ETag")).isEqualTo("\"1\"");
    node.put(entries + "/k", "two");
    assertThat(node.get(entries + "/k", "If-None-Match", "\"1\"").text()).isEqualTo("two");
  }

  @Test
  void headHasTheHeadersAndNoBody() {
    node.put(entries + "/k", "hello");
    Answer head = node.send("HEAD", entries + "/k", (byte[]) null);
    assertThat(head.status()).isEqualTo(200);
    assertThat(head.bytes()).isEmpty();
    assertThat(head.header("Content-Type")).isEqualTo("text/plain; charset=UTF-8");
    assertThat(head.header("Nucleus-Revision")).isEqualTo("1");
    assertThat(head.header("ETag")).isEqualTo("\"1\"");
    assertThat(node.send("HEAD", entries + "/none", (byte[]) null).status()).isEqualTo(404);
  }

  @Test
  void deleteNeedsSomethingToDelete() {
    node.put(entries + "/k", "one");
    assertThat(node.delete(entries + "/k", "If-Match", "\"9\"").status()).isEqualTo(412);
    Answer deleted = node.delete(entries + "/k");
    assertThat(deleted.status()).isEqualTo(200);
    assertThat(deleted.json().get("revision").longValue()).isEqualTo(2);
    assertThat(node.delete(entries + "/k").code()).isEqualTo("entry_not_found");
    assertThat(node.get(entries + "/k").code()).isEqualTo("entry_not_found");
  }

  @Test
  void mergePatchIsDecidedAtTheOwner() {
    String type = "application/merge-patch+json";
    node.send(
        "PUT", entries + "/j", "{\"a\":1,\"b\":{\"c\":2}}", "Content-Type", "application/json");
    Answer patched =
        node.send("PATCH", entries + "/j", "{\"a\":null,\"b\":{\"d\":3}}", "Content-Type", type);
    assertThat(patched.status()).isEqualTo(200);
    assertThat(patched.header("ETag")).isEqualTo("\"2\"");
    assertThat(patched.json().get("value").textValue()).isEqualTo("{\"b\":{\"c\":2,\"d\":3}}");
    assertThat(node.get(entries + "/j").json().get("b").get("d").intValue()).isEqualTo(3);
    node.put(entries + "/text", "no JSON");
    assertThat(node.send("PATCH", entries + "/text", "{}", "Content-Type", type).code())
        .isEqualTo("not_json");
    Answer other = node.send("PATCH", entries + "/j", "{}", "Content-Type", "application/json");
    assertThat(other.status()).isEqualTo(415);
    assertThat(other.code()).isEqualTo("unsupported_media_type");
    assertThat(
            node.send("PATCH", entries + "/j", "{}", "Content-Type", type, "If-Match", "\"1\"")
                .status())
        .isEqualTo(412);
  }

  @Test
  void appendedKeysSortByArrival() {
    Answer first = node.send("POST", entries + "?prefix=log/", "one", "Content-Type", "text/plain");
    assertThat(first.status()).isEqualTo(201);
    assertThat(first.json().get("key").textValue()).isEqualTo("log/00000000000000000001");
    assertThat(first.header("Location")).isEqualTo(entries + "/log/00000000000000000001");
    node.send("POST", entries + "?prefix=log/", "two", "Content-Type", "text/plain");
    assertThat(node.get(first.header("Location")).text()).isEqualTo("one");
    assertThat(keys(node.get(entries + "?prefix=log/")))
        .containsExactly("log/00000000000000000001", "log/00000000000000000002");
  }

  @Test
  void thePastCanBeReadByRevisionAndByInstant() {
    Answer first = node.put(entries + "/k", "one");
    String at = first.json().get("at").textValue();
    node.put(entries + "/k", "two");
    node.delete(entries + "/k");
    assertThat(node.get(entries + "/k?as_of=1").text()).isEqualTo("one");
    assertThat(node.get(entries + "/k?as_of=2").text()).isEqualTo("two");
    assertThat(node.get(entries + "/k?as_of=3").code()).isEqualTo("entry_not_found");
    String before = Instant.parse(at).minusMillis(1).toString();
    assertThat(node.get(entries + "/k?as_of=" + before).code()).isEqualTo("entry_not_found");
    assertThat(node.get(entries + "/k?as_of=" + at).status()).isIn(200, 404);
    Answer future = node.get(entries + "/k?as_of=99");
    assertThat(future.status()).isEqualTo(400);
    assertThat(future.code()).isEqualTo("as_of_in_future");
    assertThat(node.get(entries + "/k?as_of=2999-01-01T00:00:00Z").code())
        .isEqualTo("as_of_in_future");
    assertThat(node.get(entries + "/k?as_of=yesterday").code()).isEqualTo("invalid_request");
    assertThat(node.get(entries + "/k?as_of=0").code()).isEqualTo("invalid_request");
  }

  @Test
  void readsMayAcceptLess() {
    node.put(entries + "/k", "one");
    assertThat(node.get(entries + "/k", "Nucleus-At-Least", "1").text()).isEqualTo("one");
    assertThat(node.get(entries + "/k", "Nucleus-Max-Age-Ms", "60000").status()).isEqualTo(200);
    assertThat(node.get(entries + "/k", "Nucleus-Max-Age-Ms", "soon").code())
        .isEqualTo("invalid_request");
  }

  @Test
  void metadataTravelsInItsHeader() {
    node.put(entries + "/k", "one", "Nucleus-Metadata", "{\"source\":\"test\"}");
    Answer got = node.get(entries + "/k");
    assertThat(got.header("Nucleus-Metadata")).isEqualTo("{\"source\":\"test\"}");
    assertThat(node.put(entries + "/k", "x", "Nucleus-Metadata", "{\"a\":1}").code())
        .isEqualTo("invalid_request");
    assertThat(
            node.put(
                    entries + "/k",
                    "x",
                    "Nucleus-Metadata",
                    "{\"a\":\"" + "y".repeat(4_096) + "\"}")
                .status())
        .isEqualTo(413);
  }

  @Test
  void aScansPagesFitTogetherWhateverIsWrittenMeanwhile() {
    for (int i = 0; i < 5; i++) {
      node.put(entries + "/p/" + i, "v" + i);
    }
    node.put(entries + "/q", "not asked for");
    Answer first = node.get(entries + "?prefix=p/&limit=2&values=true");
    assertThat(keys(first)).containsExactly("p/0", "p/1");
    assertThat(first.json().get("revision").longValue()).isEqualTo(6);
    JsonNode item = first.json().get("items").get(0);
    assertThat(item.get("value").textValue()).isEqualTo("v0");
    assertThat(item.get("region").textValue()).isEqualTo("memory");
    assertThat(item.get("revision").longValue()).isEqualTo(1);
    assertThat(item.get("author").textValue()).isEqualTo("local");
    assertThat(item.get("content_type").textValue()).startsWith("text/plain");
    assertThat(item.get("size").intValue()).isEqualTo(2);
    assertThat(item.get("metadata").isObject()).isTrue();
    assertThat(item.get("at").isTextual()).isTrue();
    node.put(entries + "/p/3", "changed");
    node.put(entries + "/p/9", "new");

    List<String> rest = new ArrayList<>();
    String next = first.json().get("next").textValue();
    while (next != null) {
      Answer page = node.get(entries + "?prefix=p/&limit=2&values=true&cursor=" + next);
      assertThat(page.status()).isEqualTo(200);
      page.json().get("items").forEach(found -> rest.add(found.get("value").textValue()));
      next = page.json().get("next").textValue();
    }
    assertThat(rest).containsExactly("v2", "v3", "v4");
  }

  @Test
  void scansGoBothWaysAndIntoThePast() {
    node.put(entries + "/a", "1");
    node.put(entries + "/b", "2");
    node.delete(entries + "/a");
    assertThat(keys(node.get(entries))).containsExactly("b");
    assertThat(keys(node.get(entries + "?as_of=2&order=desc"))).containsExactly("b", "a");
    assertThat(node.get(entries).json().get("next").isNull()).isTrue();
    assertThat(node.get(entries).json().get("items").get(0).has("value")).isFalse();
    assertThat(node.get(entries + "?order=up").code()).isEqualTo("invalid_request");
    assertThat(node.get(entries + "?limit=1001").code()).isEqualTo("invalid_request");
    assertThat(node.get(entries + "?limit=0").code()).isEqualTo("invalid_request");
    assertThat(node.get(entries + "?cursor=nonsense").code()).isEqualTo("invalid_request");
  }

  @Test
  void scansGiveBytesInBase64() {
    node.send("PUT", entries + "/b", new byte[] {-1, 0}, "Content-Type", "text/plain");
    JsonNode item = node.get(entries + "?values=true").json().get("items").get(0);
    assertThat(item.get("value_base64").textValue()).isEqualTo("/wA=");
    assertThat(item.has("value")).isFalse();
  }

  @Test
  void historyShowsDeletionsNewestFirst() {
    node.put(entries + "/h/1", "one");
    node.put(entries + "/h/1", "two");
    node.delete(entries + "/h/1");
    String history = "/v1/spaces/" + space + "/history/h/1";
    JsonNode items = node.get(history).json().get("items");
    assertThat(items).hasSize(3);
    assertThat(items.get(0).get("deleted").booleanValue()).isTrue();
    assertThat(items.get(0).get("revision").longValue()).isEqualTo(3);
    assertThat(items.get(1).has("deleted")).isFalse();
    assertThat(items.get(2).get("revision").longValue()).isEqualTo(1);
    Answer page = node.get(history + "?limit=2");
    JsonNode last =
        node.get(history + "?limit=2&cursor=" + page.json().get("next").textValue()).json();
    assertThat(last.get("items")).hasSize(1);
    assertThat(last.get("next").isNull()).isTrue();
    assertThat(node.get("/v1/spaces/" + space + "/history/none").json().get("items")).isEmpty();
  }

  // ---- batch ----

  @Test
  void aBatchIsOneRevision() {
    Answer answer =
        batch(
            """
            {"ops": [
              {"op": "put", "key": "a", "value": "1"},
              {"op": "put", "key": "b", "region": "task", "value_base64": "/wA=", "metadata": {"k": "v"}},
              {"op": "append", "key": "log/", "value": "x"},
              {"op": "append", "key": "log/", "value": "y"},
              {"op": "add", "key": "n", "amount": 5},
              {"op": "merge", "key": "j", "value": "{\\"x\\":1}"},
              {"op": "check", "key": "none", "if_revision": 0}
            ]}""");
    assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    JsonNode body = answer.json();
    assertThat(body.get("revision").longValue()).isEqualTo(1);
    assertThat(body.get("at").isTextual()).isTrue();
    List<String> keys = new ArrayList<>();
    body.get("keys").forEach(key -> keys.add(key.textValue()));
    assertThat(keys)
        .containsExactly(
            "a", "b", "log/00000000000000000001", "log/00000000000000000001.1", "n", "j", "none");
    assertThat(body.get("values").get(4).longValue()).isEqualTo(5);
    assertThat(body.get("values").get(5).textValue()).isEqualTo("{\"x\":1}");
    assertThat(body.get("values").get(0).isNull()).isTrue();
    assertThat(node.get(entries + "/n").text()).isEqualTo("5");
    assertThat(node.get(entries + "/b?region=task").bytes()).containsExactly(-1, 0);
    assertThat(node.get(entries + "/b?region=task").header("Nucleus-Metadata"))
        .isEqualTo("{\"k\":\"v\"}");
  }

  @Test
  void aBatchIsAllOrNothingAndNamesWhatFailed() {
    node.put(entries + "/b", "old");
    Answer answer =
        batch(
            """
            {"ops": [{"op": "put", "key": "a", "value": "1"},
                     {"op": "put", "key": "b", "value": "2", "if_revision": 7}]}""");
    assertThat(answer.status()).isEqualTo(412);
    assertThat(answer.json().get("index").intValue()).isEqualTo(1);
    assertThat(answer.json().get("current_revision").longValue()).isEqualTo(1);
    assertThat(answer.json().get("current_value").textValue()).isEqualTo("old");
    assertThat(node.get(entries + "/a").code()).isEqualTo("entry_not_found");
  }

  @Test
  void aBatchRefusesWhatItDoesNotKnow() {
    assertThat(batch("{\"ops\": []}").code()).isEqualTo("invalid_request");
    assertThat(batch("{}").code()).isEqualTo("invalid_request");
    Answer op = batch("{\"ops\": [{\"op\": \"swap\", \"key\": \"a\"}]}");
    assertThat(op.json().get("detail").textValue()).contains("swap", "merge");
    assertThat(op.json().get("index").intValue()).isZero();
    Answer field = batch("{\"ops\": [{\"op\": \"put\", \"key\": \"a\", \"valu\": \"1\"}]}");
    assertThat(field.json().get("field").textValue()).isEqualTo("ops[0].valu");
    assertThat(batch("{\"ops\": [{\"op\": \"put\", \"key\": \"a\"}]}").code())
        .isEqualTo("invalid_request");
    assertThat(batch("{\"ops\": [{\"op\": \"delete\", \"key\": \"a\", \"value\": \"1\"}]}").code())
        .isEqualTo("invalid_request");
    assertThat(
            batch(
                    "{\"ops\": [{\"op\": \"put\", \"key\": \"a\", \"value\": \"1\"},"
                        + " {\"op\": \"put\", \"key\": \"a\", \"value\": \"2\"}]}")
                .code())
        .isEqualTo("invalid_request");
    node.put(entries + "/text", "x");
    assertThat(batch("{\"ops\": [{\"op\": \"add\", \"key\": \"text\", \"amount\": 1}]}").code())
        .isEqualTo("not_a_number");
  }

  private Answer batch(String json) {
    return node.post("/v1/spaces/" + space + "/batch", json);
  }

  private static List<String> keys(Answer page) {
    List<String> keys = new ArrayList<>();
    page.json().get("items").forEach(item -> keys.add(item.get("key").textValue()));
    return keys;
  }
}
