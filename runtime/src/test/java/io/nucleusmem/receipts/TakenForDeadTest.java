package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.nucleusmem.ledger.Pace;
import io.nucleusmem.memspace.MemSpaceSystem;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.memory.Fault;
import io.nucleusmem.store.memory.FaultPlan;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * G10: a node whose log another one has ended, although it lives, goes on in a log that it begins:
 * what was recorded before is neither lost nor there twice, and nobody has to start anything again.
 */
@Timeout(120)
class TakenForDeadTest {
  private static final String MOUNT = "m-0123456789abcdef0123456789abcdef-2";
  private static final ReceiptSettings SETTINGS =
      ReceiptSettings.from(ConfigFactory.defaultReference());

  private static <T> T await(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  private static ReceiptLog open(MemoryStore store) {
    return await(ReceiptLog.open(store, SETTINGS, "node", () -> true, Runnable::run));
  }

  private static LifeLog begin(ReceiptLog log, String agent) {
    return log.begin(agent, Began.of("anna", "type", Map.of(), List.of()));
  }

  private static CompletionStage<Long> signal(LifeLog life, long revision) {
    SeenVersion version = SeenVersion.entry(Region.MEMORY, "k", revision);
    return life.input(How.SIGNAL, "s", MOUNT, "s/w", 0, List.of(version));
  }

  /** Another cluster over the same store, say, does not know this node. */
  private static void endByAnother(MemoryStore store) {
    await(new DeadLogs(store).end(Set.of("other")));
  }

  /** What an agent got, in the order of the logs. */
  private static List<LogRecord.Delivered> delivered(MemoryStore store, String agent) {
    List<LogRecord.Delivered> found = new ArrayList<>();
    ReceiptReader reader = new ReceiptReader(store);
    Place after = Place.before(0);
    for (boolean more = true; more; ) {
      ReceiptReader.Rounds page = await(reader.ofAgent(agent, after, Long.MAX_VALUE - 1));
      more = page.more();
      for (Round round : page.rounds()) {
        after = Place.of(round);
        for (LogRecord record : round.records()) {
          if (record instanceof LogRecord.Delivered it && it.agent().equals(agent)) {
            found.add(it);
          }
        }
      }
    }
    return found;
  }

  private static List<Long> revisions(MemoryStore store, String agent) {
    return delivered(store, agent).stream().map(it -> it.versions().get(0).revision()).toList();
  }

  private static List<Integer> states(MemoryStore store) {
    return await(new DeadLogs(store).nodes()).values().stream().map(NodeRow::state).toList();
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void g10LifeGoesOnInTheNextLogUnderItsNameAndIsConfirmedThere(StoreScope scope) {
    MemoryStore store = new MemoryStore(scope);
    ReceiptLog log = open(store);
    LifeLog life = begin(log, "a");
    long first = await(signal(life, 1));
    LifeLog.Mark mark = life.markOf("s/w", 1, first);
    final long born = log.node();

    endByAnother(store);
    assertThat(await(signal(life, 2))).isEqualTo(2);
    assertThat(log.node()).isGreaterThan(born);
    life.handled(mark); // what the ended log has offered
    endByAnother(store);
    LifeLog later = begin(log, "b");
    await(signal(later, 3));
    await(signal(life, 3));
    await(log.end());

    assertThat(states(store)).containsExactly(NodeRow.ENDED, NodeRow.ENDED, NodeRow.CLOSED);
    assertThat(revisions(store, "a")).containsExactly(1L, 2L, 3L);
    assertThat(delivered(store, "a"))
        .extracting(LogRecord.Delivered::seq)
        .containsExactly(1L, 2L, 3L);
    Life name = new Life(born, 1);
    assertThat(delivered(store, "a")).extracting(LogRecord.Delivered::life).containsOnly(name);
    ReceiptReader reader = new ReceiptReader(store);
    assertThat(await(reader.lives("a"))).containsOnlyKeys(name);
    ReceiptReader.LifeState state = await(reader.lives("a", Set.of(name))).get(name);
    assertThat(state.began().orElseThrow().owner()).isEqualTo("anna");
    assertThat(state.confirmed()).containsEntry("s/w", 1L);
    assertThat(await(reader.lives("b"))).hasSize(1);
    assertThat(log.rounds()).isGreaterThanOrEqualTo(4);
  }

  /** Random times, requests that come late or whose answers are lost, several lives. */
  @ParameterizedTest
  @CsvSource({"ALL, 1", "REGION, 2", "REGION, 3"})
  void g10NothingIsLostOrTwiceWheneverAnotherNodeEndsTheLog(StoreScope scope, long seed) {
    Random fate = new Random(seed);
    FaultPlan faults =
        batch -> {
          boolean writer = Thread.currentThread().getName().equals("nucleusmem-receipts");
          boolean log = batch.ops().get(0) instanceof WriteBatch.Insert;
          return !writer || !log || fate.nextInt(4) > 0
              ? Fault.NONE
              : List.of(Fault.TRANSIENT, Fault.LOST_ANSWER, Fault.LATE).get(fate.nextInt(3));
        };
    MemoryStore store =
        new MemoryStore(
            scope, Runnable::run, System::currentTimeMillis, faults, Resends.REFUSED_BY_OWN_ROW);
    Random random = new Random(seed);
    ReceiptLog log = open(store);
    Map<String, LifeLog> lives = new HashMap<>();
    Map<String, Long> newest = new HashMap<>();
    List<CompletionStage<Long>> recorded = new ArrayList<>();
    for (int step = 0; step < 300; step++) {
      String agent = "a" + random.nextInt(3);
      LifeLog life = lives.computeIfAbsent(agent, id -> begin(log, id));
      recorded.add(signal(life, newest.merge(agent, 1L, Long::sum)));
      if (random.nextInt(20) == 0) {
        endByAnother(store);
      }
      if (random.nextInt(5) == 0) {
        store.held().forEach(late -> late.release());
      }
      if (random.nextInt(10) == 0) {
        recorded.forEach(TakenForDeadTest::await);
      }
    }
    recorded.forEach(TakenForDeadTest::await);
    store.held().forEach(late -> late.release());
    await(log.end());
    store.held().forEach(late -> late.release());

    newest.forEach(
        (agent, last) -> {
          List<LogRecord.Delivered> all = delivered(store, agent);
          List<Long> expected = LongStream.rangeClosed(1, last).boxed().toList();
          assertThat(revisions(store, agent)).as("seed %d", seed).isEqualTo(expected);
          assertThat(all).extracting(LogRecord.Delivered::seq).isEqualTo(expected);
          assertThat(all.stream().map(LogRecord.Delivered::life).distinct()).hasSize(1);
        });
    for (long revision = 1; revision <= newest.get("a0"); revision++) {
      ReceiptReader.Rounds who =
          await(
              new ReceiptReader(store)
                  .ofVersion(
                      MemSpaceSystem.spaceOf(MOUNT),
                      SeenVersion.entry(Region.MEMORY, "k", revision),
                      Place.before(0)));
      long version = revision;
      assertThat(
              who.rounds().stream()
                  .flatMap(round -> round.records().stream())
                  .filter(record -> record.agent().equals("a0"))
                  .filter(
                      record ->
                          record instanceof LogRecord.Delivered it
                              && it.versions().get(0).revision() == version))
          .hasSize(1);
    }
    assertThat(states(store)).contains(NodeRow.ENDED).endsWith(NodeRow.CLOSED);
  }

  @Test
  void g10RoundThatIsWrittenWhileTheLogIsBeingEndedIsIndexedToo() {
    AtomicReference<Thread> ender = new AtomicReference<>();
    AtomicInteger slow = new AtomicInteger(1); // the first commit of who ends the log: its index
    MemoryStore store =
        new MemoryStore(
            StoreScope.ALL,
            Runnable::run,
            System::currentTimeMillis,
            batch ->
                Thread.currentThread() == ender.get() && slow.getAndDecrement() == 1
                    ? Fault.SLOW
                    : Fault.NONE,
            Resends.CHECKED);
    ReceiptLog log = open(store);
    LifeLog life = begin(log, "a");
    await(signal(life, 1));
    ender.set(Thread.currentThread());
    CompletionStage<Integer> ending = new DeadLogs(store).end(Set.of("other"));
    assertThat(store.held()).hasSize(1);
    await(signal(life, 2));
    store.held().get(0).release();
    assertThat(await(ending)).isEqualTo(1);
    assertThat(await(new ReceiptTail(store).read())).isEmpty();
    assertThat(revisions(store, "a")).containsExactly(1L, 2L);
    log.close();
  }

  @Test
  void livesAreKnownAsLongAsTheLogInWhichTheyGoOnIsThere() {
    AtomicLong millis = new AtomicLong(1_000_000_000_000L);
    MemoryStore store =
        new MemoryStore(
            StoreScope.ALL, Runnable::run, millis::get, FaultPlan.NONE, Resends.CHECKED);
    ReceiptLog log = open(store);
    LifeLog life = begin(log, "a");
    await(signal(life, 1));
    endByAnother(store);
    await(signal(life, 2));
    endByAnother(store);
    millis.addAndGet(Duration.ofHours(2).toMillis());
    await(signal(life, 3));
    compact(store);
    assertThat(revisions(store, "a")).containsExactly(3L);
    assertThat(await(new ReceiptReader(store).lives("a"))).hasSize(1);

    await(log.end());
    millis.addAndGet(Duration.ofHours(2).toMillis());
    await(store.now());
    compact(store);
    assertThat(store.rows().keySet()).allMatch(key -> key.at(1) == 'F');
  }

  /** What is older than an hour goes. */
  private static void compact(MemoryStore store) {
    ReceiptRetention policy =
        new ReceiptRetention(
            Optional.of(Duration.ofHours(1)), Optional.empty(), Duration.ofMinutes(1), 1_000);
    await(new ReceiptCompactor(store, policy, Pace.UNBOUND).run(() -> false));
  }

  @Test
  void whatMayBeUnrecordedIsLookedForInAllLogsOfALife() {
    MemoryStore store = new MemoryStore(StoreScope.ALL);
    ReceiptLog log = open(store);
    LifeLog life = begin(log, "a");
    await(signal(life, 1));
    final long born = log.node();
    endByAnother(store);
    await(signal(life, 2));
    ReceiptReader reader = new ReceiptReader(store);
    assertThat(await(reader.followers())).isEqualTo(Map.of(born, log.node()));
    ReceiptReader.Unrecorded now = await(reader.unrecorded(log.node())).orElseThrow();
    assertThat(now.until()).isGreaterThan(Timestamps.lastOf(System.currentTimeMillis() + 60_000));
    log.close();
  }
}
