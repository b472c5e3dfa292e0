package io.nucleusmem.examples.desk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.Config;
import io.nucleusmem.examples.desk.Desk.Order;
import io.nucleusmem.examples.desk.Inquiry.Version;
import io.nucleusmem.node.NucleusNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * A wrong figure comes to the document desk, and is taken back as if it had never been: who saw it,
 * what came of it, what the agents would have written without it, and how that gets back to the
 * desk. All of it by the node's HTTP API.
 */
final class DeskStory {
  /** The document that has the figure. */
  static final String PATH = "annual-report.md";

  static final String TRUE_FIGURE = "12,400 visitors";
  static final String FALSE_FIGURE = "124,000 visitors";

  private static final String SPACE = "/v1/spaces/" + Desk.SPACE;
  private static final String DIGEST = SPACE + "/entries/" + Desk.DIGEST.name() + "?region=summary";
  private static final int ANALYSTS = 2;

  /** Folders of the example's resources, with what lies in them. */
  private static final Map<String, List<String>> DELIVERIES =
      Map.of(
          "monday", List.of(PATH, "building.md"),
          "tuesday", List.of(PATH, "building.md", "harbour-day.md"));

  /**
   * What the story came to.
   *
   * @param monday the digest before the wrong figure
   * @param wrong the digest with it, and its revision
   * @param right the digest afterwards, and its revision
   * @param readers the agents that may have it from the wrong text
   * @param gone versions that would not have been
   */
  record Outcome(
      String monday,
      String wrong,
      long wrongRevision,
      String right,
      long rightRevision,
      Set<String> readers,
      Set<Version> gone) {}

  private final NucleusNode node;
  private final Path documents;
  private final Path data;
  private final Consumer<String> out;
  private final StoryApi api;
  private final Inquiry inquiry;

  private DeskStory(NucleusNode node, Path dir, Consumer<String> out) {
    this.node = node;
    this.documents = dir.resolve("documents");
    this.data = dir.resolve("data");
    this.out = out;
    this.api = new StoryApi(node.address().getPort(), out);
    this.inquiry = new Inquiry(api, out);
  }

  /**
   * Tells the story on a node of its own; blocks.
   *
   * @param dir where the documents and the memory are kept
   * @param config of a node whose store is the folder {@code data} in it
   * @throws DeskFailure if something is not as the story says
   */
  static Outcome tell(Path dir, Config config, Consumer<String> out) {
    DeskSettings settings = DeskSettings.from(config);
    try (NucleusNode node = NucleusNode.start(config, DeskRun.types(settings, Optional.empty()))) {
      return new DeskStory(node, dir, out).tell();
    }
  }

  private Outcome tell() {
    say("Monday: two documents come to the desk, and the team writes its digest.");
    deliver("monday", List.of());
    String monday = carryOut();
    check(monday.contains(TRUE_FIGURE), "Monday's digest has the true figure");

    say("Tuesday: news, and a nought too many in %s.".formatted(PATH));
    deliver("tuesday", List.of());
    String wrong = carryOut();
    long wrongRevision = newestDigest();
    check(wrong.contains(FALSE_FIGURE), "Tuesday's digest has the false figure");
    tellFigure("the digest", wrongRevision, wrong);

    say("Where is it from, and what came with it?");
    Version text = inquiry.textWith(PATH, FALSE_FIGURE);
    List<Version> removed = inquiry.whatCameWith(text, PATH);

    say("Who saw that text?");
    Set<String> readers = inquiry.whoSaw(text);
    check(!readers.isEmpty(), "somebody saw it");

    say("What may have come of it?");
    Version wrongDigest = new Version("summary", Desk.DIGEST.name(), wrongRevision);
    JsonNode containment = inquiry.containment(text, wrongDigest::equals);

    say("A fork of the desk as it was just before.");
    String fork = "desk-before-" + text.revision();
    JsonNode made =
        api.post(
            SPACE + "/forks",
            JsonNodeFactory.instance.objectNode().put("name", fork).put("at", text.revision() - 1));
    tellBase(made);

    say("In the fork they do it again: the same inputs and recorded replies, without that text.");
    Instant before = writtenAt(text).minusMillis(1);
    Set<Version> gone = inquiry.rerun(containment, removed, fork, before);
    check(gone.contains(wrongDigest), "the wrong digest would not have been written");

    say("What is different there?");
    Set<String> different = differences(fork);

    say("Back to the desk with it, in one commit: where something would not have been.");
    merge(fork, different, gone);
    String right = api.text(DIGEST);
    long rightRevision = newestDigest();
    tellFigure("the digest", rightRevision, right);
    check(right.contains(TRUE_FIGURE), "the digest has the true figure");
    check(!right.contains(FALSE_FIGURE), "the digest has the false figure no more");
    check(right.contains("86,000 euros"), "Tuesday's other news is still in the digest");

    say("The history keeps both.");
    String then = api.text(DIGEST + "&as_of=" + wrongRevision);
    check(
        then.equals(wrong),
        "as of revision %d the digest is the wrong one".formatted(wrongRevision));
    tellFigure("the digest", wrongRevision, then);

    say("Wednesday: the file is put right, and the team looks again.");
    deliver("tuesday", List.of(PATH));
    String wednesday = carryOut();
    check(wednesday.equals(right), "the team's own digest is the same");
    api.delete("/v1/spaces/" + fork);
    return new Outcome(monday, wrong, wrongRevision, right, rightRevision, readers, gone);
  }

