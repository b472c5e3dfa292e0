package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
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
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.Signal;
import io.nucleusmem.memspace.WatchRequest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** G10: what was delivered to an agent is listed, and can be shown again. */
@Timeout(120)
class ReceiptsTest {
  private static final Principal AUTHOR = Principal.of("author");
  private static final Principal ADMIN = new Principal("root", true);
  private static final Instant FIRST = Instant.EPOCH;
  private static final Instant LAST = Instant.parse("2100-01-01T00:00:00Z");

  sealed interface Msg {}

  record Told(AgentContext.Seen<Message> message) implements Msg {}

  record Changed(AgentContext.Seen<Signal> signal) implements Msg {}

  record Got(Optional<Entry> entry, Throwable failure) implements Msg {}

  record Found(Paged<Entry> page, Throwable failure) implements Msg {}

  static final AgentType<Msg> TYPE =
      AgentType.of("clerk", Msg.class, ReceiptsTest::create).inbox(Told::new);

  /** Notes each fact that it is signalled; on "look" it scans; on "crash" it crashes. */
  static Behavior<Msg> create(AgentContext<Msg> ctx) {
    ctx.watch("facts", "facts", WatchRequest.of(Region.MEMORY, "").from(1), Changed::new);
    return Behaviors.receive(Msg.class)
        .onMessage(
            Changed.class,
            changed -> {
              Signal signal = changed.signal().what();
              ctx.pipe(ctx.space("facts").pull(signal.key(), signal.revision()), Got::new);
              return Behaviors.same();
            })
        .onMessage(
            Got.class,
            got -> {
              ctx.space("notes").put(got.entry().orElseThrow().key(), Content.text("noted"));
              return Behaviors.same();
            })
        .onMessage(
            Told.class,
            told -> {
              switch (told.message().what().content().text()) {
                case "look" ->
                    ctx.pipe(
                        ctx.space("facts").scan(ScanRequest.of(Region.MEMORY, "")), Found::new);
                case "crash" -> throw new IllegalStateException("as told");
                default -> ctx.reply(told.message().what(), Content.text("yes"));
              }
              return Behaviors.same();
            })
        .onMessage(
            Found.class,
            found -> {
              ctx.space("notes")
                  .put(EntryKey.of("found"), Content.text("" + found.page().items().size()));
              return Behaviors.same();
            })
        .build();
  }

  private AgentTestKit kit;
  private Receipts receipts;

  private void start(AgentMount facts) {
    kit = AgentTestKit.start(TYPE, facts, AgentMount.of("notes", Access.READ_WRITE));
    receipts = ReceiptsClient.of(kit.system());
  }

  private void start() {
    start(AgentMount.of("facts", Access.READ_ONLY));
  }

  @AfterEach
  void end() {
    kit.close();
  }

  private List<Receipt> saw(Predicate<List<Receipt>> enough) {
    return kit.until(
            "receipts",
            () ->
                receipts
                    .saw(AUTHOR, "clerk", FIRST, LAST, 1_000, Optional.empty())
                    .exceptionally(notYet -> new Paged<>(List.of(), 0, Optional.empty())),
            page -> enough.test(page.items()))
        .items();
  }

  @Test
  void g10EveryVersionThatAnAgentGotIsListedWithHowItCame() {
    start();
    long one = kit.put("facts", "a", "1").revision();
    long two = kit.put("facts", "a", "2").revision();
    kit.entries("notes", EntryKey.of("a"), 1);
    kit.send("look");
    kit.entries("notes", EntryKey.of("found"), 1);
    List<Receipt> saw = saw(all -> all.size() == 6 && all.stream().allMatch(Receipt::confirmed));
    assertThat(saw)
        .extracting(r -> r.how() + " " + r.space() + " " + r.version().key() + " " + rev(r))
        .contains(
            "SIGNAL facts a " + one,
            "READ facts a " + one,
            "SIGNAL facts a " + two,
            "READ facts a " + two,
            "MESSAGE agents inbox.clerk 1",
            "SCAN facts a " + two);
    assertThat(saw).extracting(Receipt::agent).containsOnly("clerk");
    assertThat(saw).extracting(Receipt::life).hasSize(6);
    assertThat(saw.stream().map(Receipt::seq).distinct()).hasSize(6);
    String mount =
        kit.info().mounts().stream().filter(m -> m.space().equals("facts")).findFirst().get().id();
    assertThat(saw.stream().filter(r -> r.space().equals("facts")).map(Receipt::mount))
        .containsOnly(mount);
  }

