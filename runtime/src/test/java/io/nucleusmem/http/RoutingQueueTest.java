package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.http.TestNode.Answer;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.routing.NoChooser;
import io.nucleusmem.routing.Router;
import io.nucleusmem.routing.RoutingSetup;
import io.nucleusmem.routing.WordTrainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** G11: what a router that has enough to do answers over HTTP. */
@Timeout(120)
class RoutingQueueTest {
  private static Answer say(TestNode node, String text) {
    return node.post("/v1/messages", "{\"to\": \"router\", \"text\": \"%s\"}".formatted(text));
  }

  @Test
  void g11OneQuestionTooManyIs429AndComesThroughLater(@TempDir Path dir) throws Exception {
    try (TestNode node =
        TestNode.routing(
            dir.resolve("data"),
            RoutingSetup.of(new WordTrainer(), NoChooser.NONE),
            List.of(),
            "nucleusmem.routing.queue-max = 1")) {
      CountDownLatch asked = new CountDownLatch(1);
      CompletableFuture<Router.Answer> answer = new CompletableFuture<>();
      node.node()
          .routing()
          .define(
              "thinking",
              (query, standard) -> {
                asked.countDown();
                return answer;
              });
      node.node()
          .routing()
          .use(Principal.LOCAL, Optional.of("thinking"))
          .toCompletableFuture()
          .join();
      CompletableFuture<Answer> first = CompletableFuture.supplyAsync(() -> say(node, "first"));
      assertThat(asked.await(60, TimeUnit.SECONDS)).isTrue();

      Answer refused = say(node, "second");
      assertThat(refused.status()).as(refused.toString()).isEqualTo(429);
      assertThat(refused.code()).isEqualTo("busy");
      assertThat(refused.header("Retry-After")).matches("[0-9]+");
      assertThat(refused.json().get("retry_after_ms").isIntegralNumber()).isTrue();

      answer.complete(Router.Answer.nowhere(List.of(), "thought about it"));
      assertThat(first.join().status()).isEqualTo(202);
      TestNode.eventually(() -> say(node, "second").status() == 202);
    }
  }
}
