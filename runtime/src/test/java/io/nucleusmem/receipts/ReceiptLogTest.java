package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The log of receipts, on stores of both scopes. */
@Timeout(60)
class ReceiptLogTest {
  private static final String MOUNT = "m-0123456789abcdef0123456789abcdef-2";
  private static final ReceiptSettings SETTINGS =
      ReceiptSettings.from(ConfigFactory.defaultReference());

  private static ReceiptLog open(MemoryStore store) {
    return await(ReceiptLog.open(store, SETTINGS, "node", () -> true, Runnable::run));
  }

  private static <T> T await(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  private static LifeLog begin(ReceiptLog log, String agent) {
    return log.begin(agent, Began.of("anna", "type", Map.of(), List.of()));
  }

  private static CompletionStage<Long> signal(LifeLog life, long revision) {
    return life.input(
        How.SIGNAL, "s", MOUNT, "s/w", 0, List.of(SeenVersion.entry(Region.MEMORY, "k", revision)));
  }

  /** Revisions that an agent got, read page after page. */
  private static List<Long> revisions(MemoryStore store, String agent) {
    ReceiptReader reader = new ReceiptReader(store);
    List<Long> found = new ArrayList<>();
    Place after = Place.before(0);
    while (true) {
      ReceiptReader.Rounds page = await(reader.ofAgent(agent, after, Long.MAX_VALUE - 1));
      for (Round round : page.rounds()) {
        assertThat(Place.of(round)).isGreaterThan(after);
        after = Place.of(round);
        for (LogRecord record : round.records()) {
          if (record instanceof LogRecord.Delivered it && it.agent().equals(agent)) {
            it.versions().forEach(version -> found.add(version.revision()));
          }
        }
      }
      if (!page.more()) {
        return found;
      }
    }
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void g11LivesWithLargeConfigurationsBeginTogetherAndTheLogGoesOn(StoreScope scope) {
    MemoryStore store = new MemoryStore(scope);
    Map<String, String> config = Map.of("k", "x".repeat(1 << 20));
    try (ReceiptLog log = open(store)) {
      List<CompletionStage<Long>> recorded = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        LifeLog life = log.begin("a" + i, Began.of("anna", "type", config, List.of()));
        recorded.add(signal(life, 1));
      }
      recorded.forEach(ReceiptLogTest::await);
      for (int i = 0; i < 8; i++) {
        assertThat(revisions(store, "a" + i)).containsExactly(1L);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void whatSeveralNodesRecordedIsReadInOrderWhetherTheirLogsAreIndexedOrNot(StoreScope scope) {
    MemoryStore store = new MemoryStore(scope);
    Random random = new Random(7);
    List<ReceiptLog> logs = new ArrayList<>(List.of(open(store), open(store)));
    List<LifeLog> lives = new ArrayList<>();
    logs.forEach(log -> lives.add(begin(log, "a")));
    List<Long> expected = new ArrayList<>();
    for (long revision = 1; revision <= 300; revision++) {
      int node = random.nextInt(2);
      if (random.nextInt(60) == 0) { // a node ends in good order, another comes
        await(logs.get(node).end());
        logs.set(node, open(store));
        lives.set(node, begin(logs.get(node), "a"));
      }
      await(signal(lives.get(node), revision));
      expected.add(revision);
      if (revision % 100 == 0) {
        assertThat(revisions(store, "a")).isEqualTo(expected);
      }
    }
    ReceiptReader reader = new ReceiptReader(store);
    for (long revision : List.of(1L, 150L, 300L)) {
      assertThat(
              await(
                      reader.ofVersion(
                          io.nucleusmem.memspace.MemSpaceSystem.spaceOf(MOUNT),
                          SeenVersion.entry(Region.MEMORY, "k", revision),
                          Place.before(0)))
                  .rounds())
          .hasSize(1);
    }
    logs.forEach(log -> await(log.end()));
    assertThat(revisions(store, "a")).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void whatNobodyWaitsForIsWrittenTooAndConfirmedWhenHandled(StoreScope scope) {
    MemoryStore store = new MemoryStore(scope);
    ReceiptLog log = open(store);
    LifeLog life = begin(log, "a");
    long seq = await(signal(life, 5));
    LifeLog.Mark mark = life.markOf("s/w", 5, seq);
    life.turns().takes(mark);
    life.read(
        How.READ,
        "s",
        MOUNT,
        "get",
        life.current(),
        1,
        0,
        List.of(SeenVersion.entry(Region.MEMORY, "other", 3)));
    life.handled(mark);
    await(log.end());
    assertThat(revisions(store, "a")).containsExactly(5L, 3L);
    Life id = new Life(log.node(), 1);
    ReceiptReader.LifeState state =
        await(new ReceiptReader(store).lives("a", java.util.Set.of(id))).get(id);
    assertThat(state.began().orElseThrow().owner()).isEqualTo("anna");
    assertThat(state.confirmed()).containsEntry("s/w", 5L);
  }

  @Test
  void effectWaitsForWhatWasReadAndKeepsItsPlace() {
    MemoryStore store = new MemoryStore(StoreScope.ALL);
    ReceiptLog log = open(store);
    LifeLog life = begin(log, "a");
    List<String> left = java.util.Collections.synchronizedList(new ArrayList<>());
    List<CompletionStage<Boolean>> all = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      long revision = i + 1;
      if (i % 3 != 0) {
        life.read(
            How.READ,
            "s",
            MOUNT,
            "get",
            life.current(),
            1,
            0,
            List.of(SeenVersion.entry(Region.MEMORY, "k", revision)));
      }
      boolean read = i % 3 != 0;
      all.add(
          life.effect(
              () -> {
                boolean there = !read || revisions(store, "a").contains(revision);
                left.add("" + revision);
                return CompletableFuture.completedStage(there);
              }));
    }
    all.forEach(stage -> assertThat(await(stage)).isTrue());
    assertThat(left)
        .isEqualTo(
            java.util.stream.LongStream.rangeClosed(1, 200).mapToObj(Long::toString).toList());
    await(log.end());
  }

  @Test
  void subscribersOfOneWriteShareARound() {
    MemoryStore store = new MemoryStore(StoreScope.ALL);
    ReceiptSettings patient =
        ReceiptSettings.from(
            ConfigFactory.parseString("nucleusmem.receipts.linger-max = 1s")
                .withFallback(ConfigFactory.defaultReference()));
    ReceiptLog log = await(ReceiptLog.open(store, patient, "node", () -> true, Runnable::run));
    List<LifeLog> lives = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      lives.add(begin(log, "agent-" + i));
    }
    lives.forEach(life -> await(signal(life, 1)));
    for (long revision = 2; revision <= 20; revision++) {
      long before = log.rounds();
      List<CompletionStage<Long>> all = new ArrayList<>();
      log.begins();
      for (LifeLog life : lives) {
        all.add(signal(life, revision));
      }
      log.ends();
      all.forEach(ReceiptLogTest::await);
      assertThat(log.rounds() - before).isEqualTo(1);
    }
    assertThat(
            await(
                    new ReceiptReader(store)
                        .ofVersion(
                            io.nucleusmem.memspace.MemSpaceSystem.spaceOf(MOUNT),
                            SeenVersion.entry(Region.MEMORY, "k", 2),
                            Place.before(0)))
                .rounds())
        .hasSize(1);
    await(log.end());
  }

  @Test
  void roundIsReadAsItWasWritten() {
    Life here = new Life(3, 1);
    Round round = new Round(3, 4, 5, 6, oneOfEach(here, here, here));
    assertThat(round.encode().at(0)).isEqualTo((byte) 2); // as earlier versions read it
    assertThat(Round.decode(ReceiptKeys.round(3, 4), round.encode())).isEqualTo(round);
    Round goesOn = new Round(3, 4, 5, 6, oneOfEach(new Life(2, 7), here, new Life(1, 2)));
    assertThat(Round.decode(ReceiptKeys.round(3, 4), goesOn.encode())).isEqualTo(goesOn);
    for (Life life : List.of(here, new Life(2, 7))) {
      Round turns =
          new Round(
              3,
              4,
              5,
              6,
              List.of(
                  new LogRecord.Turn("a", life, 5, LogRecord.TurnKind.RESULT, 3, 2, 1),
                  new LogRecord.Acted(
                      "a",
                      here,
                      4,
                      "write",
                      "s",
                      MOUNT,
                      1,
                      77,
                      false,
                      io.nucleusmem.store.Bytes.utf8("why"),
                      List.of())));
      assertThat(Round.decode(ReceiptKeys.round(3, 4), turns.encode())).isEqualTo(turns);
    }
  }

  private static List<LogRecord> oneOfEach(Life one, Life other, Life third) {
    return List.of(
        new LogRecord.LifeBegan("a", one, Began.of("o", "t", Map.of("x", "y"), List.of())),
        new LogRecord.Delivered(
            "a",
            other,
            2,
            How.SCAN,
            false,
            "s",
            MOUNT,
            "scan",
            1,
            -5,
            9,
            List.of(
                SeenVersion.entry(Region.TASK, "k", 7), SeenVersion.message("topic", 1L << 40))),
        new LogRecord.Confirmed("a", one, Map.of("w", 4L, "", 2L)),
        new LogRecord.Acted(
            "a",
            third,
            4,
            "write",
            "s",
            MOUNT,
            1,
            77,
            true,
            io.nucleusmem.store.Bytes.EMPTY,
            List.of()),
        new LogRecord.Called(
            "a",
            one,
            5,
            "call",
            "model",
            1,
            io.nucleusmem.store.Bytes.utf8("hash"),
            false,
            io.nucleusmem.store.Bytes.utf8("reply"),
            12,
            34));
  }
}
