package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.http.TestNode.Answer;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.routing.NoChooser;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.Router;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.routing.RoutingSetup;
import io.nucleusmem.routing.Stage;
import io.nucleusmem.routing.Target;
import io.nucleusmem.routing.WordTrainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Topics as targets and as sources of the router: its mounts, its limits, its own routers. */
@Timeout(120)
class RoutingTopicsTest {
  private static final int ROUTES_MAX = 6;
  private static final int HOOKS_MAX = 3;
  private static final String[] ADMIN = {"Authorization", "Bearer admin-token-0123456789"};
  private static final String[] ALICE = {"Authorization", "Bearer alice-token-0123456789"};
  private static final Principal OPERATOR = new Principal("operator", true);

  private static TestNode node;

  @BeforeAll
  static void start(@TempDir Path dir) {
    node =
        TestNode.routing(
            dir.resolve("data"),
            RoutingSetup.of(new WordTrainer(), NoChooser.NONE),
            List.of(),
            """
            nucleusmem.routing { routes-max = %d, hooks-max = %d }
            nucleusmem.http.tokens = [
              { token = "admin-token-0123456789", principal = operator, role = admin }
              { token = "alice-token-0123456789", principal = alice, role = agent }
            ]"""
                .formatted(ROUTES_MAX, HOOKS_MAX));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @AfterEach
  void withdrawAll() {
    for (JsonNode route : node.get("/v1/routes", ADMIN).json().get("items")) {
      node.delete("/v1/routes/" + route.get("name").textValue(), ADMIN);
    }
  }

  private static Routing routing() {
    return node.node().routing();
  }

  private static <T> T join(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  private static String space() {
    String name = TestNode.fresh("space");
    Answer made =
        node.post("/v1/spaces", "{\"name\": \"%s\", \"kind\": \"shared\"}".formatted(name), ALICE);
    assertThat(made.status()).as(made.toString()).isEqualTo(201);
    return name;
  }

  private static void route(String name, String space, String topic) {
    Answer put =
        node.putJson(
            "/v1/routes/" + name,
            "{\"target\": {\"space\": \"%s\", \"topic\": \"%s\"}, \"examples\": [\"take %s\"]}"
                .formatted(space, topic, name),
            ALICE);
    assertThat(put.status()).as(put.toString()).isIn(200, 201);
  }

  private static void withdraw(String name) {
    assertThat(node.delete("/v1/routes/" + name, ALICE).status()).isEqualTo(204);
  }

  /** The topics that the router has mounted, one mount each. */
  private static List<String> opened(String space) {
    return StreamSupport.stream(
            node.get("/v1/spaces/" + space + "/mounts", ALICE).json().get("items").spliterator(),
            false)
        .filter(mount -> mount.get("holder").textValue().equals("router"))
        .map(mount -> mount.at("/topics/0").textValue())
        .toList();
  }

  private static Answer say(String text) {
    Answer sent =
        node.post("/v1/messages", "{\"to\": \"router\", \"text\": \"%s\"}".formatted(text), ALICE);
    assertThat(sent.status()).as(sent.toString()).isEqualTo(202);
    return sent;
  }

  // ---- mounts ----

  @Test
  void g9TheLastRouteThatLeavesATopicClosesItToTheRouter() {
    String space = space();
    route("one", space, "t");
    route("two", space, "t");
    assertThat(opened(space)).containsExactly("t");
    withdraw("one");
    assertThat(opened(space)).containsExactly("t");
    assertThat(say("take two").json().get("id").textValue()).startsWith("t/");
    withdraw("two");
    assertThat(opened(space)).isEmpty();
    route("two", space, "t");
    assertThat(opened(space)).containsExactly("t");
    assertThat(say("take two").json().get("id").textValue()).startsWith("t/");
  }

  @Test
  void g9ARouteThatIsTurnedElsewhereLeavesNoMountBehind() {
    String space = space();
    route("one", space, "t");
    route("one", space, "u");
    assertThat(opened(space)).containsExactly("u");
    route("one", space, "u");
    assertThat(opened(space)).containsExactly("u");
  }

  @Test
  void aMountThatWasThereBeforeStays() {
    String space = space();
    Answer made =
        node.post(
            "/v1/spaces/" + space + "/mounts",
            """
            {"holder": "router", "access": "append_only", "regions": ["comm"], "topics": ["t"]}""",
            ALICE);
    assertThat(made.status()).as(made.toString()).isEqualTo(201);
    route("one", space, "t");
    withdraw("one");
    assertThat(opened(space)).containsExactly("t");
  }

  @Test
  void aRouteWhoseMountWasRevokedIsOpenedAgainWhenItIsRegisteredAgain() {
    String space = space();
    route("one", space, "t");
    assertThat(say("take one").json().get("id").textValue()).startsWith("t/");
    for (JsonNode mount : node.get("/v1/spaces/" + space + "/mounts", ALICE).json().get("items")) {
      if (mount.get("holder").textValue().equals("router")) {
        node.delete("/v1/mounts/" + mount.get("mount").textValue(), ALICE);
      }
    }
    assertThat(say("take one").json().get("id").textValue()).doesNotStartWith("t/");
    route("one", space, "t");
    assertThat(say("take one").json().get("id").textValue()).startsWith("t/");
    withdraw("one");
    assertThat(opened(space)).isEmpty();
  }

  // ---- limits ----

  @Test
  void g11RoutesThatAreRegisteredAtOnceStayWithinTheirLimit() {
    String space = space();
    List<CompletableFuture<?>> all = new ArrayList<>();
    for (int i = 0; i < 3 * ROUTES_MAX; i++) {
      Route route =
          new Route("route-" + i, new Target.Topic(space, "t"), "number " + i, List.of(), Map.of());
      all.add(routing().routes().put(OPERATOR, route, Set.of()).toCompletableFuture());
    }
    assertThat(refused(all)).isNotZero();
    assertThat(node.get("/v1/routes", ADMIN).json().get("items").size())
        .isLessThanOrEqualTo(ROUTES_MAX);
  }

  @Test
  void g11HooksThatAreSetAtOnceStayWithinTheirLimit() {
    String space = space();
    List<CompletableFuture<?>> all = new ArrayList<>();
    for (int i = 0; i < 3 * HOOKS_MAX; i++) {
      all.add(routing().hook(OPERATOR, space, "h" + i, Optional.empty()).toCompletableFuture());
    }
    assertThat(refused(all)).isGreaterThanOrEqualTo(2L * HOOKS_MAX);
    for (int i = 0; i < 3 * HOOKS_MAX; i++) {
      if (!all.get(i).isCompletedExceptionally()) {
        join(routing().unhook(OPERATOR, space, "h" + i));
      }
    }
    // what was too many left nothing behind that would count
    join(routing().hook(OPERATOR, space, "last", Optional.empty()));
    join(routing().unhook(OPERATOR, space, "last"));
  }

  /** Waits for all; how many were refused as too many. */
  private static long refused(List<CompletableFuture<?>> all) {
    return all.stream()
        .map(each -> each.handle((done, failure) -> failure).join())
        .filter(failure -> failure != null)
        .peek(
            failure ->
                assertThat(failure instanceof CompletionException ? failure.getCause() : failure)
                    .isInstanceOf(MemSpaceException.class)
                    .hasMessageContaining("at most"))
        .count();
  }

  // ---- metadata ----

  @Test
  void metadataOfTheNodesOwnAreNotTakenFromCallers() {
    String space = space();
    for (String name : List.of("routing-hops", "decision", "sender", "answer-to", "ask-id")) {
      Answer refused =
          node.post(
              "/v1/messages",
              "{\"to\": \"router\", \"text\": \"x\"}",
              ALICE[0],
              ALICE[1],
              "Nucleus-Metadata",
              "{\"%s\": \"9\"}".formatted(name));
      assertThat(refused.status()).as(refused.toString()).isEqualTo(400);
      assertThat(refused.code()).isEqualTo("invalid_request");
      assertThat(refused.text()).contains("Nucleus-Metadata", name);
    }
    String messages = "/v1/spaces/" + space + "/topics/t/messages";
    String[] hops = {ALICE[0], ALICE[1], "Nucleus-Metadata", "{\"routing-hops\": \"9\"}"};
    assertThat(node.send("POST", messages, "x", hops).code()).isEqualTo("invalid_request");
    String[] sender = {ALICE[0], ALICE[1], "Nucleus-Metadata", "{\"sender\": \"me\"}"};
    assertThat(node.send("POST", messages, "x", sender).status()).isEqualTo(201);
    assertThat(node.put("/v1/spaces/" + space + "/entries/k", "v", hops).status()).isEqualTo(200);
  }

  // ---- hooks ----

  @Test
  void g9ATopicThatIsNotRoutedAnyMoreIsClosedToTheRouter() {
    String space = space();
    join(routing().hook(OPERATOR, space, "in", Optional.empty()));
    join(routing().hook(OPERATOR, space, "in", Optional.empty())); // set again: the same mount
    assertThat(opened(space)).containsExactly("in");
    route("one", space, "in"); // has a mount of its own, so that either may go first
    assertThat(opened(space)).containsExactlyInAnyOrder("in", "in");
    join(routing().unhook(OPERATOR, space, "in"));
    assertThat(opened(space)).containsExactly("in");
    assertThat(say("take one").json().get("id").textValue()).startsWith("in/");
    withdraw("one");
    assertThat(opened(space)).isEmpty();
  }

  @Test
  void aHookOfASpaceThatIsGoneCanBeTakenAway() {
    String space = space();
    join(routing().hook(OPERATOR, space, "in", Optional.empty()));
    assertThat(node.delete("/v1/spaces/" + space, ALICE).status()).isEqualTo(204);
    join(routing().unhook(OPERATOR, space, "in"));
  }

  @Test
  void aMountThatWasThereBeforeAHookStays() {
    String space = space();
    Answer made =
        node.post(
            "/v1/spaces/" + space + "/mounts",
            """
            {"holder": "router", "access": "read_write", "topics": ["in"]}""",
            ALICE);
    assertThat(made.status()).as(made.toString()).isEqualTo(201);
    join(routing().hook(OPERATOR, space, "in", Optional.empty()));
    join(routing().unhook(OPERATOR, space, "in"));
    assertThat(opened(space)).containsExactly("in");
  }

  // ---- routers of topics ----

  @Test
  void whatATopicsOwnRouterDecidedItDecidesAgainInAReplay() {
    String space = space();
    route("red", space, "red");
    route("blue", space, "blue");
    Router always =
        (query, standard) ->
            CompletableFuture.completedStage(
                Router.Answer.to("blue", 1, Stage.EMBEDDING, List.of(), "always blue"));
    String name = TestNode.fresh("always-blue");
    routing().define(name, always);
    join(routing().hook(OPERATOR, space, "in", Optional.of(name)));
    node.send("POST", "/v1/spaces/" + space + "/topics/in/messages", "take red", ALICE);
    TestNode.eventually(
        () -> node.get("/v1/decisions?route=blue", ALICE).json().get("items").size() == 1);
    assertThat(todays()).doesNotContain("red");
    join(routing().unhook(OPERATOR, space, "in"));
    assertThat(todays()).contains("red");
  }

  /** Where messages that took the blue route would go today, if elsewhere. */
  private static List<String> todays() {
    return StreamSupport.stream(
            node.post("/v1/decisions/replay", "{}", ALICE).json().get("items").spliterator(), false)
        .filter(differs -> differs.get("then").asText().equals("blue"))
        .map(differs -> differs.get("now").asText())
        .toList();
  }
}
