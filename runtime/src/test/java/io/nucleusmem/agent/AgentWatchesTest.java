package io.nucleusmem.agent;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Where an agent's watches go on. */
class AgentWatchesTest {
  static final Principal ANNA = Principal.of("anna");
  static final Principal AUTHOR = Principal.of("author"); // who spawns the agent under test

  record Changed(AgentContext.Seen<Signal> signal) {}

  /** Watches whatever space it has, and reports SPACE/KEY to the test. */
  static final AgentType<Changed> TYPE =
      AgentType.of("watcher", Changed.class, AgentWatchesTest::create);

  static Behavior<Changed> create(AgentContext<Changed> ctx) {
    WatchRequest all = WatchRequest.of(Region.MEMORY, "");
    String space = ctx.spaces().iterator().next();
    ctx.watch(
        "all",
        space,
        ctx.config().containsKey("from") ? all.from(Long.parseLong(ctx.config().get("from"))) : all,
        Changed::new);
    return Behaviors.receiveMessage(
        changed -> {
          ctx.send(
              AgentTestKit.TEST, Content.text(space + "/" + changed.signal().what().key().name()));
          return Behaviors.same();
        });
  }

  static AgentMount mount(String space) {
    return AgentMount.of(space, Access.READ_ONLY);
  }

  static void untilActive(AgentTestKit kit, String cursor) {
    kit.until(
        "the watch",
        () -> kit.agents().describe(Principal.of("author"), kit.id()),
        i -> i.cursors().containsKey(cursor));
  }

  static String reported(AgentTestKit kit) {
    return kit.received().content().text();
  }

  @Test
  void watchOfTheSameNameInAnotherSpaceHasACursorOfItsOwn() {
    try (AgentTestKit kit = AgentTestKit.start(TYPE, mount("busy"))) {
      untilActive(kit, "busy/all");
      for (int i = 0; i < 20; i++) {
        kit.put("busy", "k" + i, "v");
        assertThat(reported(kit)).isEqualTo("busy/k" + i);
      }
      kit.makeSpace("quiet");
      kit.await(kit.agents().switchMounts(AUTHOR, kit.id(), List.of(mount("quiet"))));
      untilActive(kit, "quiet/all");
      kit.put("quiet", "first", "v");
      assertThat(reported(kit)).isEqualTo("quiet/first");
    }
  }

  @Test
  void signalWhoseCursorWasNotSavedComesAgain() {
    try (AgentTestKit kit = AgentTestKit.start(TYPE, mount("s"))) {
      untilActive(kit, "s/all");
      kit.put("s", "first", "v");
      assertThat(reported(kit)).isEqualTo("s/first");
      kit.crashNode();
      assertThat(reported(kit)).isEqualTo("s/first");
    }
  }

  @Test
  void cursorBehindWhatRetentionRemovedGoesOnWithWhatIsLeft() {
    try (AgentTestKit kit = AgentTestKit.start(TYPE, mount("other"))) {
      kit.makeSpace("s");
      long newest = 0;
      for (int i = 0; i < 5; i++) {
        newest = kit.put("s", "k", "v" + i).revision();
      }
      kit.await(NucleusMem.get(kit.system()).system().compact("s", newest));
      kit.await(
          kit.agents()
              .spawn(
                  ANNA, AgentSpec.of("watcher", "late", mount("s")).config(Map.of("from", "1"))));
      assertThat(reported(kit)).isEqualTo("s/k");
      kit.put("s", "new", "v");
      assertThat(reported(kit)).isEqualTo("s/new");
    }
  }
}
