package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.http.TestNode.Answer;
import io.nucleusmem.routing.NoChooser;
import io.nucleusmem.routing.RoutingSetup;
import io.nucleusmem.routing.WordTrainer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who is shown what of the router's: G9. */
@Timeout(120)
class RoutingAccessTest {
  private static final String[] ADMIN = {"Authorization", "Bearer admin-token-0123456789"};
  private static final String[] ALICE = {"Authorization", "Bearer alice-token-0123456789"};
  private static final String[] BOB = {"Authorization", "Bearer bob-token-0123456789"};

  private static TestNode node;

  @BeforeAll
  static void start(@TempDir Path dir) {
    node =
        TestNode.routing(
            dir.resolve("data"),
            RoutingSetup.of(new WordTrainer(), NoChooser.NONE),
            List.of(),
            """
            nucleusmem.http.tokens = [
              { token = "admin-token-0123456789", principal = operator, role = admin }
              { token = "alice-token-0123456789", principal = alice, role = agent }
              { token = "bob-token-0123456789", principal = bob, role = agent }
            ]""");
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static String space(String kind, String... who) {
    String name = TestNode.fresh("space");
    Answer made =
        node.post("/v1/spaces", "{\"name\": \"%s\", \"kind\": \"%s\"}".formatted(name, kind), who);
    assertThat(made.status()).as(made.toString()).isEqualTo(201);
    return name;
  }

  @Test
  void aDecisionIsThereForWhoSentTheMessageAndForAdministratorsAlone() {
    Answer sent = node.post("/v1/messages", "{\"to\": \"router\", \"text\": \"my secret\"}", ALICE);
    assertThat(sent.status()).as(sent.toString()).isEqualTo(202);
    String id = sent.json().get("decision").textValue();
    String message = Percent.encodePath(sent.json().get("id").textValue());
    for (String[] who : new String[][] {ALICE, ADMIN}) {
      assertThat(node.get("/v1/decisions/" + id, who).json().get("text").textValue())
          .isEqualTo("my secret");
      assertThat(ids(node.get("/v1/decisions?message=" + message, who))).containsExactly(id);
      assertThat(ids(node.get("/v1/decisions", who))).contains(id);
    }
    Answer other = node.get("/v1/decisions/" + id, BOB);
    assertThat(other.status()).isEqualTo(404);
    assertThat(other.code()).isEqualTo("decision_not_found");
    assertThat(ids(node.get("/v1/decisions", BOB))).isEmpty();
    assertThat(ids(node.get("/v1/decisions?message=" + message, BOB))).isEmpty();

    String topics = space("shared", ALICE);
    Answer route =
        node.putJson(
            "/v1/routes/secrets",
            "{\"target\": {\"space\": \"%s\", \"topic\": \"t\"}, \"examples\": [\"my secret\"]}"
                .formatted(topics),
            ALICE);
    assertThat(route.status()).as(route.toString()).isEqualTo(201);
    assertThat(node.post("/v1/decisions/replay", "{}", ALICE).json().get("items")).hasSize(1);
    assertThat(node.post("/v1/decisions/replay", "{}", ADMIN).json().get("items")).hasSize(1);
    assertThat(node.post("/v1/decisions/replay", "{}", BOB).json().get("items")).isEmpty();
  }

  private static List<String> ids(Answer page) {
    assertThat(page.status()).as(page.toString()).isEqualTo(200);
    return page.json().get("items").findValuesAsText("id");
  }

  @Test
  void whoMayNotChangeARouteChangesNoMountsByTrying() {
    String name = TestNode.fresh("route");
    String hers = space("shared", ALICE);
    assertThat(node.putJson("/v1/routes/" + name, route(hers), ALICE).status()).isEqualTo(201);
    String his = space("shared", BOB);
    Answer refused = node.putJson("/v1/routes/" + name, route(his), BOB);
    assertThat(refused.status()).as(refused.toString()).isEqualTo(403);
    JsonNode mounts = node.get("/v1/spaces/" + his + "/mounts", BOB).json().get("items");
    assertThat(mounts.findValuesAsText("holder")).doesNotContain("router");
  }

  private static String route(String space) {
    return "{\"target\": {\"space\": \"%s\", \"topic\": \"t\"}, \"description\": \"anything\"}"
        .formatted(space);
  }
}
