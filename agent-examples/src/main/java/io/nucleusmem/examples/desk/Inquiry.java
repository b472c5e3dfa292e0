package io.nucleusmem.examples.desk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Finds out what came of a wrong document, and has the agents that saw it run again as if it had
 * not come.
 */
final class Inquiry {
  private static final Duration WAIT_MAX = Duration.ofSeconds(60); // for any one thing
  private static final int RERUNS_MAX = 20; // of all agents together
  private static final List<String> ORDER = List.of(Desk.ANALYST, Desk.CRITIC, Desk.EDITOR);
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /** A version, as the API names it; of a message the region is comm, its key is the topic. */
  record Version(String region, String key, long revision) {
    static Version of(JsonNode json) {
      return new Version(
          json.get("region").textValue(),
          json.get("key").textValue(),
          json.get("revision").longValue());
    }

    ObjectNode toJson() {
      return JSON.objectNode()
          .put("space", Desk.SPACE)
          .put("region", region)
          .put("key", key)
          .put("revision", revision);
    }

    @Override
    public String toString() {
      return "%s:%s@%d".formatted(region, key, revision);
    }
  }

  private static final String SPACE = "/v1/spaces/" + Desk.SPACE;

  private final StoryApi api;
  private final Consumer<String> out;

  Inquiry(StoryApi api, Consumer<String> out) {
    this.api = api;
    this.out = out;
  }

  /** The version of a document's text that has these words. */
  Version textWith(String path, String words) {
    JsonNode found =
        api.get(SPACE + "/entries?values=true&prefix=" + StoryApi.encoded(Desk.textPrefix(path)));
    for (JsonNode entry : found.get("items")) {
      if (entry.get("value").textValue().contains(words)) {
        return Version.of(entry);
      }
    }
    throw new DeskFailure("no text of [%s] has the words [%s]".formatted(path, words));
  }

  /** All that the reader wrote for the document: from its text on, up to its own entry. */
  List<Version> whatCameWith(Version text, String path) {
    long last =
        api.get(SPACE + "/history/" + StoryApi.path(Desk.document(path).name()) + "?limit=1")
            .get("items")
            .get(0)
            .get("revision")
            .longValue();
    JsonNode diff =
        api.get(SPACE + "/diff?values=false&from=%d&until=%d".formatted(text.revision() - 1, last));
    List<Version> all = new ArrayList<>();
    for (JsonNode one : diff.get("items")) {
      String region = one.get("region").textValue();
      String key = one.get("key").textValue();
      if (!key.contains(path)) {
        continue; // somebody else's, at the same time
      }
      JsonNode history =
          api.look(SPACE + "/history/%s?region=%s&limit=100".formatted(StoryApi.path(key), region));
      for (JsonNode version : history.get("items")) {
        long revision = version.get("revision").longValue();
        if (revision >= text.revision() && revision <= last) {
          all.add(new Version(region, key, revision));
          out.accept(
              "      %-8s %s:%s, revision %d"
                  .formatted(one.get("change").textValue(), region, key, revision));
        }
      }
    }
    return all;
  }

  /** Tells who got a version; the agents. */
  Set<String> whoSaw(Version version) {
    Set<String> agents = new LinkedHashSet<>();
    String path =
        SPACE
            + "/seen/%s?region=%s&revision=%d"
                .formatted(StoryApi.path(version.key()), version.region(), version.revision());
    for (JsonNode receipt : api.get(path).get("items")) {
      String agent = receipt.get("agent").textValue();
      if (agents.add(agent)) {
        out.accept(
            "      %-10s got it by a %s at %s, %s"
                .formatted(
                    agent,
                    receipt.get("how").textValue(),
                    receipt.get("at").textValue(),
                    receipt.get("confirmed").booleanValue() ? "certainly" : "perhaps"));
      }
    }
    return agents;
  }

  /**
   * What may have come of a version.
   *
   * @param until what must be among it: what an agent wrote is on record a moment later
   */
  JsonNode containment(Version version, Predicate<Version> until) {
    String path =
        "/v1/containment?space=%s&region=%s&key=%s&revision=%d"
            .formatted(
                Desk.SPACE, version.region(), StoryApi.encoded(version.key()), version.revision());
    out.accept("    GET " + path);
    JsonNode found =
        until("containment to be complete", () -> api.look(path), all -> has(all, until));
    for (JsonNode reader : found.get("readers")) {
      out.accept(
          "      %-10s first got %s"
              .formatted(reader.get("agent").textValue(), Version.of(reader)));
    }
    out.accept(
        "      %d agents, %d versions that they wrote afterwards"
            .formatted(found.get("readers").size(), found.get("derived").size()));
    return found;
  }

