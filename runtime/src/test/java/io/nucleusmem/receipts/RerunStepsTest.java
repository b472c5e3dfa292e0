package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Claim;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Steps that block, tools inside of them, claims and timers are played back in a rerun. */
@Timeout(120)
class RerunStepsTest {
  private static final Principal AUTHOR = Principal.of("author");
  private static final Instant LAST = Instant.parse("2100-01-01T00:00:00Z");
  private static final Duration LEASE = Duration.ofMinutes(10);

  sealed interface Msg {}

  record Job(Signal signal) implements Msg {}

  record Alarm(Signal signal) implements Msg {}

  record Rang(String key) implements Msg {}

  record Blocked(Signal signal) implements Msg {}

  record Done(Object any, Throwable failure) implements Msg {}

  /** Calls of the tool, for all lives and reruns. */
  private static final AtomicInteger CALLS = new AtomicInteger();

  static final AgentType<Msg> TYPE = AgentType.of("worker", Msg.class, RerunStepsTest::create);

  private static Behavior<Msg> create(AgentContext<Msg> ctx) {
    watch(ctx, Region.TASK, "job/", Job::new);
    watch(ctx, Region.MEMORY, "alarm/", Alarm::new);
    watch(ctx, Region.MEMORY, "block/", Blocked::new);
    return Behaviors.receive(Msg.class)
        .onMessage(
            Job.class,
            job -> {
              if (!job.signal().deleted()) {
                ctx.steps(() -> work(ctx), Done::new);
              }
              return Behaviors.same();
            })
        .onMessage(
            Alarm.class,
            alarm -> {
              String key = alarm.signal().key().name();
              ctx.schedule("alarm", Duration.ofMillis(1), () -> new Rang(key));
              return Behaviors.same();
            })
        .onMessage(Rang.class, rang -> put(ctx, "rang/" + rang.key(), ctx.now().toString()))
        .onMessage(
            Blocked.class,
            blocked -> {
              ctx.blocking(() -> "made " + CALLS.incrementAndGet(), Done::new);
              return Behaviors.same();
            })
        .onMessage(
            Done.class,
            done -> put(ctx, "last", done.failure() == null ? "" + done.any() : "failed"))
        .build();
  }

  private interface Said {
    Msg of(Signal signal);
  }

  private static void watch(AgentContext<Msg> ctx, Region region, String prefix, Said said) {
    ctx.watch(
        prefix, "desk", WatchRequest.of(region, prefix).from(1), seen -> said.of(seen.what()));
  }

  private static Behavior<Msg> put(AgentContext<Msg> ctx, String key, String text) {
    ctx.space("desk").put(EntryKey.of(key), Content.text(text));
    return Behaviors.same();
  }

