package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import io.nucleusmem.ledger.Pace;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.memory.MemoryStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What becomes of receipts when their node has died, and when they are old. */
@Timeout(60)
class ReceiptKeepingTest {
  private static final String MOUNT = "m-0123456789abcdef0123456789abcdef-2";
  private static final ReceiptSettings SETTINGS =
      ReceiptSettings.from(ConfigFactory.defaultReference());

  private static <T> T await(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  private static ReceiptLog open(MemoryStore store) {
    return await(ReceiptLog.open(store, SETTINGS, "node", () -> false, Runnable::run));
  }

  private static LifeLog begin(ReceiptLog log) {
    return log.begin("a", Began.of("anna", "type", Map.of(), List.of()));
  }

  private static CompletionStage<Long> signal(LifeLog life, long revision) {
    SeenVersion version = SeenVersion.entry(Region.MEMORY, "k", revision);
    return life.input(How.SIGNAL, "s", MOUNT, "s/w", 0, List.of(version));
  }

  private static List<Long> revisions(MemoryStore store) {
    List<Long> found = new ArrayList<>();
    ReceiptReader reader = new ReceiptReader(store);
    Place after = Place.before(0);
    for (boolean more = true; more; ) {
      ReceiptReader.Rounds page = await(reader.ofAgent("a", after, Long.MAX_VALUE - 1));
      more = page.more();
      for (Round round : page.rounds()) {
        after = Place.of(round);
        for (LogRecord record : round.records()) {
          if (record instanceof LogRecord.Delivered it) {
            it.versions().forEach(version -> found.add(version.revision()));
          }
        }
      }
    }
    return found;
  }

  private static List<Bytes> rows(MemoryStore store, char kind) {
    return store.rows().keySet().stream()
        .filter(key -> key.at(0) == 'r' && key.at(1) == kind)
        .toList();
  }

  // ---- nodes that die ----

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void g10LogOfADeadNodeIsIndexedAndEnded(StoreScope scope) {
    MemoryStore store = new MemoryStore(scope);
    ReceiptLog dead = open(store);
    LifeLog life = begin(dead);
    for (long revision = 1; revision <= 5; revision++) {
      await(signal(life, revision));
    }
    assertThat(rows(store, 'G')).isEmpty();

    assertThat(await(new DeadLogs(store).end(Set.of("node")))).isZero(); // it may be alive
    assertThat(await(new DeadLogs(store).end(Set.of("other")))).isEqualTo(1);
    assertThat(await(new DeadLogs(store).end(Set.of("other")))).isZero();

    assertThat(await(new ReceiptTail(store).read())).isEmpty();
    assertThat(rows(store, 'G')).isNotEmpty();
    assertThat(revisions(store)).containsExactly(1L, 2L, 3L, 4L, 5L);

    // it was alive after all, and no member: it is refused its next round, and delivers no more
    assertThatThrownBy(() -> await(signal(life, 6)))
        .isInstanceOf(CompletionException.class)
        .hasCauseInstanceOf(MemSpaceException.class);
    assertThat(revisions(store)).containsExactly(1L, 2L, 3L, 4L, 5L);
    assertThat(await(new DeadLogs(store).nodes()).values())
        .containsExactly(new NodeRow("node", NodeRow.ENDED));
  }

  @Test
  void g10NewerIncarnationAtTheSameAddressTellsThatTheOlderOneIsDead() {
    MemoryStore store = new MemoryStore(StoreScope.REGION);
    ReceiptLog dead = open(store);
    await(signal(begin(dead), 1));
    try (ReceiptLog next = open(store)) {
      LifeLog life = begin(next);
      await(signal(life, 2));
      assertThat(await(new DeadLogs(store).end(Set.of("node")))).isEqualTo(1);
      await(signal(life, 3));
      assertThat(revisions(store)).containsExactly(1L, 2L, 3L);
    }
  }

  @Test
  void whatANodeMayHaveLeftUnrecordedIsKnownAndNothingOfOneThatStopped() {
    MemoryStore store = new MemoryStore(StoreScope.ALL);
    ReceiptLog log = open(store);
    await(signal(begin(log), 1));
    ReceiptReader reader = new ReceiptReader(store);
    ReceiptReader.Unrecorded open = await(reader.unrecorded(log.node())).orElseThrow();
    assertThat(open.after()).isGreaterThan(log.node());
    assertThat(open.until()).isEqualTo(Long.MAX_VALUE - 1);
    await(new DeadLogs(store).end(Set.of()));
    ReceiptReader.Unrecorded ended = await(reader.unrecorded(log.node())).orElseThrow();
    assertThat(ended.after()).isEqualTo(open.after());
    assertThat(ended.until()).isBetween(open.after() + 1, await(store.now()));

    ReceiptLog other = open(store);
    await(signal(begin(other), 2));
    await(other.end());
    assertThat(await(reader.unrecorded(other.node()))).isEmpty();
  }

  // ---- retention ----

  /** A log as a node would have written it, one round a second, ending so long ago. */
  private static List<Round> written(MemoryStore store, long node, int count, long endMillis) {
    List<Round> rounds = new ArrayList<>();
    long before = 0;
    for (int i = 1; i <= count; i++) {
      List<LogRecord> records = new ArrayList<>();
      if (i == 1) {
        records.add(
            new LogRecord.LifeBegan(
                "a", new Life(node, 1), Began.of("anna", "type", Map.of(), List.of())));
      }
      records.add(
          new LogRecord.Delivered(
              "a",
              new Life(node, 1),
              i,
              How.SIGNAL,
              true,
              "s",
              MOUNT,
              "s/w",
              0,
              0,
              0,
              List.of(SeenVersion.entry(Region.MEMORY, "k" + i, node + i))));
      long at = Timestamps.firstOf(endMillis - (count - i) * 1_000L);
      Round round = new Round(node, i, at, before, records);
      Bytes row = round.encode();
      before += row.length();
      await(
          store.commit(
              WriteBatch.at(await(store.now())).insert(ReceiptKeys.round(node, i), row).build()));
      rounds.add(round);
    }
    await(ReceiptIndex.write(store, node, rounds, Optional.of(new NodeRow("n" + node, 1))));
    return rounds;
  }

  private static void compact(MemoryStore store, Optional<Duration> age, Optional<Long> bytes) {
    ReceiptRetention policy = new ReceiptRetention(age, bytes, Duration.ofMinutes(1), 1_000);
    await(new ReceiptCompactor(store, policy, Pace.UNBOUND).run(() -> false));
  }

  @ParameterizedTest
  @CsvSource({"ALL, 1", "REGION, 2", "ALL, 3"})
  void whatIsOlderThanTheRetentionGoesWithAllThatFollowsFromItAndNothingElse(
      StoreScope scope, long seed) {
    MemoryStore store = new MemoryStore(scope);
    Random random = new Random(seed);
    long now = Timestamps.millis(await(store.now()));
    List<Round> all = new ArrayList<>();
    for (long node = 1; node <= 4; node++) {
      all.addAll(written(store, node, 50 + random.nextInt(300), now - 1 - random.nextInt(600_000)));
    }
    long age = 60_000 + random.nextInt(500_000);
    compact(store, Optional.of(Duration.ofMillis(age)), Optional.empty());

    long floor = await(new ReceiptFloor(store).read());
    List<Round> kept = all.stream().filter(round -> round.timestamp() >= floor).toList();
    long latest = Timestamps.millis(await(store.now())) - age;
    assertThat(Timestamps.millis(floor)).isBetween(now - age - 999, latest);
    assertThat(kept).isNotEmpty().hasSizeLessThan(all.size());
    holdsExactly(store, kept);
    assertThat(revisions(store)).hasSameSizeAs(kept);
    compact(store, Optional.empty(), Optional.empty()); // keeping all brings nothing back
    holdsExactly(store, kept);
  }

  private static void holdsExactly(MemoryStore store, List<Round> kept) {
    Set<Bytes> listed = new TreeSet<>();
    Set<Long> nodes = new TreeSet<>();
    for (Round round : kept) {
      listed.addAll(ReceiptIndex.derived(List.of(round)).keySet());
      nodes.add(round.node());
    }
    assertThat(rows(store, 'L'))
        .containsExactlyInAnyOrderElementsOf(
            kept.stream().map(round -> Place.of(round).roundKey()).toList());
    listed.removeIf(key -> key.at(1) == 'B');
    List<Bytes> found = new ArrayList<>(rows(store, 'G'));
    found.addAll(rows(store, 'W'));
    assertThat(found).containsExactlyInAnyOrderElementsOf(listed);
    assertThat(rows(store, 'A')).isEmpty();
    assertThat(rows(store, 'V')).isEmpty();
    // a node is forgotten with its last round, and so are its lives
    assertThat(rows(store, 'N')).hasSameSizeAs(nodes);
    assertThat(rows(store, 'I')).hasSameSizeAs(nodes);
    assertThat(rows(store, 'B')).hasSameSizeAs(nodes);
  }

  @Test
  void whatExceedsTheBytesAllowedGoesOldestFirstWhosever() {
    MemoryStore store = new MemoryStore(StoreScope.ALL);
    long now = Timestamps.millis(await(store.now()));
    List<Round> all = new ArrayList<>();
    all.addAll(written(store, 1, 8_000, now - 100_000));
    all.addAll(written(store, 2, 9_000, now - 200_000));
    long allowed = 1 << 20;
    long size = all.stream().mapToLong(round -> round.encode().length()).sum();
    assertThat(size).isGreaterThan(allowed + allowed / 4);
    compact(store, Optional.empty(), Optional.of(allowed));

    long floor = await(new ReceiptFloor(store).read());
    List<Round> kept = all.stream().filter(round -> round.timestamp() >= floor).toList();
    assertThat(rows(store, 'L')).hasSameSizeAs(kept);
    assertThat(kept.stream().mapToLong(round -> round.encode().length()).sum())
        .isBetween(allowed * 8 / 10, allowed);
    assertThat(kept.stream().map(Round::node)).contains(1L, 2L);
  }

  @Test
  void nothingGoesWhereAllIsKeptAndTheNewestMinuteStaysWhateverIsAllowed() {
    MemoryStore store = new MemoryStore(StoreScope.ALL);
    long now = Timestamps.millis(await(store.now()));
    List<Round> all = written(store, 1, 100, now);
    compact(store, Optional.empty(), Optional.empty());
    assertThat(rows(store, 'L')).hasSameSizeAs(all);
    assertThat(rows(store, 'F')).isEmpty();
    compact(store, Optional.of(Duration.ofMinutes(1)), Optional.empty());
    assertThat(rows(store, 'L').size()).isBetween(1, 62);
  }

  @Test
  void whoAsksForWhatIsGoneIsToldFromWhenOnItIsThere() {
    long floor = Timestamps.firstOf(1_000_000);
    ReceiptFloor.require(Place.before(floor), floor);
    assertThatThrownBy(() -> ReceiptFloor.require(Place.before(floor - 1), floor))
        .isInstanceOfSatisfying(
            MemSpaceException.class,
            refused -> {
              assertThat(refused.code()).isEqualTo(ErrorCode.COMPACTED);
              assertThat(refused.details()).containsEntry("oldest_at", "1970-01-01T00:16:40Z");
            });
  }

  @Test
  void floorNeverGoesBack() {
    MemoryStore store = new MemoryStore(StoreScope.REGION);
    ReceiptFloor floor = new ReceiptFloor(store);
    assertThat(await(floor.read())).isZero();
    await(floor.raise(7));
    await(floor.raise(5));
    assertThat(await(floor.read())).isEqualTo(7);
    await(floor.raise(9));
    assertThat(await(floor.read())).isEqualTo(9);
    assertThat(rows(store, 'F')).hasSize(1);
  }
}