  private static boolean has(JsonNode containment, Predicate<Version> wanted) {
    for (JsonNode derived : containment.get("derived")) {
      if (wanted.test(Version.of(derived))) {
        return true;
      }
    }
    return false;
  }

  /**
   * Has the readers run again, in the order in which work passes the desk, each without what those
   * before did not do again; and once more whoever had seen what turned out later.
   *
   * @param removed what is to be as if it had never been
   * @return all that would not have been: what was removed, and what came of it
   */
  Set<Version> rerun(JsonNode containment, List<Version> removed, String fork, Instant from) {
    List<String> agents = new ArrayList<>();
    for (JsonNode reader : containment.get("readers")) {
      String agent = reader.get("agent").textValue();
      if (agent.equals(Desk.READER)) {
        out.accept("      (the reader has brought it: its document is what is left away)");
      } else {
        agents.add(agent);
      }
    }
    agents.sort(Comparator.comparingInt(Inquiry::place).thenComparing(agent -> agent));
    Set<Version> gone = new LinkedHashSet<>(removed);
    List<String> left = new ArrayList<>(agents);
    for (int reruns = 0; !left.isEmpty(); reruns++) {
      if (reruns == RERUNS_MAX) {
        throw new DeskFailure("[%d] reruns did not come to an end".formatted(RERUNS_MAX));
      }
      String agent = left.remove(0);
      Set<Version> more = new LinkedHashSet<>(rerun(agent, gone, fork, from));
      more.removeAll(gone);
      gone.addAll(more);
      for (String other : agents) {
        if (!left.contains(other) && !other.equals(agent) && hasRead(containment, other, more)) {
          left.add(other);
        }
      }
    }
    return gone;
  }

  private static int place(String agent) {
    String type = agent.startsWith(Desk.ANALYST) ? Desk.ANALYST : agent;
    return ORDER.contains(type) ? ORDER.indexOf(type) : ORDER.size();
  }

  private static boolean hasRead(JsonNode containment, String agent, Set<Version> versions) {
    for (JsonNode edge : containment.get("edges")) {
      if (edge.get("kind").textValue().equals("read")
          && edge.get("agent").textValue().equals(agent)
          && versions.contains(Version.of(edge))) {
        return true;
      }
    }
    return false;
  }

  private Set<Version> rerun(String agent, Set<Version> without, String fork, Instant from) {
    ObjectNode request =
        JSON.objectNode()
            .put("from", from.toString())
            .put("until", Instant.now().toString())
            .put("fork", fork);
    ArrayNode away = request.putArray("without");
    without.forEach(version -> away.add(version.toJson()));
    String id = api.post("/v1/agents/" + agent + "/rerun", request).get("id").textValue();
    JsonNode operation =
        until(
            "the rerun of " + agent,
            () -> api.look("/v1/operations/" + id),
            now -> !now.get("state").textValue().equals("running"));
    if (!operation.get("state").textValue().equals("done")) {
      throw new DeskFailure("the rerun of [%s] failed: %s".formatted(agent, operation));
    }
    JsonNode result = operation.get("result");
    Set<Version> missing = new HashSet<>();
    result.get("not_repeated").forEach(each -> missing.add(Version.of(each)));
    JsonNode at = result.get("diverged_at");
    out.accept(
        "      %-10s %d inputs again; %d of its versions would not have been%s"
            .formatted(
                agent,
                result.get("inputs").longValue(),
                missing.size(),
                at == null ? "" : "; " + at.get("how").textValue()));
    return missing;
  }

  private interface Asking {
    JsonNode ask();
  }

  private static JsonNode until(String what, Asking asking, Predicate<JsonNode> done) {
    long deadline = System.nanoTime() + WAIT_MAX.toNanos();
    while (true) {
      JsonNode answer = asking.ask();
      if (done.test(answer)) {
        return answer;
      }
      if (System.nanoTime() > deadline) {
        throw new DeskFailure("waited [%s] for %s: %s".formatted(WAIT_MAX, what, answer));
      }
      Thread.onSpinWait();
    }
  }
}
