package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An agent is run again with what it got, and with some of it left away. */
@Timeout(120)
class RerunTest {
  private static final Principal AUTHOR = Principal.of("author");
  private static final Instant FIRST = Instant.EPOCH;
  private static final Instant LAST = Instant.parse("2100-01-01T00:00:00Z");

  sealed interface Msg {}

  record Told(AgentContext.Seen<Message> message) implements Msg {}

  record Changed(AgentContext.Seen<Signal> signal) implements Msg {}

  record Found(Paged<Entry> page, Throwable failure) implements Msg {}

  record Replied(AgentContext.Reply reply, Throwable failure) implements Msg {}

  /** Calls of the model, for all lives and reruns. */
  private static final AtomicInteger CALLS = new AtomicInteger();

  static final AgentType<Msg> TYPE =
      AgentType.of("editor", Msg.class, RerunTest::create).inbox(Told::new);

  /**
   * After each fact it writes all facts, the model's word on a message, time and a random number.
   */
  static Behavior<Msg> create(AgentContext<Msg> ctx) {
    ctx.watch("facts", "desk", WatchRequest.of(Region.MEMORY, "fact/").from(1), Changed::new);
    return Behaviors.receive(Msg.class)
        .onMessage(
            Changed.class,
            changed -> {
              ctx.pipe(ctx.space("desk").scan(ScanRequest.of(Region.MEMORY, "fact/")), Found::new);
              return Behaviors.same();
            })
        .onMessage(
            Found.class,
            found -> {
              String all =
                  found.page().items().stream().map(Entry::text).collect(Collectors.joining(" "));
              ctx.space("desk").put(EntryKey.of("digest"), Content.text(all));
              return Behaviors.same();
            })
        .onMessage(
            Told.class,
            told -> {
              String text = told.message().what().content().text();
              ctx.call(
                  "model",
                  text,
                  () -> new AgentContext.Reply("reply " + CALLS.incrementAndGet(), 7),
                  Replied::new);
              return Behaviors.same();
            })
        .onMessage(
            Replied.class,
            replied -> {
              ctx.space("desk")
                  .put(
                      EntryKey.of("word"),
                      Content.text(
                          replied.reply().text() + " " + ctx.now() + " " + ctx.random().nextInt()));
              return Behaviors.same();
            })
        .build();
  }

  private AgentTestKit kit;

  @BeforeEach
  void start() {
    kit = AgentTestKit.start(TYPE, AgentMount.of("desk", Access.READ_WRITE));
  }

  @AfterEach
  void end() {
    kit.close();
  }

  private String text(String space, String key) {
    return kit.await(kit.space(space).get(EntryKey.of(key))).map(Entry::text).orElse("none");
  }

  private void untilText(String key, String wanted) {
    kit.until(
        key + " to be " + wanted,
        () -> kit.space("desk").get(EntryKey.of(key)),
        entry -> entry.isPresent() && entry.get().text().startsWith(wanted));
  }

  private OperationInfo rerun(Optional<String> fork, Set<Tape.Without> without) {
    OperationInfo begun =
        kit.await(kit.agents().reruns().rerun(AUTHOR, "editor", FIRST, LAST, fork, without));
    assertThat(begun.about()).containsKey("scratch");
    return kit.until(
        "the rerun",
        () -> NucleusMem.get(kit.system()).operations().get(AUTHOR, begun.id()),
        operation -> operation.state() != OperationInfo.State.RUNNING);
  }

  /** All that was written is on record some moments later. */
  private void untilRecorded(int versions, long first, int written) {
    Receipts receipts = ReceiptsClient.of(kit.system());
    kit.until(
        "receipts",
        () -> receipts.saw(AUTHOR, "editor", FIRST, LAST, 1_000, Optional.empty()),
        page ->
            page.items().size() == versions && page.items().stream().allMatch(Receipt::confirmed));
    kit.until(
        "what it wrote",
        () ->
            receipts.containment(AUTHOR, "desk", SeenVersion.entry(Region.MEMORY, "fact/1", first)),
        found -> found.derived().size() == written);
  }

  @Test
  void rerunWithTheSameInputsDoesTheSameAndCallsNobody() {
    long first = kit.put("desk", "fact/1", "one").revision();
    untilText("digest", "one");
    kit.put("desk", "fact/2", "two");
    untilText("digest", "one two");
    kit.send("what do you say");
    untilText("word", "reply");
    untilRecorded(6, first, 3);
    int calls = CALLS.get();

    OperationInfo done = rerun(Optional.empty(), Set.of());
    assertThat(done.state()).as(done.toString()).isEqualTo(OperationInfo.State.DONE);
    assertThat(done.result()).doesNotContainKey("diverged_at");
    assertThat(((Number) done.result().get("inputs")).longValue()).isEqualTo(3);
    String scratch = (String) done.about().get("scratch");
    assertThat(text(scratch, "digest")).isEqualTo("one two");
    assertThat(text(scratch, "word")).isEqualTo(text("desk", "word"));
    assertThat(CALLS.get()).isEqualTo(calls);
  }

  @Test
  void rerunWithoutAFactWritesWhatWouldHaveBeenAndSaysWhereItDiffers() {
    long first = kit.put("desk", "fact/1", "one").revision();
    untilText("digest", "one");
    long wrong = kit.put("desk", "fact/2", "WRONG").revision();
    untilText("digest", "one WRONG");
    kit.put("desk", "fact/3", "three");
    untilText("digest", "one WRONG three");
    untilRecorded(9, first, 3);
    String before = text("desk", "digest");

    OperationInfo done =
        rerun(Optional.of("corrected"), Set.of(new Tape.Without("desk", "fact/2", wrong)));
    assertThat(done.state()).as(done.toString()).isEqualTo(OperationInfo.State.DONE);
    assertThat(done.about()).containsEntry("scratch", "corrected");
    assertThat(text("corrected", "digest")).isEqualTo("one three");
    Map<?, ?> at = (Map<?, ?>) done.result().get("diverged_at");
    assertThat(at.get("key")).isEqualTo("fact/3");
    assertThat(text("desk", "digest")).isEqualTo(before);
  }

  @Test
  void whatCannotBeRunAgainIsNamed() {
    long first = kit.put("desk", "fact/1", "one").revision();
    untilText("digest", "one");
    untilRecorded(2, first, 1);
    assertThatThrownBy(
            () ->
                kit.await(
                    kit.agents()
                        .reruns()
                        .rerun(AUTHOR, "editor", FIRST, FIRST, Optional.empty(), Set.of())))
        .isInstanceOf(MemSpaceException.class)
        .hasMessageContaining("editor");
    assertThatThrownBy(
            () ->
                kit.await(
                    kit.agents()
                        .reruns()
                        .rerun(AUTHOR, "nobody", FIRST, LAST, Optional.empty(), Set.of())))
        .extracting(e -> ((MemSpaceException) e).code())
        .isEqualTo(ErrorCode.AGENT_NOT_FOUND);
    assertThat(List.of(kit.info().type())).containsExactly("editor");
  }
}
