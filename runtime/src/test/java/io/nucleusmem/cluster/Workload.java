package io.nucleusmem.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Clients that write, read and watch spaces of their own through HTTP and send messages to agents;
 * at the end what they were told is compared with what the store has.
 */
final class Workload implements AutoCloseable {
  private static final int SPACES = 4;
  private static final int KEYS = 3;
  private static final int WRITERS = 3;
  private static final long PROGRESS_MAX_NANOS = TimeUnit.SECONDS.toNanos(180);

  private final Writer.Shared shared = new Writer.Shared();
  private final List<String> spaces = new ArrayList<>();
  private final List<WatchedSpace> watches = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final List<String> registers = new ArrayList<>();
  private final ConcurrentLinkedQueue<Throwable> broken = new ConcurrentLinkedQueue<>();
  private final Client client;
  private final AgentCaller caller;

  /**
   * Begins to work.
   *
   * @param name in front of the names of its spaces
   */
  Workload(ClusterProcesses nodes, String name) {
    client = new Client(nodes::any);
    caller = new AgentCaller(client, name);
    for (int s = 0; s < SPACES; s++) {
      String space = name + "-" + s;
      spaces.add(space);
      create(client, space);
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
      start(new Writer(client, shared, registers, w), "writer-" + w);
    }
    start(caller, "caller");
  }

  /** Makes a shared space. */
  static void create(Client client, String space) {
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
  }

  private void start(Runnable work, String name) {
    Thread thread = new Thread(work, name);
    thread.setUncaughtExceptionHandler((same, failure) -> broken.add(failure));
    threads.add(thread);
    thread.start();
  }

  Client client() {
    return client;
  }

  /** Waits until so many more writes were acknowledged, and messages to agents were taken. */
  void progress(int writes, int messages, String when) {
    long writesWanted = shared.count.get() + writes;
    int messagesWanted = caller.count() + messages;
    await(
        () -> shared.count.get() >= writesWanted && caller.count() >= messagesWanted,
        () ->
            "work goes on %s: %d of %d writes, %d of %d messages"
                .formatted(when, shared.count.get(), writesWanted, caller.count(), messagesWanted));
  }

  private void await(BooleanSupplier holds, java.util.function.Supplier<String> what) {
    long giveUp = System.nanoTime() + PROGRESS_MAX_NANOS;
    while (!holds.getAsBoolean()) {
      assertThat(broken).describedAs("nobody was told what he cannot handle").isEmpty();
      assertThat(System.nanoTime()).describedAs(what).isLessThan(giveUp);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
  }

  private void end() {
    shared.stop = true;
    caller.stop();
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
  }

  @Override
  public void close() {
    end();
    watches.forEach(WatchedSpace::stop);
  }

  /** Ends the work and compares. */
  void check() {
    end();
    assertThat(broken).describedAs("nobody was told what he cannot handle").isEmpty();
    assertThat(shared.stale)
        .describedAs("G12: nobody is told what is behind what was known before")
        .isEmpty();
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
    for (Writer.Read read : shared.reads) {
      assertThat(histories.get(read.register()).get(read.revision()))
          .describedAs("G7: the history has %s", read)
          .isEqualTo(read.value());
    }
    histories.forEach(
        (register, history) ->
            assertThat(history.values())
                .describedAs("G4: each request was applied once to %s", register)
                .doesNotHaveDuplicates());
    for (int s = 0; s < SPACES; s++) {
      checkWatch(spaces.get(s), watches.get(s), histories);
    }
    await(
        () -> caller.missing().isEmpty(),
        () -> "agents have handled all that was accepted for them: " + caller.missing());
  }

  private void checkWatch(
      String space, WatchedSpace watch, Map<String, Map<Long, String>> histories) {
    List<WatchedSpace.Signal> expected = new ArrayList<>();
    histories.forEach(
        (register, history) -> {
          if (register.startsWith(space + "/")) {
            String key = register.substring(register.lastIndexOf('/') + 1);
            history.forEach((at, value) -> expected.add(new WatchedSpace.Signal(key, at, value)));
          }
        });
    expected.sort(Comparator.comparingLong(WatchedSpace.Signal::revision));
    assertThat(expected)
        .describedAs("G2: a revision of %s belongs to one write", space)
        .extracting(WatchedSpace.Signal::revision)
        .doesNotHaveDuplicates();
    await(
        () -> watch.signals().size() >= expected.size(),
        () ->
            "the watch of %s has %d of %d signals"
                .formatted(space, watch.signals().size(), expected.size()));
    watch.stop();
    assertThat(watch.signals())
        .describedAs("G5, G6: the watch of %s has each signal once, in order, its value", space)
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
