package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.agent.AgentContext.Seen;
import io.nucleusmem.agent.AgentMount;
import io.nucleusmem.agent.AgentType;
import io.nucleusmem.agent.testkit.AgentTestKit;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.OperationInfo;
import io.nucleusmem.memspace.RevisionMismatchException;
import io.nucleusmem.memspace.SubscriptionSpec;
import java.io.IOException;
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

/** What blocking work, refusals and questions gave is given again in a rerun, to the letter. */
@Timeout(120)
class RerunOutsideTest {
  sealed interface Msg {}

  record Told(Seen<Message> message) implements Msg {}

  record Got(Object value, Throwable failure) implements Msg {}

  enum Mood {
    GOOD
  }

  /** Something plain of an author's own. */
  record Report(String text, int count, Optional<Mood> mood, Map<String, List<Long>> parts) {}

  private static final AtomicInteger CALLS = new AtomicInteger();

  static final AgentType<Msg> TYPE =
      AgentType.of("worker", Msg.class, RerunOutsideTest::create).inbox(Told::new);

  /** Does what it is told, and writes down whatever comes of it. */
  private static Behavior<Msg> create(AgentContext<Msg> ctx) {
    return Behaviors.receive(Msg.class)
        .onMessage(
            Told.class,
            told -> {
              act(ctx, told.message().what().content().text());
              return Behaviors.same();
            })
        .onMessage(
            Got.class,
            got -> {
              String text = got.failure() == null ? shown(got.value()) : shown(got.failure());
              ctx.space("desk").append(EntryKey.of("got/"), Content.text(text));
              return Behaviors.same();
            })
        .build();
  }

  private static String shown(Object value) {
    return value instanceof RevisionMismatchException refused
        ? "refused: it is [%s] at %d"
            .formatted(refused.current().map(Entry::text), refused.currentRevision())
        : value instanceof Throwable failure
            ? failure.getClass().getSimpleName() + " " + failure.getMessage()
            : String.valueOf(value);
  }

  private static void act(AgentContext<Msg> ctx, String what) {
    switch (what) {
      case "report" ->
          ctx.blocking(
              () ->
                  new Report(
                      "made " + CALLS.incrementAndGet(),
                      3,
                      Optional.of(Mood.GOOD),
                      Map.of("a", List.of(1L, 2L))),
              Got::new);
      case "fails" ->
          ctx.blocking(
              () -> {
                throw new IOException("no such file " + CALLS.incrementAndGet());
              },
              Got::new);
      case "odd" -> ctx.blocking(Object::new, (odd, failure) -> new Got(odd != null, failure));
      case "reads" ->
          ctx.blocking(
              () ->
                  ctx.space("desk")
                      .get(EntryKey.of("fact"))
                      .toCompletableFuture()
                      .join()
                      .orElseThrow()
                      .text(),
              Got::new);
      case "guard" ->
          ctx.pipe(
              ctx.space("desk").putIfAbsent(EntryKey.of("fact"), Content.text("mine")), Got::new);
      case "absent" -> ctx.pipe(ctx.space("desk").delete(EntryKey.of("nothing")), Got::new);
      case "nobody" -> ctx.pipe(ctx.send("nobody", Content.text("hello")), Got::new);
      case "silent" ->
          ctx.ask(AgentTestKit.TEST, Content.text("well?"), Duration.ofMillis(1), Got::new);
      case "subscribe" ->
          ctx.pipe(
              ctx.space("desk").topic("news").subscribe("mine", SubscriptionSpec.earliest()),
              Got::new);
      case "steps" -> ctx.steps(() -> steps(ctx), Got::new);
      default -> throw new IllegalArgumentException(what);
    }
  }

  /** All pages of a topic, one after the other. */
  private static String steps(AgentContext<Msg> ctx) {
    var topic = ctx.space("desk").topic("news");
    StringBuilder all = new StringBuilder();
    Optional<String> cursor = Optional.empty();
    do {
      var page =
          topic
              .fetch(
                  new io.nucleusmem.memspace.MessageRange(
                      Optional.empty(),
                      Optional.empty(),
                      io.nucleusmem.store.Direction.ASCENDING,
                      true,
                      2,
                      cursor))
              .toCompletableFuture()
              .join();
      page.items().forEach(message -> all.append(message.content().text()).append(' '));
      cursor = page.next();
    } while (cursor.isPresent());
    return all.toString();
  }

  private AgentTestKit kit;

  @BeforeEach
  void start() {
    kit = AgentTestKit.start(TYPE, AgentMount.of("desk", Access.READ_WRITE));
    kit.put("desk", "fact", "there");
  }

  @AfterEach
  void end() {
    kit.close();
  }

  /** Has it do something, and gives what it wrote down. */
  private List<String> told(String... all) {
    for (String what : all) {
      kit.send(what);
    }
    return kit.entries("desk", EntryKey.of("got/"), all.length).stream().map(Entry::text).toList();
  }

  private List<String> again(OperationInfo done) {
    return kit.entries(RerunCase.scratch(done), EntryKey.of("got/"), 0).stream()
        .map(Entry::text)
        .toList();
  }

  @Test
  void blockingWorkFailuresAndRefusalsAreWhatTheyWere() {
    List<String> then = told("report", "fails", "guard", "absent", "nobody", "silent");
    assertThat(then)
        .anySatisfy(each -> assertThat(each).contains("Report[text=made", "GOOD", "a=[1, 2]"))
        .anySatisfy(each -> assertThat(each).startsWith("IOException no such file"))
        .anySatisfy(each -> assertThat(each).startsWith("refused: it is [Optional[there]]"))
        .anySatisfy(each -> assertThat(each).startsWith("TimeoutException"));
    int calls = CALLS.get();
    String scratch = RerunCase.same(kit);
    assertThat(kit.entries(scratch, EntryKey.of("got/"), 0).stream().map(Entry::text).toList())
        .isEqualTo(then);
    assertThat(CALLS.get()).isEqualTo(calls);
  }

  @Test
  void g10WhatARefusalShowsIsInTheReceipts() {
    told("guard");
    Receipts receipts = ReceiptsClient.of(kit.system());
    kit.until(
        "the receipt",
        () ->
            receipts.saw(
                RerunCase.AUTHOR, kit.id(), Instant.EPOCH, RerunCase.LAST, 100, Optional.empty()),
        page -> page.items().stream().anyMatch(each -> each.version().key().equals("fact")));
  }

  @Test
  void resultsThatAreNotPlainAreToldAsMissing() {
    told("odd");
    OperationInfo done = RerunCase.rerun(kit, Set.of());
    assertThat(RerunCase.notPlayed(done))
        .singleElement()
        .asString()
        .contains("blocking work", "java.lang.Object");
  }

  @Test
  void whatBlockingWorkReadFromSpacesIsNotCopied() {
    told("reads");
    OperationInfo done = RerunCase.rerun(kit, Set.of());
    assertThat(RerunCase.notPlayed(done)).singleElement().asString().contains("use steps");
    assertThat(again(done)).singleElement().asString().contains("use steps");
  }

  @Test
  void subscriptionsAndPagesAreToldAsTheyWere() {
    for (int i = 1; i <= 5; i++) {
      kit.publish("desk", "news", "n" + i);
    }
    List<String> then = told("subscribe", "steps");
    assertThat(then).contains("n1 n2 n3 n4 n5 ");
    kit.publish("desk", "news", "later");
    RerunCase.same(kit);
  }
}
