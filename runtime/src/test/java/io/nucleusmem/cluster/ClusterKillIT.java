package io.nucleusmem.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three nodes, each a process, are killed, restarted, paused and cut off while clients write, read,
 * watch and send messages to agents; see {@link Workload} for what is checked. More rounds of
 * kills: {@code -Dcluster.kill.rounds=20}.
 */
@Timeout(value = 40, unit = TimeUnit.MINUTES)
class ClusterKillIT {
  private static final int NODES = 3;
  private static final int ROUNDS = Integer.getInteger("cluster.kill.rounds", 3);
  private static final int WRITES = 60; // acknowledged, before and after each event
  private static final int MESSAGES = 12; // to agents, likewise

  @TempDir static Path dir;

  private static ClusterProcesses nodes;
  private static Workload work; // of the test that runs

  @BeforeAll
  static void start() throws IOException {
    nodes =
        new ClusterProcesses(
            dir,
            NODES,
            "nucleusmem.agents.types = [" + Echo.class.getName() + "]",
            // less than a client waits for an answer: then it hears of a node that does not get on
            "nucleusmem.memspace.call-timeout = 15s");
    Client client = new Client(nodes::any);
    Workload.create(client, AgentCaller.SPACE);
    client.json(
        200,
        client.call(
            "POST",
            "/v1/agent-types/echo/scale",
            "{\"instances\": %d, \"mounts\": [{\"space\": \"%s\", \"access\": \"read_write\"}]}"
                .formatted(AgentCaller.AGENTS, AgentCaller.SPACE),
            "Content-Type",
            "application/json"));
  }

  @AfterAll
  static void stop() {
    if (nodes != null) {
      nodes.close();
    }
  }

  @BeforeEach
  void allRun() throws IOException {
    nodes.repair();
  }

  private static void progress(String when) {
    work.progress(WRITES, MESSAGES, when);
  }

  @Test
  void g1ToG6AndG12HoldThroughKillsOfNodes() throws Exception {
    try (Workload begun = new Workload(nodes, "kill")) {
      work = begun;
      Random random = new Random(7);
      for (int round = 1; round <= ROUNDS; round++) {
        progress("before kill " + round);
        int victim = random.nextInt(NODES);
        nodes.kill(victim);
        progress("after kill " + round + " of node " + victim);
        nodes.restart(victim);
      }
      progress("at the end");
      work.check();
    }
  }

  /**
   * Callers of the nodes that stay see nothing of it; those of the one that goes lose the
   * connection, or hear 503, and ask another one.
   */
  @Test
  void aRollingRestartIsSeenByNobodyButCallersOfTheNodeThatGoes() throws Exception {
    try (Workload begun = new Workload(nodes, "roll")) {
      work = begun;
      Set<URI> gone = new HashSet<>();
      for (int node = 0; node < NODES; node++) {
        progress("before the restart of " + node);
        gone.add(nodes.address(node));
        if (node == 1) {
          leave(node);
        } else {
          nodes.stop(node);
        }
        progress("without node " + node);
        nodes.restart(node);
      }
      progress("at the end");
      work.check();
      List<Client.Failure> failures = work.client().failures();
      assertThat(failures).filteredOn(failure -> !gone.contains(failure.node())).isEmpty();
      assertThat(failures)
          .allSatisfy(
              failure ->
                  assertThat(failure.what())
                      .containsPattern(": (503 |java\\.(io|net)\\.\\w*Exception)"));
    }
  }

  @Test
  void aProcessThatWakesUpAfterItWasDeclaredDeadDoesNoHarm() throws Exception {
    try (Workload begun = new Workload(nodes, "pause")) {
      work = begun;
      progress("before the pause");
      nodes.pause(1);
      while (members().contains(nodes.member(1))) {
        work.progress(1, 0, "while the cluster makes up its mind");
      }
      progress("without the paused node");
      nodes.resume(1);
      nodes.ended(1); // it finds out by itself
      nodes.restart(1);
      progress("at the end");
      work.check();
    }
  }

  /** Both sides go on, over one store, until the smaller one has found out that it is alone. */
  @Test
  void aNodeThatIsCutOffFromTheOthersEndsAndDoesNoHarm() throws Exception {
    try (Workload begun = new Workload(nodes, "cut")) {
      work = begun;
      progress("before the cut");
      nodes.cut(2);
      progress("on both sides");
      nodes.ended(2);
      progress("without the node that was cut off");
      nodes.heal(2);
      nodes.restart(2);
      progress("at the end");
      work.check();
    }
  }

  private static List<String> members() {
    return work.client()
        .json(200, work.client().call("GET", "/v1/cluster", ""))
        .path("members")
        .findValuesAsText("address");
  }

  /** An administrator sends it away through another node. */
  private static void leave(int node) throws InterruptedException {
    JsonNode left =
        work.client()
            .json(
                200,
                work.client()
                    .call(
                        "POST",
                        "/v1/cluster/leave",
                        "{\"member\": \"" + nodes.member(node) + "\"}",
                        "Content-Type",
                        "application/json"));
    assertThat(left.path("address").asText()).isEqualTo(nodes.member(node));
    nodes.ended(node);
  }
}
