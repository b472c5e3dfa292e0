package io.nucleusmem.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Sends messages to agents of type {@link Echo} and knows which ones have to arrive. */
final class AgentCaller implements Runnable {
  static final String SPACE = "echoes";
  static final int AGENTS = 6;

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(60);

  private final Client client;
  private final String mark;
  private final Set<String> accepted = new ConcurrentSkipListSet<>(); // AGENT/TEXT
  private volatile boolean stop;

  /**
   * A caller.
   *
   * @param mark in front of each of its texts
   */
  AgentCaller(Client client, String mark) {
    this.client = client;
    this.mark = mark;
  }

  @Override
  public void run() {
    for (int n = 0; !stop; n++) {
      String agent = "echo-" + (n % AGENTS + 1);
      String text = mark + "-" + n;
      client.json(
          202,
          client.call(
              "POST",
              "/v1/agents/" + agent + "/messages",
              text,
              "Content-Type",
              "text/plain",
              "Idempotency-Key",
              "message-of-the-test-" + text));
      accepted.add(agent + "/" + text);
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  void stop() {
    stop = true;
  }

  int count() {
    return accepted.size();
  }

  /** What was accepted and has not been handled yet. */
  Set<String> missing() {
    Set<String> missing = new TreeSet<>(accepted);
    for (int agent = 1; agent <= AGENTS && !missing.isEmpty(); agent++) {
      missing.removeAll(handled("echo-" + agent + "/" + mark + "-"));
    }
    return missing;
  }

  private Set<String> handled(String prefix) {
    Set<String> keys = new HashSet<>();
    String path = "/v1/spaces/" + SPACE + "/entries?limit=1000&prefix=" + prefix;
    String cursor = "";
    while (cursor != null) {
      JsonNode page = client.json(200, client.call("GET", path + cursor, ""));
      page.path("items").forEach(item -> keys.add(item.path("key").asText()));
      cursor = page.path("next").isNull() ? null : "&cursor=" + page.path("next").asText();
    }
    return keys;
  }
}