  private static long rev(Receipt receipt) {
    return receipt.version().revision();
  }

  @Test
  void g10ReplayGivesTheBytesOfEachReceiptAlsoAfterLaterWrites() {
    start();
    kit.put("facts", "a", "first");
    kit.entries("notes", EntryKey.of("a"), 1);
    kit.put("facts", "a", "second");
    saw(all -> all.size() == 4);
    List<Replayed> replayed =
        kit.await(receipts.replay(AUTHOR, "clerk", FIRST, LAST, 10, Optional.empty())).items();
    assertThat(replayed)
        .extracting(r -> r.content().orElseThrow().text())
        .containsExactly("first", "first", "second", "second");
    assertThat(replayed).extracting(Replayed::state).containsOnly(Replayed.State.PRESENT);
    assertThat(replayed).extracting(r -> r.author().orElseThrow()).containsOnly("author");
  }

  @Test
  void whatTheBehaviorCrashedOnStaysUnconfirmedInThatLife() {
    start();
    kit.send("hello");
    kit.received();
    kit.send("crash");
    List<Receipt> saw =
        saw(all -> all.stream().filter(r -> rev(r) == 2).count() == 5 && all.get(0).confirmed());
    assertThat(saw.stream().filter(r -> rev(r) == 1)).allMatch(Receipt::confirmed).hasSize(1);
    assertThat(saw.stream().filter(r -> rev(r) == 2)).noneMatch(Receipt::confirmed);
    assertThat(saw.stream().map(Receipt::life).distinct()).hasSize(5);
  }

  @Test
  void crashOfTheNodeLosesNoReceipt() {
    start();
    kit.put("facts", "a", "1");
    kit.entries("notes", EntryKey.of("a"), 1);
    List<Receipt> before = saw(all -> all.size() == 2 && all.stream().allMatch(Receipt::confirmed));
    kit.crashNode();
    receipts = ReceiptsClient.of(kit.system());
    kit.put("facts", "b", "2");
    kit.entries("notes", EntryKey.of("b"), 1);
    // where the cursor was not saved, the signal of "a" came again, to another life
    List<Receipt> after =
        saw(
            all ->
                all.stream().filter(each -> each.version().key().equals("b")).count() == 2
                    && all.stream().allMatch(Receipt::confirmed));
    assertThat(after).startsWith(before.get(0), before.get(1));
    assertThat(after.stream().map(Receipt::life).distinct()).hasSize(2);
  }

  @Test
  void pagesFitTogether() {
    start();
    for (int i = 0; i < 10; i++) {
      kit.put("facts", "k" + i, "" + i);
    }
    kit.send("look");
    List<Receipt> all =
        saw(found -> found.size() == 31 && found.stream().allMatch(Receipt::confirmed));
    for (int limit : new int[] {1, 3, 31}) {
      List<Receipt> paged = new ArrayList<>();
      Optional<String> cursor = Optional.empty();
      do {
        Paged<Receipt> page = kit.await(receipts.saw(AUTHOR, "clerk", FIRST, LAST, limit, cursor));
        paged.addAll(page.items());
        cursor = page.next();
      } while (cursor.isPresent());
      assertThat(paged)
          .extracting(Receipt::seq)
          .containsExactlyElementsOf(all.stream().map(Receipt::seq).toList());
    }
    Instant last = all.get(30).at();
    assertThat(
            kit.await(
                    receipts.saw(
                        AUTHOR,
                        "clerk",
                        FIRST,
                        all.get(0).at().minusMillis(1),
                        9,
                        Optional.empty()))
                .items())
        .isEmpty();
    assertThat(
            kit.await(receipts.saw(AUTHOR, "clerk", last, last, 1_000, Optional.empty())).items())
        .extracting(Receipt::seq)
        .contains(all.get(30).seq());
  }

