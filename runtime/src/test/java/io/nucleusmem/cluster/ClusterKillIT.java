package io.nucleusmem.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three nodes are killed one after the other while clients write, read and watch through HTTP; then
 * what the clients were told is compared with what the store has. More rounds: {@code
 * -Dcluster.kill.rounds=20}.
 */
@Timeout(value = 40, unit = TimeUnit.MINUTES)
class ClusterKillIT {
  private static final int NODES = 3;
  private static final int SPACES = 4;
  private static final int KEYS = 3;
  private static final int WRITERS = 3;
  private static final int ROUNDS = Integer.getInteger("cluster.kill.rounds", 3);
  private static final int WRITES_BETWEEN = 60; // acknowledged, before and after each kill
  private static final long PROGRESS_MAX_NANOS = TimeUnit.SECONDS.toNanos(90);

  @TempDir Path dir;

  private final Writer.Shared shared = new Writer.Shared();
  private final List<WatchedSpace> watches = new ArrayList<>();
  private final List<Thread> writers = new ArrayList<>();
  private final List<String> registers = new ArrayList<>();
  private Client client;

  private void begin(ClusterProcesses nodes) {
    client = new Client(nodes::any);
    for (int s = 0; s < SPACES; s++) {
      String space = "s" + s;
      client.json(
          201,
          client.call(
              "POST",
              "/v1/spaces",
              "{\"name\": \"" + space + "\", \"kind\": \"shared\"}",
              "Content-Type",
              "application/json",
              "Idempotency-Key",
              "creation-of-space-" + space));
      for (int k = 0; k < KEYS; k++) {
        registers.add(space + "/entries/k" + k);
      }
      WatchedSpace watch = new WatchedSpace(space, client, nodes::any);
      watches.add(watch);
      Thread thread = new Thread(watch, "watch-" + space);
      thread.setDaemon(true);
      thread.start();
    }
    for (int w = 0; w < WRITERS; w++) {
      Thread thread = new Thread(new Writer(client, shared, registers, w), "writer-" + w);
      writers.add(thread);
      thread.start();
    }
  }