  // ---- the desk ----

  /**
   * Puts a delivery's documents into the folder.
   *
   * @param asOnMonday those of them that are as they were on Monday
   */
  private void deliver(String day, List<String> asOnMonday) {
    try {
      Files.createDirectories(documents);
      for (String document : DELIVERIES.get("tuesday")) {
        Files.deleteIfExists(documents.resolve(document));
      }
      for (String document : DELIVERIES.get(day)) {
        String from = asOnMonday.contains(document) ? "monday" : day;
        String name = "/desk-story/%s/%s".formatted(from, document);
        try (InputStream resource = DeskStory.class.getResourceAsStream(name)) {
          Files.write(documents.resolve(document), resource.readAllBytes());
        }
      }
    } catch (IOException e) {
      throw new DeskFailure("[%s] cannot be written: %s".formatted(documents, e), e);
    }
  }

  /** Has the folder read; the digest when it is complete. */
  private String carryOut() {
    try (DeskRun run =
        new DeskRun(node.spaces(), node.agents(), ANALYSTS, line -> out.accept("  " + line))) {
      var order =
          new Order(
              UUID.randomUUID().toString(),
              documents.toString(),
              DocumentFolder.Kind.TEXT,
              List.of(data.toString()));
      return run.carryOut(order).digest();
    }
  }

  // ---- the API ----

  private long newestDigest() {
    return api.look(SPACE + "/history/" + Desk.DIGEST.name() + "?region=summary&limit=1")
        .get("items")
        .get(0)
        .get("revision")
        .longValue();
  }

  private Instant writtenAt(Version version) {
    JsonNode history =
        api.look(
            SPACE + "/history/" + StoryApi.path(version.key()) + "?region=" + version.region());
    for (JsonNode each : history.get("items")) {
      if (each.get("revision").longValue() == version.revision()) {
        return Instant.parse(each.get("at").textValue());
      }
    }
    throw new DeskFailure("[%s] is not in its history".formatted(version));
  }

  private void tellBase(JsonNode made) {
    JsonNode base = made.get("base");
    out.accept(
        "      %s begins as %s was at revision %d"
            .formatted(
                made.get("name").textValue(),
                base.get("space").textValue(),
                base.get("revision").longValue()));
  }

  /** Tells and gives the keys that are not the same in the fork and on the desk. */
  private Set<String> differences(String fork) {
    JsonNode diff = api.get("/v1/spaces/" + fork + "/diff?values=false&with=" + Desk.SPACE);
    Set<String> keys = new TreeSet<>();
    for (JsonNode one : diff.get("items")) {
      String key = one.get("key").textValue();
      keys.add(key);
      out.accept(
          "      %-8s %s:%s"
              .formatted(one.get("change").textValue(), one.get("region").textValue(), key));
    }
    return keys;
  }

  private void merge(String fork, Set<String> different, Set<Version> gone) {
    ObjectNode request = JsonNodeFactory.instance.objectNode().put("policy", "fail");
    ObjectNode resolve = request.putObject("resolve");
    Set<String> keys = gone.stream().map(Version::key).collect(Collectors.toSet());
    for (String key : different) {
      // ours is the desk, which has other news since then; theirs is the fork
      resolve.put(key, keys.contains(key) ? "theirs" : "ours");
    }
    JsonNode merged = api.post("/v1/spaces/" + fork + "/merge", request);
    out.accept(
        "      %d keys, revision %d of %s"
            .formatted(
                merged.get("merged").longValue(), merged.get("revision").longValue(), Desk.SPACE));
    check(merged.get("atomic").booleanValue(), "the merge was one commit");
  }

  // ---- telling ----

  private void say(String line) {
    out.accept("");
    out.accept(line);
  }

  private void tellFigure(String what, long revision, String digest) {
    String line =
        digest
            .lines()
            .filter(each -> each.contains(TRUE_FIGURE) || each.contains(FALSE_FIGURE))
            .findFirst()
            .orElse("nothing of visitors");
    out.accept("      %s at revision %d says: %s".formatted(what, revision, line));
  }

  private void check(boolean holds, String claim) {
    if (!holds) {
      throw new DeskFailure("it is not so that " + claim);
    }
    out.accept("      so it is: " + claim);
  }
}