  /** Takes what there is to do, has the tool do it, writes what came of it, and ends the claim. */
  private static String work(AgentContext<Msg> ctx) {
    MountedSpace desk = ctx.space("desk");
    List<Claim> claims =
        desk.claim(EntryKey.task("job/"), "worker", LEASE, 1).toCompletableFuture().join();
    if (claims.isEmpty()) {
      return "idle";
    }
    Claim claim = claims.get(0);
    String rate =
        desk.get(EntryKey.of("rate")).toCompletableFuture().join().map(Entry::text).orElse("none");
    String reply =
        ctx.callAndWait(
                "tool",
                claim.entry().text() + rate,
                () -> AgentContext.Reply.of("made " + CALLS.incrementAndGet()))
            .text();
    String text = claim.entry().text() + " " + rate + " " + reply + " " + claim.token();
    desk.put(EntryKey.of("done/" + claim.entry().key().name()), Content.text(text))
        .toCompletableFuture()
        .join();
    desk.release(claim.entry().key(), claim.token()).toCompletableFuture().join();
    return text;
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

  private Entry put(EntryKey key, String text) {
    kit.await(kit.space("desk").put(key, Content.text(text)));
    return kit.await(kit.space("desk").get(key)).orElseThrow();
  }

  private String text(String space, String key) {
    return kit.await(kit.space(space).get(EntryKey.of(key))).map(Entry::text).orElse("none");
  }

  private String untilThere(String key) {
    kit.until(key, () -> kit.space("desk").get(EntryKey.of(key)), Optional::isPresent);
    return text("desk", key);
  }

  /**
   * An alarm that has rung, and whose entry is on record: that comes behind its acknowledgement.
   */
  private Entry alarm(String name) {
    Entry alarm = put(EntryKey.of("alarm/" + name), "");
    kit.until(
        "what came of the alarm",
        () ->
            ReceiptsClient.of(kit.system())
                .containment(
                    AUTHOR,
                    "desk",
                    SeenVersion.entry(Region.MEMORY, "alarm/" + name, alarm.revision())),
        found ->
            found.derived().stream()
                .anyMatch(each -> each.version().version().key().equals("rang/alarm/" + name)));
    return alarm;
  }

  private OperationInfo rerun(Instant from, Set<Tape.Without> without) {
    OperationInfo begun =
        kit.await(
            kit.agents().reruns().rerun(AUTHOR, "worker", from, LAST, Optional.empty(), without));
    OperationInfo done =
        kit.until(
            "the rerun",
            () -> NucleusMem.get(kit.system()).operations().get(AUTHOR, begun.id()),
            operation -> operation.state() != OperationInfo.State.RUNNING);
    assertThat(done.state()).as(done.toString()).isEqualTo(OperationInfo.State.DONE);
    return done;
  }

  private static String scratch(OperationInfo done) {
    return (String) done.about().get("scratch");
  }

  private static List<?> notRepeated(OperationInfo done) {
    return (List<?>) done.result().get("not_repeated");
  }

  @Test
  void stepsRunAgainWithTheClaimsReadsAndRepliesThatTheyHad() {
    put(EntryKey.of("rate"), "5");
    put(EntryKey.task("job/1"), "first");
    String first = untilThere("done/job/1");
    put(EntryKey.of("rate"), "6");
    put(EntryKey.task("job/2"), "second");
    kit.until(
        "both jobs",
        () -> kit.space("desk").history(EntryKey.of("last"), 10, Optional.empty()),
        page -> page.items().size() == 2);
    String last = text("desk", "done/job/1"); // the older job is free again, and is taken first
    alarm("end"); // behind all that the steps did
    int calls = CALLS.get();

    OperationInfo done = rerun(Instant.EPOCH, Set.of());
    assertThat(done.result()).as(done.toString()).doesNotContainKey("diverged_at");
    assertThat(notRepeated(done)).isEmpty();
    assertThat(CALLS.get()).isEqualTo(calls);
    assertThat(first).startsWith("first 5 made");
    assertThat(last).startsWith("first");
    assertThat(text(scratch(done), "done/job/1")).isEqualTo(text("desk", "done/job/1"));
    assertThat(text(scratch(done), "last")).isEqualTo(text("desk", "last"));
  }

  @Test
  void timersFireWhereTheyHadAndNotWhereWhatSetThemIsLeftAway() {
    Entry one = alarm("1");
    String rang = text("desk", "rang/alarm/1");
    alarm("2");

    OperationInfo same = rerun(Instant.EPOCH, Set.of());
    assertThat(same.result()).as(same.toString()).doesNotContainKey("diverged_at");
    assertThat(((Number) same.result().get("inputs")).intValue()).as("two timers").isEqualTo(4);
    assertThat(text(scratch(same), "rang/alarm/1")).isEqualTo(rang);

    OperationInfo less =
        rerun(Instant.EPOCH, Set.of(new Tape.Without("desk", "alarm/1", one.revision())));
    assertThat(less.result()).as(less.toString()).doesNotContainKey("diverged_at");
    assertThat(text(scratch(less), "rang/alarm/1")).isEqualTo("none");
    assertThat(notRepeated(less))
        .as(less.toString())
        .anySatisfy(each -> assertThat(((Map<?, ?>) each).get("key")).isEqualTo("rang/alarm/1"));
  }

  @Test
  void blockingWorkIsPlayedBackAndNotDoneAgain() {
    put(EntryKey.of("block/1"), "");
    String made = untilThere("last");
    int calls = CALLS.get();
    OperationInfo done = rerun(Instant.EPOCH, Set.of());
    assertThat(done.result()).as(done.toString()).doesNotContainKeys("diverged_at", "not_played");
    assertThat(text(scratch(done), "last")).isEqualTo(made);
    assertThat(CALLS.get()).isEqualTo(calls);
  }

  @Test
  void rerunFromTheMiddleOfALifeBeginsWithWhatWasThereThen() {
    put(EntryKey.of("rate"), "5");
    alarm("1");
    Entry second = alarm("2");
    OperationInfo done = rerun(second.at(), Set.of());
    assertThat(done.result()).as(done.toString()).doesNotContainKey("diverged_at");
    assertThat(text(scratch(done), "rang/alarm/2")).isEqualTo(text("desk", "rang/alarm/2"));
    assertThat(notRepeated(done)).isEmpty();
  }
}