  @Test
  void whoSawAVersionIsAnsweredByVersionAndByKey() {
    start();
    long one = kit.put("facts", "a", "1").revision();
    long two = kit.put("facts", "a", "2").revision();
    kit.put("facts", "b", "3");
    saw(all -> all.size() == 6);
    assertThat(seen(SeenVersion.entry(Region.MEMORY, "a", one)))
        .extracting(Receipt::how)
        .containsExactly(How.SIGNAL, How.READ);
    assertThat(seen(SeenVersion.entry(Region.MEMORY, "a", 0)))
        .extracting(ReceiptsTest::rev)
        .containsExactlyInAnyOrder(one, one, two, two);
    assertThat(seen(SeenVersion.entry(Region.MEMORY, "a", two + 5))).isEmpty();
    assertThat(seen(SeenVersion.entry(Region.TASK, "a", one))).isEmpty();
    assertThat(
            kit.await(
                    receipts.whoSaw(
                        AUTHOR,
                        "facts",
                        SeenVersion.entry(Region.MEMORY, "a", one),
                        1,
                        Optional.empty()))
                .next())
        .isPresent();
  }

  private List<Receipt> seen(SeenVersion version) {
    return kit.await(receipts.whoSaw(AUTHOR, "facts", version, 100, Optional.empty())).items();
  }

  @Test
  void mountWithoutReceiptsRecordsNothingOfItsSpace() {
    start(AgentMount.of("facts", Access.READ_ONLY).withoutReceipts());
    kit.put("facts", "a", "1");
    kit.entries("notes", EntryKey.of("a"), 1);
    kit.send("hello");
    kit.received();
    assertThat(saw(all -> !all.isEmpty())).extracting(Receipt::space).containsOnly("agents");
  }

  @Test
  void onlyWhoSpawnedTheAgentOwnsTheSpaceOrAdministersMayAsk() {
    start();
    kit.put("facts", "a", "1");
    kit.entries("notes", EntryKey.of("a"), 1); // what was read is recorded before that
    saw(all -> all.size() == 2);
    Principal other = Principal.of("somebody");
    assertThatThrownBy(
            () -> kit.await(receipts.saw(other, "clerk", FIRST, LAST, 10, Optional.empty())))
        .extracting(e -> ((MemSpaceException) e).code())
        .isEqualTo(ErrorCode.FORBIDDEN);
    SeenVersion version = SeenVersion.entry(Region.MEMORY, "a", 1);
    assertThatThrownBy(
            () -> kit.await(receipts.whoSaw(other, "facts", version, 10, Optional.empty())))
        .extracting(e -> ((MemSpaceException) e).code())
        .isEqualTo(ErrorCode.FORBIDDEN);
    assertThat(kit.await(receipts.saw(ADMIN, "clerk", FIRST, LAST, 10, Optional.empty())).items())
        .hasSize(2);
    assertThatThrownBy(
            () -> kit.await(receipts.saw(ADMIN, "nobody", FIRST, LAST, 10, Optional.empty())))
        .extracting(e -> ((MemSpaceException) e).code())
        .isEqualTo(ErrorCode.AGENT_NOT_FOUND);
    assertThatThrownBy(
            () -> kit.await(receipts.saw(ADMIN, "clerk", LAST, FIRST, 10, Optional.empty())))
        .extracting(e -> ((MemSpaceException) e).code())
        .isEqualTo(ErrorCode.INVALID_REQUEST);
  }
}