  /** Waits until so many more writes were acknowledged. */
  private void progress(int more, String when) {
    long wanted = shared.count.get() + more;
    long giveUp = System.nanoTime() + PROGRESS_MAX_NANOS;
    while (shared.count.get() < wanted) {
      assertThat(System.nanoTime())
          .describedAs("writes go on %s: %d of %d", when, shared.count.get(), wanted)
          .isLessThan(giveUp);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
  }

  private void endWriters() throws InterruptedException {
    shared.stop = true;
    for (Thread writer : writers) {
      writer.join();
    }
  }

  @Test
  void g1ToG6AndG12HoldThroughKillsOfNodes() throws Exception {
    try (ClusterProcesses nodes = new ClusterProcesses(dir, NODES)) {
      begin(nodes);
      Random random = new Random(7);
      for (int round = 1; round <= ROUNDS; round++) {
        progress(WRITES_BETWEEN, "before kill " + round);
        int victim = random.nextInt(NODES);
        nodes.kill(victim);
        progress(WRITES_BETWEEN, "after kill " + round + " of node " + victim);
        nodes.restart(victim);
      }
      progress(WRITES_BETWEEN, "at the end");
      endWriters();
      check();
    }
  }

  @Test
  void aRollingRestartLosesNothing() throws Exception {
    try (ClusterProcesses nodes = new ClusterProcesses(dir, NODES)) {
      begin(nodes);
      for (int node = 0; node < NODES; node++) {
        progress(WRITES_BETWEEN, "before the restart of " + node);
        if (node == 1) {
          leave(nodes, node);
        } else {
          nodes.stop(node);
        }
        progress(WRITES_BETWEEN, "without node " + node);
        nodes.restart(node);
      }
      progress(WRITES_BETWEEN, "at the end");
      endWriters();
      check();
    }
  }

  @Test
  void aProcessThatWakesUpAfterItWasDeclaredDeadDoesNoHarm() throws Exception {
    try (ClusterProcesses nodes = new ClusterProcesses(dir, NODES)) {
      begin(nodes);
      progress(WRITES_BETWEEN, "before the pause");
      nodes.pause(1);
      while (client
          .json(200, client.call("GET", "/v1/cluster", ""))
          .path("members")
          .findValuesAsText("address")
          .contains(nodes.member(1))) {
        progress(1, "while the cluster makes up its mind");
      }
      progress(WRITES_BETWEEN, "without the paused node");
      nodes.resume(1);
      nodes.ended(1); // it finds out by itself
      nodes.restart(1);
      progress(WRITES_BETWEEN, "at the end");
      endWriters();
      check();
    }
  }

  /** An administrator sends it away through another node. */
  private void leave(ClusterProcesses nodes, int node) throws InterruptedException {
    JsonNode left =
        client.json(
            200,
            client.call(
                "POST",
                "/v1/cluster/leave",
                "{\"member\": \"" + nodes.member(node) + "\"}",
                "Content-Type",
                "application/json"));
    assertThat(left.path("address").asText()).isEqualTo(nodes.member(node));
    nodes.ended(node);
  }

  private void check() {
    assertThat(shared.stale).describedAs("G12: no read is behind what was known before").isEmpty();
    Map<String, Map<Long, String>> histories = new HashMap<>();
    for (String register : registers) {
      histories.put(register, history(register));
    }
    for (Writer.Acknowledged write : shared.acknowledged) {
      TreeMap<Long, String> history = new TreeMap<>(histories.get(write.register()));
      assertThat(history.get(write.revision()))
          .describedAs("G1, G2: the history has %s", write)
          .isEqualTo(write.value());
      Long before = history.lowerKey(write.revision());
      assertThat(before == null ? 0 : before)
          .describedAs("G4: nothing came between %s and what it replaced", write)
          .isEqualTo(write.over());
    }
    histories.forEach(
        (register, history) ->
            assertThat(history.values())
                .describedAs("G4: each request was applied once to %s", register)
                .doesNotHaveDuplicates());
    for (int s = 0; s < SPACES; s++) {
      checkWatch("s" + s, watches.get(s), histories);
    }
  }

  private void checkWatch(
      String space, WatchedSpace watch, Map<String, Map<Long, String>> histories) {
    List<WatchedSpace.Signal> expected = new ArrayList<>();
    histories.forEach(
        (register, history) -> {
          if (register.startsWith(space + "/")) {
            String key = register.substring(register.lastIndexOf('/') + 1);
            history.keySet().forEach(at -> expected.add(new WatchedSpace.Signal(key, at)));
          }
        });
    expected.sort(Comparator.comparingLong(WatchedSpace.Signal::revision));
    assertThat(expected)
        .describedAs("G2: a revision of %s belongs to one write", space)
        .extracting(WatchedSpace.Signal::revision)
        .doesNotHaveDuplicates();
    long giveUp = System.nanoTime() + PROGRESS_MAX_NANOS;
    while (watch.signals().size() < expected.size() && System.nanoTime() < giveUp) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
    watch.stop();
    assertThat(watch.signals())
        .describedAs("G5: the watch of %s has each signal once, in order", space)
        .isEqualTo(expected);
  }

  /** Values by revision. */
  private Map<Long, String> history(String register) {
    Map<Long, String> versions = new HashMap<>();
    String cursor = "";
    String path = "/v1/spaces/" + register.replace("/entries/", "/history/");
    do {
      JsonNode page =
          client.json(200, client.call("GET", path + "?values=true&limit=1000" + cursor, ""));
      for (JsonNode item : page.path("items")) {
        String before = versions.put(item.path("revision").asLong(), item.path("value").asText());
        assertThat(before).describedAs("a revision stands once in the history").isNull();
      }
      cursor = page.path("next").isNull() ? null : "&cursor=" + page.path("next").asText();
    } while (cursor != null);
    return versions;
  }
}
