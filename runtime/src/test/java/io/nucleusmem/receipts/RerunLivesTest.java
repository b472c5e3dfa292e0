package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentContext.Reply;
import io.nucleusmem.agent.AgentContext.Seen;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Reruns through crashes, kills, persona switches, and mounts without receipts. */
@Timeout(120)
class RerunLivesTest {
  sealed interface Msg {}

  record Changed(String space, Seen<Signal> signal) implements Msg {}

  record Replied(String key, Reply reply, Throwable failure) implements Msg {}

  record Mounted(Throwable failure) implements Msg {}

  /** Models that have not answered yet. */
  private static final Map<String, CompletableFuture<String>> MODELS = new ConcurrentHashMap<>();

  private static final Queue<String> CALLED = new ConcurrentLinkedQueue<>();

  static final AgentType<Msg> TYPE = AgentType.of("editor", Msg.class, RerunLivesTest::create);

  /** Asks a model about each fact of all its spaces, and writes the word down beside it. */
  private static Behavior<Msg> create(AgentContext<Msg> ctx) {
    ctx.spaces().forEach(space -> watch(ctx, space));
    return Behaviors.receive(Msg.class)
        .onMessage(Changed.class, changed -> changed(ctx, changed))
        .onMessage(
            Replied.class,
            replied -> {
              String text =
                  replied.failure() == null ? replied.reply().text() : "" + replied.failure();
              ctx.space(replied.key().split("/")[0])
                  .put(EntryKey.of("word/" + replied.key().split("/")[1]), Content.text(text));
              return Behaviors.same();
            })
        .onMessage(
            Mounted.class,
            mounted -> {
              if (mounted.failure() == null) {
                watch(ctx, "more");
              }
              ctx.space("desk").put(EntryKey.of("mounted"), Content.text("" + mounted.failure()));
              return Behaviors.same();
            })
        .build();
  }

  private static void watch(AgentContext<Msg> ctx, String space) {
    ctx.watch(
        "facts of " + space,
        space,
        WatchRequest.of(Region.MEMORY, "fact/").from(1),
        signal -> new Changed(space, signal));
  }

  private static Behavior<Msg> changed(AgentContext<Msg> ctx, Changed changed) {
    String fact = changed.signal().what().key().name().substring("fact/".length());
    if (fact.equals("crash") && !changed.signal().redelivered()) {
      throw new IllegalStateException("crashed by its test");
    }
    if (fact.equals("mount")) {
      ctx.mount("more", Access.READ_WRITE, (space, failure) -> new Mounted(failure));
      return Behaviors.same();
    }
    String key = changed.space() + "/" + fact;
    ctx.call(
        "model",
        key,
        () -> {
          CALLED.add(key);
          return Reply.of(
              MODELS.getOrDefault(key, CompletableFuture.completedFuture("on " + key)).join());
        },
        (reply, failure) -> new Replied(key, reply, failure));
    return Behaviors.same();
  }

  private AgentTestKit kit;

  @BeforeEach
  void start() {
    MODELS.clear();
    CALLED.clear();
    kit = AgentTestKit.start(TYPE, AgentMount.of("desk", Access.READ_WRITE));
  }

  @AfterEach
  void end() {
    MODELS.values().forEach(model -> model.complete("late"));
    kit.close();
  }

  private void fact(String space, String name) {
    kit.put(space, "fact/" + name, "something");
    RerunCase.untilText(kit, space, "word/" + name, "on " + space + "/" + name);
  }

  @Test
  void lifeThatCrashedIsRunAgainUpToItsCrashAndNotBeyond() {
    fact("desk", "a");
    kit.await(
        kit.space("desk")
            .write(
                List.of(
                    new io.nucleusmem.memspace.Operation.Put(
                        EntryKey.of("fact/crash"), Content.text("now")),
                    new io.nucleusmem.memspace.Operation.Put(
                        EntryKey.of("fact/z"), Content.text("behind it"))),
                io.nucleusmem.memspace.WriteOptions.DEFAULT));
    RerunCase.untilText(kit, "desk", "word/z", "on desk/z");
    RerunCase.untilText(kit, "desk", "word/crash", "on desk/crash");
    assertThat(kit.info().restarts()).isEqualTo(1);
    int calls = CALLED.size();
    String scratch = RerunCase.same(kit);
    assertThat(RerunCase.text(kit, scratch, "word/z")).isEqualTo("on desk/z");
    assertThat(CALLED).hasSize(calls);
  }

