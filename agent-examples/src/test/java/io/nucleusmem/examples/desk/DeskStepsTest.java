package io.nucleusmem.examples.desk;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.examples.desk.Desk.Finished;
import io.nucleusmem.examples.desk.Desk.Order;
import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.examples.desk.Desk.Verdict;
import io.nucleusmem.memspace.Claim;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Operation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The steps of all agents, one after the other, on a space that dies wherever it likes. */
class DeskStepsTest {

  private static final Duration LEASE = Duration.ofSeconds(5);

  @TempDir Path folder;
  private final FakeSpace space = new FakeSpace();
  private int run;

  @BeforeEach
  void writeDocuments() throws IOException {
    Files.writeString(folder.resolve("a.md"), "# A\n\nThe first document tells of the desk.\n");
    Files.writeString(
        folder.resolve("list.md"),
        "# L\n\n" + "- some words of a list that goes on\n- others are in it as well\n".repeat(8));
    Files.writeString(folder.resolve("empty.md"), "");
    Files.createDirectory(folder.resolve("sub"));
    Files.writeString(
        folder.resolve("sub/big.md"), // two parts, and quickly read: code is passed over
        "# Big\n\n```\n" + "code of a line\n".repeat(60_000) + "```\n\nIt ends with some words.\n");
  }

