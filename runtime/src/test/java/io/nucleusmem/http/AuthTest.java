package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.http.TestNode.Answer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens, roles, and whose mount it is. */
class AuthTest {
  private static final String[] ADMIN = {"Authorization", "Bearer admin-token-0123456789"};
  private static final String[] ALICE = {"Authorization", "Bearer alice-token-0123456789"};
  private static final String[] BOB = {"Authorization", "bearer bob-token-0123456789"};

  private static TestNode node;

  @BeforeAll
  static void start(@TempDir Path dir) {
    node =
        TestNode.hosting(
            dir.resolve("data"),
            List.of(AgentType.of("idle", String.class, agent -> Behaviors.ignore())),
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
    return "/v1/spaces/" + name;
  }

  private static String[] with(String[] who, String name, String value) {
    return new String[] {who[0], who[1], name, value};
  }

  @Test
  void withoutAKnownTokenNothingIsAnswered() {
    for (Answer answer :
        new Answer[] {
          node.get("/v1/spaces"),
          node.get("/v1/spaces", "Authorization", "Bearer wrong-token-0123456789"),
          node.get("/v1/spaces", "Authorization", "Bearer "),
          node.get("/v1/spaces", "Authorization", "Basic YTpi"),
          node.put("/v1/spaces/x/entries/k", "v")
        }) {
      assertThat(answer.status()).isEqualTo(401);
      assertThat(answer.code()).isEqualTo("unauthenticated");
      assertThat(answer.header("WWW-Authenticate")).isEqualTo("Bearer");
    }
    assertThat(node.get("/healthz").status()).isEqualTo(200);
    assertThat(node.get("/readyz").status()).isEqualTo(200);
  }

  @Test
  void aTokenNamesItsPrincipal() {
    String space = space("shared", ALICE);
    assertThat(node.get(space, ALICE).json().get("owner").textValue()).isEqualTo("alice");
    node.put(space + "/entries/k", "v", ALICE);
    assertThat(node.get(space + "/entries/k", ALICE).header("Nucleus-Author")).isEqualTo("alice");
  }

  @Test
  void aPrivateSpaceDoesNotExistForOthers() {
    String space = space("private", ALICE);
    node.put(space + "/entries/k", "secret", ALICE);
    assertThat(node.get(space, BOB).code()).isEqualTo("space_not_found");
    assertThat(node.get(space + "/entries/k", BOB).status()).isIn(403, 404);
    assertThat(node.get("/v1/spaces?limit=1000", BOB).text()).doesNotContain(space.substring(11));
    Answer refused = node.post(space + "/mounts", "{\"access\": \"read_only\"}", BOB);
    assertThat(refused.status()).isIn(403, 404);
    assertThat(refused.code()).isIn("not_owner", "space_not_found");
    assertThat(node.delete(space, BOB).status()).isIn(403, 404);
    assertThat(node.get(space + "/entries/k", ALICE).text()).isEqualTo("secret");
  }

  @Test
  void aSharedSpaceIsMountedByWhoeverAsks() {
    String space = space("shared", ALICE);
    assertThat(node.get(space + "/entries/k", BOB).code()).isEqualTo("mount_required");
    Answer mounted = node.post(space + "/mounts", "{\"access\": \"read_write\"}", BOB);
    assertThat(mounted.status()).as(mounted.toString()).isEqualTo(201);
    assertThat(mounted.json().get("holder").textValue()).isEqualTo("bob");
    assertThat(node.put(space + "/entries/k", "v", BOB).status()).isEqualTo(200);
    String mount = mounted.json().get("mount").textValue();
    // another's mount is of no use, and nobody but its holder, the owner and administrators sees it
    assertThat(node.put(space + "/entries/k", "x", with(ALICE, "Nucleus-Mount", mount)).status())
        .isIn(403, 404);
    assertThat(node.delete(space, BOB).status()).isEqualTo(403);
  }

  @Test
  void anAdministratorMountsTooAndItShows() {
    String space = space("private", ALICE);
    node.put(space + "/entries/k", "secret", ALICE);
    assertThat(node.get(space + "/entries/k", ADMIN).code()).isEqualTo("mount_required");
    Answer mounted = node.post(space + "/mounts", "{\"access\": \"read_only\"}", ADMIN);
    assertThat(mounted.status()).as(mounted.toString()).isEqualTo(201);
    assertThat(node.get(space + "/entries/k", ADMIN).text()).isEqualTo("secret");
    Answer mounts = node.get(space + "/mounts", ALICE);
    assertThat(mounts.text()).contains("\"as_admin\":true").contains("operator");
  }

  @Test
  void g9WhatAnAgentMayUseIsToldToWhoSpawnedItAndToAdministrators() {
    String space = space("private", ALICE);
    String name = space.substring("/v1/spaces/".length());
    Answer spawned =
        node.post(
            "/v1/agents",
            """
            {"type": "idle", "id": "%s-idle", "mounts": [{"space": "%s", "access": "read_write"}],
             "config": {"api-key": "hidden"}}"""
                .formatted(name, name),
            ALICE);
    assertThat(spawned.status()).as(spawned.toString()).isEqualTo(201);
    String then = node.put(space + "/entries/k", "v", ALICE).json().get("at").textValue();
    for (String path :
        List.of("/v1/agents/" + name + "-idle", "/v1/agents", "/v1/as-of/" + then + "/agents")) {
      for (String[] who : List.of(ALICE, ADMIN)) {
        assertThat(node.get(path, who).text()).contains("\"space\":\"" + name, "hidden", "alice");
      }
      assertThat(node.get(path, BOB).text())
          .contains(name + "-idle")
          .doesNotContain("\"space\"")
          .doesNotContain("hidden");
    }
  }

  @Test
  void theClusterIsForAdministrators() {
    Answer refused = node.get("/v1/cluster", ALICE);
    assertThat(refused.status()).isEqualTo(403);
    assertThat(refused.code()).isEqualTo("forbidden");
    Answer cluster = node.get("/v1/cluster", ADMIN);
    assertThat(cluster.status()).isEqualTo(200);
    assertThat(cluster.json().get("state").textValue()).isEqualTo("up");
    assertThat(cluster.json().get("members")).hasSize(1);
    assertThat(cluster.json().get("members").get(0).get("state").textValue()).isEqualTo("up");
    assertThat(cluster.json().get("shards").has("memspace")).isTrue();
  }

  @Test
  void membersAreSentAwayByAdministratorsOnlyAndByTheirAddress() {
    String nobody = "{\"member\": \"akka://nucleusmem@10.0.0.9:25520\"}";
    for (String order : List.of("/v1/cluster/leave", "/v1/cluster/down")) {
      assertThat(node.post(order, nobody, ALICE).status()).isEqualTo(403);
      Answer unknown = node.post(order, nobody, ADMIN);
      assertThat(unknown.status()).as(unknown.toString()).isEqualTo(400);
      assertThat(unknown.json().get("field").textValue()).isEqualTo("member");
      assertThat(unknown.json().get("accepted").toString()).contains("akka://nucleusmem@127.0.0.1");
      assertThat(node.post(order, "{}", ADMIN).status()).isEqualTo(400);
    }
  }
}
