package io.nucleusmem.cluster;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long after {@code kill -9} of one of three nodes every space takes writes and every agent
 * handles messages again. Not run by default: {@code mvn -pl runtime -am test -Dtest=FailoverBench
 * -Dsurefire.failIfNoSpecifiedTests=false}; {@code -Dfailover.rounds=20}.
 */
class FailoverBench {
  private static final Logger LOG = LoggerFactory.getLogger(FailoverBench.class);
  private static final int ROUNDS = Integer.getInteger("failover.rounds", 20);
  private static final int SPACES = 24;
  private static final int AGENTS = 12;
  private static final int WARM_UP = 20;
  private static final Duration TRY_MAX = Duration.ofMillis(400);

  @TempDir Path dir;

  private final ExecutorService threads = Executors.newFixedThreadPool(SPACES + AGENTS);
  private ClusterProcesses nodes;
  private Client patient;
  private Client hasty;

  @Test
  void failOver() throws Exception {
    try (ClusterProcesses started =
        new ClusterProcesses(dir, 3, "nucleusmem.agents.types = [" + Echo.class.getName() + "]")) {
      nodes = started;
      patient = new Client(nodes::any);
      hasty = new Client(nodes::any, TRY_MAX);
      prepare();
      for (int node = 0; node < nodes.count(); node++) {
        warmUp(node);
      }
      List<Integer> byAge = new ArrayList<>(List.of(0, 1, 2));
      List<Long> oldestSpaces = new ArrayList<>();
      List<Long> oldestAgents = new ArrayList<>();
      List<Long> otherSpaces = new ArrayList<>();
      List<Long> otherAgents = new ArrayList<>();
      for (int round = 0; round < 2 * ROUNDS; round++) {
        boolean oldest = round % 2 == 0;
        int victim = byAge.get(oldest ? 0 : 1);
        String mark = "round-" + round;
        nodes.kill(victim);
        long killed = System.nanoTime();
        List<CompletableFuture<Long>> spaces = new ArrayList<>();
        List<CompletableFuture<Long>> agents = new ArrayList<>();
        for (int s = 0; s < SPACES; s++) {
          int space = s;
          spaces.add(timed(killed, () -> put(hasty, "f" + space, "k", mark)));
        }
        for (int a = 0; a < AGENTS; a++) {
          String agent = "echo-" + (a + 1);
          agents.add(timed(killed, () -> heard(agent, mark)));
        }
        (oldest ? oldestSpaces : otherSpaces).add(last(spaces));
        (oldest ? oldestAgents : otherAgents).add(last(agents));
        nodes.restart(victim);
        warmUp(victim);
        byAge.remove((Integer) victim);
        byAge.add(victim);
      }
      report("space, killed the oldest node", oldestSpaces);
      report("space, killed another node", otherSpaces);
      report("agent, killed the oldest node", oldestAgents);
      report("agent, killed another node", otherAgents);
    } finally {
      threads.shutdownNow();
    }
  }

  private void prepare() {
    List<String> names = new ArrayList<>(List.of("echoes"));
    for (int s = 0; s < SPACES; s++) {
      names.add("f" + s);
    }
    for (String name : names) {
      post(201, "/v1/spaces", "{\"name\": \"" + name + "\", \"kind\": \"shared\"}");
    }
    post(
        200,
        "/v1/agent-types/echo/scale",
        ("{\"instances\": " + AGENTS)
            + ", \"mounts\": [{\"space\": \"echoes\", \"access\": \"read_write\"}]}");
  }

  /** What a JVM does for the first time is slow: fail-over is of nodes that have been at work. */
  private void warmUp(int node) {
    Client client = new Client(() -> nodes.address(node));
    for (int i = 0; i < WARM_UP; i++) {
      for (int s = 0; s < SPACES; s++) {
        put(client, "f" + s, "k", "warm " + i);
      }
    }
  }

  private void post(int status, String path, String json) {
    patient.json(status, patient.call("POST", path, json, "Content-Type", "application/json"));
  }

  private CompletableFuture<Long> timed(long since, Runnable call) {
    return CompletableFuture.supplyAsync(
        () -> {
          call.run();
          return System.nanoTime() - since;
        },
        threads);
  }

  private static void put(Client client, String space, String key, String value) {
    client.json(
        200,
        client.call(
            "PUT",
            "/v1/spaces/" + space + "/entries/" + key,
            value,
            "Content-Type",
            "text/plain",
            "Idempotency-Key",
            UUID.randomUUID().toString()));
  }

  private void heard(String agent, String text) {
    hasty.json(
        202,
        hasty.call(
            "POST",
            "/v1/agents/" + agent + "/messages",
            text,
            "Content-Type",
            "text/plain",
            "Idempotency-Key",
            UUID.randomUUID().toString()));
    HttpResponse<String> entry;
    do {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
      entry = hasty.call("GET", "/v1/spaces/echoes/entries/" + agent + "/" + text, "");
    } while (entry.statusCode() == 404);
  }

  private static long last(List<CompletableFuture<Long>> all) {
    return all.stream().mapToLong(CompletableFuture::join).max().orElseThrow();
  }

  private static void report(String what, List<Long> nanos) {
    Collections.sort(nanos);
    LOG.warn(
        "fail-over of every {}: median {} ms, worst {} ms of {}",
        what,
        nanos.get(nanos.size() / 2) / 1_000_000,
        nanos.get(nanos.size() - 1) / 1_000_000,
        nanos.size());
  }
}
