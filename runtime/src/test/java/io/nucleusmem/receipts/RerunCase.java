package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.Principal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What tests of reruns ask of a kit's agent. */
final class RerunCase {
  static final Principal AUTHOR = Principal.of("author");
  static final Instant LAST = Instant.parse("2100-01-01T00:00:00Z");

  private RerunCase() {}

  static OperationInfo rerun(AgentTestKit kit, Set<Tape.Without> without) {
    return rerun(kit, Instant.EPOCH, LAST, without);
  }

  static OperationInfo rerun(
      AgentTestKit kit, Instant from, Instant until, Set<Tape.Without> without) {
    OperationInfo begun =
        kit.await(
            kit.agents().reruns().rerun(AUTHOR, kit.id(), from, until, Optional.empty(), without));
    return kit.until(
        "the rerun",
        () -> NucleusMem.get(kit.system()).operations().get(AUTHOR, begun.id()),
        operation -> operation.state() != OperationInfo.State.RUNNING);
  }

  /** One that must do just what was done. */
  static String same(AgentTestKit kit) {
    OperationInfo done = rerun(kit, Set.of());
    assertThat(done.state()).as(done.toString()).isEqualTo(OperationInfo.State.DONE);
    assertThat(done.result()).as(done.toString()).doesNotContainKeys("diverged_at", "not_played");
    assertThat((List<?>) done.result().get("not_repeated")).as(done.toString()).isEmpty();
    return scratch(done);
  }

  static String scratch(OperationInfo done) {
    return (String) done.about().get("scratch");
  }

  static List<String> notPlayed(OperationInfo done) {
    List<?> gaps = (List<?>) done.result().getOrDefault("not_played", List.of());
    return gaps.stream().map(gap -> (String) ((Map<?, ?>) gap).get("what")).toList();
  }

  static String text(AgentTestKit kit, String space, String key) {
    return kit.await(kit.space(space).get(EntryKey.of(key))).map(Entry::text).orElse("none");
  }

  static Entry put(AgentTestKit kit, String space, String key, String text) {
    kit.await(kit.space(space).put(EntryKey.of(key), Content.text(text)));
    return kit.await(kit.space(space).get(EntryKey.of(key))).orElseThrow();
  }

  static void untilText(AgentTestKit kit, String space, String key, String wanted) {
    kit.until(
        key + " to be " + wanted,
        () -> kit.space(space).get(EntryKey.of(key)),
        entry -> entry.isPresent() && entry.get().text().equals(wanted));
  }
}