  @Test
  void killInTheMiddleOfACallIsNoDifference() {
    fact("desk", "a");
    MODELS.put("desk/b", new CompletableFuture<>());
    kit.put("desk", "fact/b", "something");
    kit.until(
        "the call",
        () -> CompletableFuture.completedFuture(CALLED),
        called -> called.contains("desk/b"));
    CompletableFuture<String> lost = MODELS.remove("desk/b");
    kit.crashNode();
    lost.complete("too late");
    RerunCase.untilText(kit, "desk", "word/b", "on desk/b");
    OperationInfo done = RerunCase.rerun(kit, Set.of());
    assertThat(done.state()).as(done.toString()).isEqualTo(OperationInfo.State.DONE);
    assertThat(done.result()).as(done.toString()).doesNotContainKey("diverged_at");
    assertThat(RerunCase.text(kit, RerunCase.scratch(done), "word/b")).isEqualTo("on desk/b");
  }

  @Test
  void spacesThatAreMountedAndSwitchedAreThereFromThenOn() {
    kit.makeSpace("more");
    kit.makeSpace("other");
    fact("desk", "a");
    kit.put("desk", "fact/mount", "");
    RerunCase.untilText(kit, "desk", "mounted", "null");
    fact("more", "b");
    kit.await(
        kit.agents()
            .switchMounts(
                RerunCase.AUTHOR,
                kit.id(),
                List.of(
                    AgentMount.of("other", Access.READ_WRITE),
                    AgentMount.of("more", Access.READ_WRITE))));
    fact("other", "c");
    RerunCase.same(kit);
  }

  @Test
  void whatCameThroughAMountWithoutReceiptsIsToldAsMissing() {
    kit.makeSpace("quiet");
    kit.await(
        kit.agents()
            .switchMounts(
                RerunCase.AUTHOR,
                kit.id(),
                List.of(
                    AgentMount.of("desk", Access.READ_WRITE),
                    AgentMount.of("quiet", Access.READ_WRITE).withoutReceipts())));
    fact("desk", "a");
    fact("quiet", "b");
    fact("desk", "c");
    OperationInfo done = RerunCase.rerun(kit, Set.of());
    assertThat(done.state()).as(done.toString()).isEqualTo(OperationInfo.State.DONE);
    assertThat(done.result()).as(done.toString()).doesNotContainKey("diverged_at");
    assertThat(RerunCase.notPlayed(done))
        .singleElement()
        .asString()
        .contains("[quiet]", "keeps no receipts");
    assertThat((List<?>) done.result().get("not_repeated")).isEmpty();
    Map<?, ?> scratches = (Map<?, ?>) done.about().get("scratches");
    String desk = (String) scratches.get("desk");
    assertThat(RerunCase.text(kit, desk, "word/c")).isEqualTo("on desk/c");
  }

  @Test
  void rangeThatEndsInTheMiddleTellsNoDifferenceOfWhatCameBehind() {
    fact("desk", "a");
    Entry last = kit.await(kit.space("desk").get(EntryKey.of("word/a"))).orElseThrow();
    fact("desk", "b");
    fact("desk", "c");
    OperationInfo done = RerunCase.rerun(kit, java.time.Instant.EPOCH, last.at(), Set.of());
    Optional<Object> inputs = Optional.ofNullable(done.result().get("inputs"));
    if (inputs.map(Object::toString).orElse("").equals("1")) { // else both came in that instant
      assertThat(done.result()).as(done.toString()).doesNotContainKey("diverged_at");
      assertThat((List<?>) done.result().get("not_repeated")).isEmpty();
      assertThat(RerunCase.text(kit, RerunCase.scratch(done), "word/b")).isEqualTo("none");
    }
  }
}
