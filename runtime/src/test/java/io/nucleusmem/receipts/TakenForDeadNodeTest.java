package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.StoreExtension;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** G10: agents of a node that was taken for dead go on, and their past is one. */
@Timeout(120)
class TakenForDeadNodeTest {
  private static final Principal AUTHOR = Principal.of("author");
  private static final Instant FIRST = Instant.EPOCH;
  private static final Instant LAST = Instant.parse("2100-01-01T00:00:00Z");

  private AgentTestKit kit;
  private Receipts receipts;

  @BeforeEach
  void start() {
    kit = AgentTestKit.start(RerunTest.TYPE, AgentMount.of("desk", Access.READ_WRITE));
    receipts = ReceiptsClient.of(kit.system());
  }

  @AfterEach
  void end() {
    kit.close();
  }

  private void takenForDead() {
    int ended =
        kit.await(new DeadLogs(StoreExtension.get(kit.system()).store()).end(Set.of("another")));
    assertThat(ended).isEqualTo(1);
  }

  private void untilText(String key, String wanted) {
    kit.until(
        key + " to be " + wanted,
        () -> kit.space("desk").get(EntryKey.of(key)),
        entry -> entry.map(Entry::text).orElse("").startsWith(wanted));
  }

  @Test
  void g10AgentGoesOnReceivingAndAllOfItIsRecordedOnceReplayedAndRunAgain() {
    long first = kit.put("desk", "fact/1", "one").revision();
    untilText("digest", "one");
    takenForDead();
    kit.put("desk", "fact/2", "two");
    untilText("digest", "one two");
    takenForDead();
    kit.send("what do you say");
    untilText("word", "reply");

    Paged<Receipt> saw =
        kit.until(
            "receipts",
            () -> receipts.saw(AUTHOR, "editor", FIRST, LAST, 100, Optional.empty()),
            page -> page.items().size() == 6 && page.items().stream().allMatch(Receipt::confirmed));
    assertThat(saw.items().stream().map(Receipt::life).distinct()).hasSize(1);
    assertThat(saw.items().stream().map(Receipt::seq)).doesNotHaveDuplicates().isSorted();
    assertThat(
            kit.await(receipts.replay(AUTHOR, "editor", FIRST, LAST, 100, Optional.empty()))
                .items())
        .extracting(each -> each.content().orElseThrow().text())
        .containsExactly("one", "one", "two", "one", "two", "what do you say");
    SeenVersion bad = SeenVersion.entry(Region.MEMORY, "fact/1", first);
    List<String> derived =
        kit
            .until(
                "what came of it",
                () -> receipts.containment(AUTHOR, "desk", bad),
                found -> found.derived().size() == 3)
            .derived()
            .stream()
            .map(each -> each.version().version().key())
            .toList();
    assertThat(derived).containsExactly("digest", "digest", "word");
    assertThat(kit.info().restarts()).isZero();

    OperationInfo begun =
        kit.await(
            kit.agents().reruns().rerun(AUTHOR, "editor", FIRST, LAST, Optional.empty(), Set.of()));
    OperationInfo done =
        kit.until(
            "the rerun",
            () -> NucleusMem.get(kit.system()).operations().get(AUTHOR, begun.id()),
            operation -> operation.state() != OperationInfo.State.RUNNING);
    assertThat(done.state()).as(done.toString()).isEqualTo(OperationInfo.State.DONE);
    assertThat(done.result()).doesNotContainKey("diverged_at");
    assertThat(((Number) done.result().get("inputs")).longValue()).isEqualTo(3);
  }
}
