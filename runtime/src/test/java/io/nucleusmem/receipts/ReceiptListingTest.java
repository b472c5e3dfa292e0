package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.Pace;
import io.nucleusmem.memspace.MemSpaceSystem;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.memory.MemoryStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rounds are found by agents and versions, however their rows were put together. */
@Timeout(60)
class ReceiptListingTest {
  private static final String MOUNT = "m-0123456789abcdef0123456789abcdef-2";
  private static final LedgerId SPACE = MemSpaceSystem.spaceOf(MOUNT);

  private static <T> T await(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  private static LogRecord delivered(String agent, long node, List<SeenVersion> versions) {
    return new LogRecord.Delivered(
        agent, new Life(node, 1), 1, How.READ, false, "s", MOUNT, "get", 0, 0, 0, versions);
  }

  /** Rounds of a node, several in most seconds, whose agents got entries and messages. */
  private static List<Round> rounds(Random random, long node, int count) {
    List<Round> rounds = new ArrayList<>();
    long millis = 1_000_000_000_000L + random.nextInt(5_000);
    for (int number = 1; number <= count; number++) {
      millis += random.nextInt(4) == 0 ? random.nextInt(2_000) : random.nextInt(100);
      List<LogRecord> records = new ArrayList<>();
      for (int agents = random.nextInt(3); agents >= 0; agents--) {
        List<SeenVersion> versions = new ArrayList<>();
        for (int some = random.nextInt(4); some > 0; some--) {
          long revision = random.nextInt(3_000);
          versions.add(
              random.nextBoolean()
                  ? SeenVersion.entry(Region.MEMORY, "k" + random.nextInt(20), revision)
                  : SeenVersion.message("topic-" + random.nextInt(3), revision));
        }
        records.add(delivered("a" + random.nextInt(3), node, versions));
      }
      rounds.add(new Round(node, number, Timestamps.firstOf(millis) + node, 0, records));
    }
    return rounds;
  }

  private static void write(MemoryStore store, List<Round> rounds) {
    for (Round round : rounds) {
      await(
          store.commit(
              WriteBatch.at(await(store.now()))
                  .insert(ReceiptKeys.round(round.node(), round.number()), round.encode())
                  .build()));
    }
    await(
        store.commit(
            WriteBatch.at(await(store.now()))
                .put(
                    ReceiptKeys.node(rounds.get(0).node()),
                    new NodeRow("n" + rounds.get(0).node(), NodeRow.CLOSED).encode())
                .build()));
  }

  private static void index(MemoryStore store, List<Round> rounds) {
    await(ReceiptIndex.write(store, rounds.get(0).node(), rounds, Optional.empty()));
  }

  /** As versions before wrote it: a row for each agent and version of each round. */
  private static void indexAsBefore(MemoryStore store, List<Round> rounds) {
    for (Round round : rounds) {
      WriteBatch.Builder batch = WriteBatch.at(await(store.now()));
      ReceiptListing.earlierKeys(round).forEach(key -> batch.put(key, Bytes.EMPTY));
      batch.put(
          ReceiptKeys.indexed(round.node()), new BytesWriter(8).i64(round.number()).toBytes());
      await(store.commit(batch.build()));
    }
  }

  private interface Asked {
    CompletionStage<ReceiptReader.Rounds> behind(Place after);
  }

  private static Set<Place> all(Asked asked, Place from) {
    Set<Place> found = new TreeSet<>();
    Place after = from;
    for (boolean more = true; more; ) {
      ReceiptReader.Rounds page = await(asked.behind(after));
      more = page.more();
      for (Round round : page.rounds()) {
        assertThat(Place.of(round)).isGreaterThan(after);
        after = Place.of(round);
        found.add(after);
      }
    }
    return found;
  }

  /** Every question gives what looking through all rounds gives. */
  private static void answersAs(MemoryStore store, List<Round> all, Random random) {
    ReceiptReader reader = new ReceiptReader(store);
    Map<String, Set<Place>> byAgent = new HashMap<>();
    Map<SeenVersion, Set<Place>> byVersion = new HashMap<>();
    for (Round round : all) {
      for (LogRecord record : round.records()) {
        byAgent.computeIfAbsent(record.agent(), any -> new TreeSet<>()).add(Place.of(round));
        for (SeenVersion version : ((LogRecord.Delivered) record).versions()) {
          for (long revision : new long[] {version.revision(), 0}) {
            if (version.revision() > 0) {
              byVersion
                  .computeIfAbsent(
                      new SeenVersion(version.topic(), version.region(), version.key(), revision),
                      any -> new TreeSet<>())
                  .add(Place.of(round));
            }
          }
        }
      }
    }
    List<Place> places = all.stream().map(Place::of).sorted().toList();
    for (int i = 0; i < 3; i++) {
      Place from = i == 0 ? Place.before(0) : places.get(random.nextInt(places.size()));
      long until =
          i < 2 ? Long.MAX_VALUE - 1 : places.get(random.nextInt(places.size())).timestamp();
      byAgent.forEach(
          (agent, expected) ->
              assertThat(all(after -> reader.ofAgent(agent, after, until), from))
                  .isEqualTo(
                      new TreeSet<>(
                          expected.stream()
                              .filter(at -> at.compareTo(from) > 0 && at.timestamp() <= until)
                              .toList())));
      byVersion.forEach(
          (version, expected) -> {
            if (version.revision() > 0 && random.nextInt(10) > 0) {
              return; // some of them
            }
            Set<Place> found = all(after -> reader.ofVersion(SPACE, version, after), from);
            Set<Place> wanted = new TreeSet<>(expected);
            wanted.removeIf(at -> at.compareTo(from) <= 0);
            assertThat(found).as("%s", version).isEqualTo(wanted);
          });
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void roundsAreFoundByWhatTheyHoldHoweverTheyWereIndexedTogether(long seed) {
    Random random = new Random(seed);
    MemoryStore store = new MemoryStore(StoreScope.REGION);
    List<Round> all = new ArrayList<>();
    for (long node = 1; node <= 2; node++) {
      List<Round> rounds = rounds(random, node, 150);
      write(store, rounds);
      all.addAll(rounds);
      int before = random.nextInt(20);
      indexAsBefore(store, rounds.subList(0, before));
      for (int from = before; from < rounds.size(); ) {
        int to = Math.min(rounds.size(), from + 1 + random.nextInt(60));
        index(store, rounds.subList(from, to));
        // a second one, that is at it too: late, and with other rounds together
        if (random.nextBoolean()) {
          index(store, rounds.subList(Math.max(before, from - random.nextInt(30)), to));
          index(store, rounds.subList(from, from + (to - from + 1) / 2));
        }
        from = to;
      }
      index(store, rounds.subList(rounds.size() - 1, rounds.size()));
    }
    answersAs(store, all, random);
  }

  @Test
  void whatRetentionLetsGoIsNotListedAnyMoreAndAllElseIsWhoeverIndexedIt() {
    Random random = new Random(4);
    MemoryStore store = new MemoryStore(StoreScope.ALL);
    List<Round> all = new ArrayList<>();
    for (long node = 1; node <= 3; node++) {
      List<Round> rounds = rounds(random, node, 120);
      write(store, rounds);
      if (node == 1) {
        indexAsBefore(store, rounds);
      } else {
        index(store, rounds);
      }
      all.addAll(rounds);
    }
    long floor = all.get(60).timestamp(); // in the middle of a second
    await(new ReceiptFloor(store).raise(floor));
    ReceiptRetention keepsAll =
        new ReceiptRetention(Optional.empty(), Optional.empty(), Duration.ofMinutes(1), 1_000);
    await(new ReceiptCompactor(store, keepsAll, Pace.UNBOUND).run(() -> false));
    List<Round> kept =
        all.stream().filter(round -> round.timestamp() >= ReceiptKeys.second(floor)).toList();
    assertThat(kept).hasSizeBetween(50, all.size() - 50);
    answersAs(store, kept, random);

    await(new ReceiptFloor(store).raise(Timestamps.firstOf(2_000_000_000_000L)));
    await(new ReceiptCompactor(store, keepsAll, Pace.UNBOUND).run(() -> false));
    assertThat(new HashSet<>(store.rows().keySet())).allMatch(key -> key.at(1) == 'F');
  }

  @Test
  void versionsThatStreamByTakeFewRows() {
    List<Round> rounds = new ArrayList<>();
    for (int number = 1; number <= 250; number++) {
      List<SeenVersion> versions = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        long revision = number * 20L + i;
        versions.add(SeenVersion.entry(Region.MEMORY, "k/" + revision, revision));
      }
      long millis = 1_000_000_000_000L + 2 * number;
      rounds.add(
          new Round(
              1, number, Timestamps.firstOf(millis), 0, List.of(delivered("a", 1, versions))));
    }
    Map<Bytes, Bytes> rows = ReceiptIndex.derived(rounds);
    assertThat(rows.size()).isLessThan(400);
    long bytes =
        rows.entrySet().stream()
            .mapToLong(row -> row.getKey().length() + row.getValue().length())
            .sum();
    assertThat(bytes / 5_000).isLessThan(30);
  }
}
