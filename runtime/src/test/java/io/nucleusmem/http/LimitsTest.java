package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.http.TestNode.Answer;
import io.nucleusmem.http.TestNode.Events;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Errors of every kind as problem+json, and what happens at a limit. */
@Timeout(120)
class LimitsTest {
  private static TestNode node;
  private String space;

  @BeforeAll
  static void start(@TempDir Path dir) {
    node =
        TestNode.start(
            dir.resolve("data"),
            "nucleusmem.http.progress-interval = 100ms",
            "nucleusmem.http.streams-max = 3",
            "nucleusmem.http.json-bytes-max = 2 MiB",
            "nucleusmem.http.drain-bytes-max = 8 MiB",
            "nucleusmem.memspace.value-bytes-max = 1 MiB");
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @BeforeEach
  void makeSpace() {
    space = "/v1/spaces/" + node.space();
  }

  // ---- errors ----

  @Test
  void unknownPathsAre404() {
    for (String path :
        List.of("/", "/v1", "/v2/spaces", "/v1/nowhere", "/v1/spaces/", space + "/nowhere")) {
      Answer answer = node.get(path);
      assertThat(answer.status()).as(path).isEqualTo(404);
      assertThat(answer.code()).isEqualTo("not_found");
      assertThat(answer.json().get("detail").textValue()).contains(path);
    }
  }

  @Test
  void anotherMethodIs405AndNamesTheRightOnes() {
    Answer answer = node.delete("/v1/spaces");
    assertThat(answer.status()).isEqualTo(405);
    assertThat(answer.code()).isEqualTo("method_not_allowed");
    assertThat(answer.header("Allow")).isEqualTo("GET, POST");
    assertThat(node.send("POST", space + "/entries/k", "x").header("Allow"))
        .isEqualTo("DELETE, GET, PATCH, PUT");
    assertThat(node.send("PURGE", space, (byte[]) null).code()).isEqualTo("method_not_allowed");
  }

  @Test
  void unknownFieldsAreRefusedByName() {
    Answer answer =
        node.post("/v1/spaces", "{\"name\": \"x\", \"kind\": \"shared\", \"lables\": {}}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.code()).isEqualTo("invalid_request");
    assertThat(answer.json().get("field").textValue()).isEqualTo("lables");
    assertThat(answer.json().get("accepted").textValue()).contains("labels");
    assertThat(node.get("/v1/spaces?labels=a:b").json().get("field").textValue())
        .isEqualTo("labels");
  }

  @Test
  void whatIsNoJsonIsRefusedWithItsPlace() {
    for (String bad :
        List.of(
            "",
            "{",
            "[]",
            "null",
            "\"text\"",
            "{\"name\": 1, \"kind\": \"shared\"}",
            "{\"name\": \"a\", \"name\": \"b\", \"kind\": \"shared\"}",
            "{\"name\": \"a\", \"kind\": \"shared\"} {}",
            "{\"name\": \"a\", \"kind\": \"shared\", \"labels\": {\"a\": null}}",
            "{\"name\": \"a\", \"kind\": \"shared\", \"retention\": {\"max_versions\": 1.5}}",
            "{\"name\": \"a\", \"kind\": \"shared\", \"retention\": {\"max_versions\": 0}}")) {
      Answer answer = node.post("/v1/spaces", bad);
      assertThat(answer.status()).as(bad).isEqualTo(400);
      assertThat(answer.code()).as(bad).isEqualTo("invalid_request");
    }
    assertThat(node.post("/v1/spaces", "{\n  x}").json().get("detail").textValue())
        .contains("line 2");
  }

  @Test
  void anotherMediaTypeIs415() {
    Answer answer =
        node.send(
            "POST", "/v1/spaces", "name=x", "Content-Type", "application/x-www-form-urlencoded");
    assertThat(answer.status()).isEqualTo(415);
    assertThat(answer.code()).isEqualTo("unsupported_media_type");
    assertThat(answer.json().get("accepted").textValue()).isEqualTo("application/json");
  }

  @Test
  void whatTheParserRefusesIsAProblemToo() throws IOException {
    for (String request :
        List.of(
            "FOO(BAR / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET " + "/x".repeat(20_000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: " + "x".repeat(20_000) + "\r\n\r\n",
            "GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n")) {
      String answer = raw(request);
      assertThat(answer).as(request.substring(0, 8)).startsWith("HTTP/1.1 ");
      assertThat(answer).contains("application/problem+json", "\"code\":");
    }
  }

  // ---- limits ----

  @Test
  void aValueThatIsTooLargeIs413AndTheConnectionStays() {
    byte[] fits = new byte[1 << 20];
    assertThat(node.send("PUT", space + "/entries/k", fits).status()).isEqualTo(200);
    Answer answer = node.send("PUT", space + "/entries/k", new byte[(1 << 20) + 1]);
    assertThat(answer.status()).isEqualTo(413);
    assertThat(answer.code()).isEqualTo("too_large");
    assertThat(answer.json().get("detail").textValue()).contains("1048577", "1048576");
    assertThat(node.send("PUT", space + "/entries/k", new byte[6 << 20]).code())
        .isEqualTo("too_large");
    assertThat(node.post(space + "/batch", " ".repeat((2 << 20) + 1)).code())
        .isEqualTo("too_large");
    assertThat(node.send("POST", space + "/topics/t/messages", new byte[(1 << 20) + 1]).code())
        .isEqualTo("too_large");
    assertThat(node.get(space + "/entries/k").bytes()).hasSize(1 << 20);
  }

  @Test
  void aBodyOfUnknownLengthIsMeasuredToo() throws IOException {
    String head =
        "PUT "
            + space
            + "/entries/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    String chunk = "40000\r\n" + "x".repeat(0x40000) + "\r\n";
    assertThat(raw(head + "3\r\nabc\r\n0\r\n\r\n")).startsWith("HTTP/1.1 200");
    assertThat(raw(head + chunk.repeat(5) + "0\r\n\r\n"))
        .startsWith("HTTP/1.1 413")
        .contains("too_large");
    assertThat(node.get(space + "/entries/k").text()).isEqualTo("abc");
  }

  @Test
  void aBodyThatNobodyReadsDoesNotSpoilItsConnection() throws IOException {
    String body = "x".repeat(100_000);
    String post = "POST /v1/nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + body;
    String get = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assertThat(raw(post + get)).startsWith("HTTP/1.1 404").contains("HTTP/1.1 200");
  }

  @Test
  void oneStreamTooManyIsBusyAndAClosedOneMakesRoom() {
    String busy;
    try (Events one = node.watch(space + "/watch");
        Events two = node.watch(space + "/watch");
        Events three = node.watch(space + "/watch")) {
      assertThat(one.status() + two.status() + three.status()).isEqualTo(600);
      TestNode.Answer refused = node.get(space + "/watch");
      assertThat(refused.status()).isEqualTo(429);
      busy = refused.code();
      assertThat(refused.header("Retry-After")).isNotNull();
      assertThat(refused.json().get("retry_after_ms").isIntegralNumber()).isTrue();
    }
    assertThat(busy).isEqualTo("busy");
    int status = 429;
    while (status == 429) { // the node notices a closed connection with its next progress
      try (Events events = node.watch(space + "/watch")) {
        status = events.status();
      }
    }
    assertThat(status).isEqualTo(200);
  }

  /** Sends bytes as they are and reads until the node closes. */
  private static String raw(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), node.port())) {
      socket.setSoTimeout(20_000);
      OutputStream out = socket.getOutputStream();
      out.write(request.getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
      InputStream in = socket.getInputStream();
      StringBuilder answer = new StringBuilder();
      byte[] buffer = new byte[8_192];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        answer.append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
      }
      return answer.toString();
    }
  }
}
