package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.cli.NodeProcess;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Message;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * G10: what was offered to a behavior whose process is killed stands there, and not as confirmed.
 */
@Timeout(240)
public class ReceiptsKillTest {
  private static final long TRY_NANOS = 60_000_000_000L;

  record Told(AgentContext.Seen<Message> message) {}

  /** Notes what it is told, and never ends with "hold". */
  public static final AgentType<?> TYPE =
      AgentType.of("holder", Told.class, ReceiptsKillTest::create).inbox(Told::new);

  private static Behavior<Told> create(AgentContext<Told> ctx) {
    return Behaviors.receiveMessage(
        told -> {
          String text = told.message().what().content().text();
          if (text.equals("hold")) {
            new CountDownLatch(1).await();
          }
          ctx.space("notes").put(EntryKey.of(text), Content.text("noted"));
          return Behaviors.same();
        });
  }

  @TempDir Path dir;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private String send(int port, String method, String path, String body) throws Exception {
    return client
        .send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString())
        .body();
  }

  private List<JsonNode> saw(int port, Predicate<List<JsonNode>> enough) throws Exception {
    long deadline = System.nanoTime() + TRY_NANOS;
    while (true) {
      String body = send(port, "GET", "/v1/agents/h/saw", "");
      List<JsonNode> items = new ArrayList<>();
      new ObjectMapper().readTree(body).path("items").forEach(items::add);
      if (enough.test(items)) {
        return items;
      }
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not in time: " + body);
      }
      LockSupport.parkNanos(20_000_000);
    }
  }

  private static boolean confirmed(JsonNode receipt) {
    return receipt.get("confirmed").booleanValue();
  }

  private NodeProcess run(Path conf) throws Exception {
    return new NodeProcess(
        dir, "--conf", conf.toString(), "--data", dir.resolve("data").toString(), "--port", "0");
  }

  @Test
  void g10ReceiptOfAKilledProcessStaysUnconfirmed() throws Exception {
    Path conf = dir.resolve("node.conf");
    Files.writeString(
        conf, "nucleusmem.agents.types = [\"%s\"]".formatted(ReceiptsKillTest.class.getName()));
    try (NodeProcess node = run(conf)) {
      int port = node.port();
      send(port, "POST", "/v1/spaces", "{\"name\": \"notes\", \"kind\": \"shared\"}");
      send(
          port,
          "POST",
          "/v1/agents",
          "{\"type\": \"holder\", \"id\": \"h\", \"mounts\": [{\"space\": \"notes\", \"access\":"
              + " \"read_write\"}]}");
      send(port, "POST", "/v1/agents/h/messages", "hello");
      saw(port, all -> all.size() == 1 && confirmed(all.get(0)));
      send(port, "POST", "/v1/agents/h/messages", "hold");
      List<JsonNode> saw = saw(port, all -> all.size() == 2);
      assertThat(confirmed(saw.get(1))).isFalse();
      node.signal("KILL");
      node.exitCode();
    }
    try (NodeProcess node = run(conf)) {
      // it is offered again, to another life, which never ends with it either
      List<JsonNode> saw =
          saw(
              node.port(),
              all -> all.stream().filter(r -> r.get("revision").longValue() == 2).count() == 2);
      assertThat(saw.stream().filter(r -> r.get("revision").longValue() == 2))
          .noneMatch(ReceiptsKillTest::confirmed);
      assertThat(saw.stream().filter(r -> r.get("revision").longValue() == 1))
          .anyMatch(ReceiptsKillTest::confirmed);
      node.signal("KILL");
    }
  }
}