  @Test
  void everyDocumentGetsOneResultAndWeakOnesASecondRound() {
    order(space);
    work(space);
    assertThat(digest(space))
        .contains(
            "3 documents; 1 revised after review; 1 left out.", "- empty: 0 bytes: `empty.md`");
    assertThat(keys(space, Desk.RESULTS)).hasSize(3);
    assertThat(keys(space, Desk.TEXTS)).hasSize(1 + 1 + 2);
    assertThat(keys(space, Desk.QUEUE)).isEmpty();
    assertThat(keys(space, Desk.REVIEWS)).isEmpty();
    assertThat(rounds(space, "list.md")).containsExactly(1, 2);
    assertThat(rounds(space, "a.md")).containsExactly(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void killedAtAnyCallNothingIsMissingAndNoResultStandsTwice(boolean withEffect) {
    order(space);
    work(space);
    String undisturbed = digest(space);
    int kills = 0;
    for (int calls = 0; ; calls++) {
      var other = new FakeSpace();
      order(other);
      other.killAfter(calls, withEffect);
      try {
        work(other);
        break;
      } catch (FakeSpace.Killed e) {
        kills++;
      }
      other.restart();
      order(other); // as a restarted desk does
      work(other);
      assertThat(digest(other)).as("killed after %d calls", calls).isEqualTo(undisturbed);
      for (String path : List.of("a.md", "list.md", "sub/big.md")) {
        assertThat(rounds(other, path))
            .as("%s, killed after %d calls", path, calls)
            .isEqualTo(rounds(space, path));
      }
      assertThat(keys(other, Desk.TEXTS)).isEqualTo(keys(space, Desk.TEXTS));
      assertThat(said(other).stream().filter(line -> line.startsWith("review")))
          .as("messages, killed after %d calls", calls)
          .containsExactlyInAnyOrderElementsOf(
              said(space).stream().filter(line -> line.startsWith("review")).toList());
    }
    assertThat(kills).isGreaterThan(50);
  }

  @Test
  void aSecondRunDoesOnlyWhatChanged() throws IOException {
    order(space);
    work(space);
    int before = space.versions.size();
    Files.writeString(folder.resolve("a.md"), "# A\n\nThe document has changed since the run.\n");
    Files.delete(folder.resolve("list.md"));
    Files.writeString(folder.resolve("empty.md"), "Not empty any more, this is.");

    order(space);
    work(space);
    assertThat(
            space.versions.subList(before, space.versions.size()).stream()
                .filter(e -> e.key().name().startsWith(Desk.RESULTS) && !e.deleted())
                .map(e -> e.key().name()))
        .containsExactly("result/a.md", "result/empty.md");
    assertThat(digest(space))
        .contains("changed since", "Not empty any more")
        .doesNotContain("first document", "list.md", "left out");
    assertThat(keys(space, Desk.TEXTS)).hasSize(1 + 1 + 2);
    assertThat(keys(space, Desk.LEFT_OUT)).isEmpty();

    int idle = space.versions.size();
    order(space);
    work(space);
    assertThat(space.versions.subList(idle, space.versions.size()))
        .as("a third run only takes note of itself")
        .extracting(Entry::key)
        .containsExactly(Desk.ORDER, Desk.INTAKE, Desk.DIGEST);
  }

  @Test
  void aDocumentThatChangesWhileItIsAnalysedIsDoneOnceAndInItsNewForm() throws IOException {
    order(space);
    read();
    Claim old = claim(space);
    assertThat(old.entry().key().name()).startsWith("queue/a.md");

    Files.writeString(folder.resolve("a.md"), "# A\n\nIt is another text than before, quite.\n");
    order(space);
    read();
    assertThat(analyst(space, "late").work(old)).isEmpty();
    work(space);
    assertThat(rounds(space, "a.md")).containsExactly(1);
    assertThat(digest(space)).contains("another text");
  }

  @Test
  void aDocumentThatChangesRightBeforeItsResultIsWrittenGetsNoResultOfItsOldForm() {
    order(space);
    read();
    Claim claim = claim(space);
    space.beforeNextWrite(() -> replaceAndRead("a.md", "It is quite another text than before."));
    assertThat(analyst(space, "late").work(claim)).isEmpty();
    assertThat(keys(space, Desk.RESULTS)).isEmpty();
    work(space);
    assertThat(digest(space)).contains("quite another text");
  }

  @Test
  void aDocumentThatIsWrittenAgainWithItsOldContentMeanwhileGetsItsResultAtOnce() {
    order(space);
    read();
    Claim claim = claim(space);
    String first = read("a.md");
    space.beforeNextWrite(
        () -> {
          replaceAndRead("a.md", "It is quite another text than before.");
          replaceAndRead("a.md", first);
        });
    assertThat(analyst(space, "slow").work(claim)).isPresent();
    work(space);
    assertThat(digest(space)).contains("The first document tells of the desk.");
  }

  @Test
  void aResultThatIsReplacedWhileItIsJudgedGetsNoVerdictOfTheOldOne() {
    order(space);
    read();
    Finished old = analyst(space, "analyst-1").work(claim(space)).orElseThrow();
    space.beforeNextWrite(
        () -> {
          replaceAndRead("a.md", "It is quite another text than before.");
          analyst(space, "analyst-2").work(claim(space));
        });
    assertThat(judge(old)).isEmpty();
    assertThat(keys(space, Desk.VERDICTS)).isEmpty();
    work(space);
    assertThat(digest(space)).contains("quite another text");
  }

  @Test
  void aResultThatIsJudgedWhileItsDocumentIsRemovedLeavesNothingBehind() throws IOException {
    order(space);
    read();
    Finished finished = analyst(space, "analyst-1").work(claim(space)).orElseThrow();
    Files.delete(folder.resolve("a.md"));
    order(space);
    space.beforeNextWrite(() -> judge(finished));
    read();
    work(space);
    assertThat(keys(space, Desk.RESULTS)).doesNotContain("result/a.md");
    assertThat(keys(space, Desk.VERDICTS)).doesNotContain("verdict/a.md");
  }

  @Test
  void aContentThatComesBackWhileItsFirstAnalysisRunsIsNotLost() throws IOException {
    String first = Files.readString(folder.resolve("a.md"));
    order(space);
    read();
    Claim claim = claim(space);
    for (String text : List.of("Something else stands here for a moment.", first)) {
      Files.writeString(folder.resolve("a.md"), text);
      order(space);
      read();
    }
    assertThat(analyst(space, "slow").work(claim)).isPresent();
    work(space);
    assertThat(digest(space)).contains("The first document tells of the desk.");
    assertThat(keys(space, Desk.QUEUE)).isEmpty();
  }

  @Test
  void anAnalystWhoseLeaseRanOutWritesNothing() {
    order(space);
    read();
    Claim lost = claim(space);
    space.restart();
    Claim held = claim(space);
    assertThat(held.entry().key()).isEqualTo(lost.entry().key());
    assertThat(analyst(space, "slow").work(lost)).isEmpty();
    assertThat(keys(space, Desk.RESULTS)).isEmpty();
    assertThat(analyst(space, "quick").work(held)).isPresent();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void changesOfTheFolderInBetweenAnyStepsLeadToTheSameDigest(long seed) throws IOException {
    var random = new Random(seed);
    for (int i = 0; i < 40; i++) {
      Path file = folder.resolve("f" + random.nextInt(3) + ".md");
      switch (random.nextInt(3)) {
        case 0 -> Files.deleteIfExists(file);
        case 1 -> Files.writeString(file, "Text number " + random.nextInt(3) + " has these words.");
        default -> {
          if (random.nextBoolean()) {
            space.restart(); // every lease runs out
          }
        }
      }
      order(space);
      new ReaderSteps(space).openOrder().ifPresent(new ReaderSteps(space)::carryOut);
      List<Runnable> steps = steps(space);
      Collections.shuffle(steps, random);
      steps.stream().limit(random.nextInt(4)).forEach(Runnable::run);
    }
    space.restart();
    order(space);
    work(space);
    var fresh = new FakeSpace();
    order(fresh);
    work(fresh);
    assertThat(digest(space)).as("seed %d", seed).isEqualTo(digest(fresh));
    assertThat(keys(space, "")).as("seed %d", seed).isEqualTo(keys(fresh, ""));
  }

  @Test
  void theConversationIsWhole() {
    order(space);
    work(space);
    assertThat(said(space))
        .contains(
            "work Taken list.md/1",
            "review Finished list.md/1 to critic",
            "review Judged list.md/1 to analyst-1",
            "work Taken list.md/2",
            "review Finished list.md/2 to critic",
            "review Judged list.md/2 to analyst-1")
        .hasSize(3 * 4);
  }

  @Test
  void aFolderThatIsGoneIsAnAnswer() throws IOException {
    space.write(
        new Operation.Put(
            Desk.ORDER,
            Desk.json(new Order("r", folder + "/gone", DocumentFolder.Kind.TEXT, List.of()))));
    assertThat(
            new ReaderSteps(space)
                .carryOut(new ReaderSteps(space).openOrder().orElseThrow())
                .problem())
        .contains("gone");
    assertThat(new ReaderSteps(space).openOrder()).isEmpty();
  }

  private void read() {
    new ReaderSteps(space).carryOut(new ReaderSteps(space).openOrder().orElseThrow());
  }

  private String read(String name) {
    try {
      return Files.readString(folder.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void replaceAndRead(String name, String text) {
    try {
      Files.writeString(folder.resolve(name), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    order(space);
    read();
  }

  private void order(FakeSpace on) {
    var order = new Order("run-" + ++run, folder.toString(), DocumentFolder.Kind.TEXT, List.of());
    on.write(new Operation.Put(Desk.ORDER, Desk.json(order)));
  }

  /** All agents in turn, until nothing is left to do. */
  private static void work(FakeSpace on) {
    new ReaderSteps(on).openOrder().ifPresent(new ReaderSteps(on)::carryOut);
    List<EntryKey> before;
    do {
      before = on.keys();
      steps(on).forEach(Runnable::run);
    } while (!on.keys().equals(before) || !keys(on, Desk.QUEUE).isEmpty());
  }

  private static List<Runnable> steps(FakeSpace on) {
    List<Runnable> steps = new ArrayList<>();
    steps.add(
        () ->
            Calls.await(on.claim(EntryKey.task(Desk.QUEUE), "analyst-1", LEASE, 1))
                .forEach(claim -> analyst(on, "analyst-1").work(claim)));
    steps.add(
        () -> {
          analyst(on, "analyst-1").tellUnjudged();
          new CriticSteps(on).judgeWaiting();
        });
    steps.add(() -> new EditorSteps(on).update());
    return steps;
  }

  private Optional<Verdict> judge(Finished finished) {
    return new CriticSteps(space).judge(finished.path(), finished.hash(), finished.round());
  }

  private static List<String> said(FakeSpace on) {
    return on.messages.values().stream()
        .map(
            said -> {
              String kind = said.content().metadata().get("kind");
              var path = Pattern.compile("\"path\":\"(.*?)\".*\"round\":(\\d)");
              var found = path.matcher(said.content().text());
              assertThat(found.find()).isTrue();
              return "%s %s %s/%s%s"
                  .formatted(
                      said.topic(),
                      kind,
                      found.group(1),
                      found.group(2),
                      said.to().map(to -> " to " + to).orElse(""));
            })
        .toList();
  }

  private static AnalystSteps analyst(FakeSpace on, String name) {
    return new AnalystSteps(on, new Analysis(Optional.empty()), name, LEASE);
  }

  private static Claim claim(FakeSpace on) {
    return Calls.await(on.claim(EntryKey.task(Desk.QUEUE), "test", LEASE, 1)).get(0);
  }

  private static String digest(FakeSpace on) {
    Entry digest = Calls.await(on.get(Desk.DIGEST)).orElseThrow();
    assertThat(digest.content().metadata().get(Desk.COMPLETE)).isNotEmpty();
    return digest.text();
  }

  private static List<String> keys(FakeSpace on, String prefix) {
    return on.keys().stream().map(EntryKey::name).filter(k -> k.startsWith(prefix)).toList();
  }

  /** The rounds of the results that were written for a document, in order. */
  private static List<Integer> rounds(FakeSpace on, String path) {
    return on.versions.stream()
        .filter(entry -> entry.key().equals(Desk.result(path)) && !entry.deleted())
        .map(entry -> Desk.read(entry, Result.class).round())
        .toList();
  }
}
