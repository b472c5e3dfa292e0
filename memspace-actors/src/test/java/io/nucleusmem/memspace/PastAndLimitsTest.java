package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.store.Direction;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** G6, G7, G8, G11, G12: what a read shows, and what is too much. */
class PastAndLimitsTest extends SpaceFixture {
  static final EntryKey KEY = EntryKey.of("k");

  Map<String, String> stateAt(MountedSpace mounted, ReadAt at) {
    Map<String, String> state = new TreeMap<>();
    Optional<String> next = Optional.empty();
    do {
      ScanRequest page = ScanRequest.of(Region.MEMORY, "").at(at).limit(3);
      Paged<Entry> found = await(mounted.scan(next.map(page::after).orElse(page)));
      found.items().forEach(entry -> state.put(entry.key().name(), entry.text()));
      next = found.next();
    } while (next.isPresent());
    return state;
  }

  // ---- G6 ----

  @Test
  void g6PullGivesExactlyTheVersionThatTheSignalNamedWhateverCameSince() {
    WatchRecorder watch = new WatchRecorder();
    await(space.watch(WatchRequest.of(Region.MEMORY, ""), watch));
    await(space.put(KEY, Content.json("{\"v\":1}").withMetadata(Map.of("a", "b"))));
    await(space.delete(KEY));
    await(space.put(KEY, Content.text("3")));
    List<Signal> signals = watch.signals(3);
    for (int life = 0; life < 2; life++) {
      Entry first = await(space.pull(KEY, signals.get(0).revision())).orElseThrow();
      assertThat(first.content().metadata()).containsEntry("a", "b");
      assertThat(first.text()).isEqualTo("{\"v\":1}");
      assertThat(first.author()).isEqualTo("anna");
      assertThat(first.timestamp()).isEqualTo(signals.get(0).timestamp());
      assertThat(await(space.pull(KEY, 2)).orElseThrow().deleted()).isTrue();
      assertThat(await(space.pull(KEY, 3)).orElseThrow().text()).isEqualTo("3");
      assertThat(await(space.pull(KEY, 4))).isEmpty();
      assertThat(await(space.pull(EntryKey.of("other"), 1))).isEmpty();
      restart("");
    }
  }

  // ---- G7, G8 ----

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void g7ReadAtARevisionOrInstantGivesTheSameAnswerForEver(long seed) {
    Random random = new Random(seed);
    TreeMap<String, String> now = new TreeMap<>();
    List<Map<String, String>> byRevision = new ArrayList<>(List.of(Map.of()));
    List<Instant> instants = new ArrayList<>(List.of(Instant.EPOCH));
    for (int i = 0; i < 60; i++) {
      String key = "k" + random.nextInt(8);
      Written written;
      if (now.containsKey(key) && random.nextInt(3) == 0) {
        written = await(space.delete(EntryKey.of(key)));
        now.remove(key);
      } else {
        written = await(space.put(EntryKey.of(key), Content.text("" + i)));
        now.put(key, "" + i);
      }
      byRevision.add(new TreeMap<>(now));
      instants.add(written.at());
      pass(Duration.ofMillis(2));
    }
    for (int life = 0; life < 2; life++) {
      for (int revision = 1; revision < byRevision.size(); revision++) {
        Map<String, String> then = byRevision.get(revision);
        assertThat(stateAt(space, ReadAt.revision(revision))).isEqualTo(then);
        assertThat(stateAt(space, ReadAt.instant(instants.get(revision)))).isEqualTo(then);
        for (int k = 0; k < 8; k++) {
          assertThat(
                  await(space.get(EntryKey.of("k" + k), ReadAt.revision(revision)))
                      .map(Entry::text))
              .isEqualTo(Optional.ofNullable(then.get("k" + k)));
        }
      }
      restart("");
      await(space.put(EntryKey.of("k" + life), Content.text("later")));
    }
  }

  @Test
  void g7FutureIsRefusedInsteadOfGuessed() {
    await(space.put(KEY, Content.text("v")));
    Instant future = Instant.now().plus(Duration.ofDays(1));
    for (ReadAt at : List.of(ReadAt.instant(future), ReadAt.revision(2))) {
      assertThat(refusal(space.get(KEY, at))).isEqualTo(ErrorCode.AS_OF_IN_FUTURE);
      assertThat(refusal(space.scan(ScanRequest.of(Region.MEMORY, "").at(at))))
          .isEqualTo(ErrorCode.AS_OF_IN_FUTURE);
    }
    assertThat(refusal(space.get(KEY, ReadAt.revision(-1)))).isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(await(space.get(KEY, ReadAt.revision(0)))).isEmpty();
    assertThat(await(space.get(KEY, ReadAt.instant(Instant.EPOCH)))).isEmpty();
  }

  @Test
  void g7WhatIsCompactedIsRefusedWithTheOldestThatIsKeptAndTheRestStays() {
    for (int i = 1; i <= 10; i++) {
      await(space.put(KEY, Content.text("" + i)));
    }
    await(NucleusMem.get(node.system()).system().compact(name, 6));
    List<CompletionStage<?>> gone =
        List.of(
            space.get(KEY, ReadAt.revision(5)),
            space.scan(ScanRequest.of(Region.MEMORY, "").at(ReadAt.revision(5))),
            space.pull(KEY, 5),
            space.get(KEY, ReadAt.instant(Instant.EPOCH)));
    for (CompletionStage<?> each : gone) {
      assertThat(failure(CompactedException.class, each).oldest()).isEqualTo(6);
    }
    for (int life = 0; life < 2; life++) {
      for (int i = 6; i <= 10; i++) {
        assertThat(await(space.get(KEY, ReadAt.revision(i))).orElseThrow().text())
            .isEqualTo("" + i);
      }
      assertThat(await(space.history(KEY, 100, Optional.empty())).items()).hasSize(5);
      restart("");
      assertThat(failure(CompactedException.class, space.get(KEY, ReadAt.revision(5))).oldest())
          .isEqualTo(6);
    }
  }

  @Test
  void g8EffectIsNotSeenWithoutItsCauseInAnotherSpace() {
    MountedSpace other = create(CreateSpace.shared(name + "-other"));
    for (int i = 0; i < 50; i++) {
      await(space.put(KEY, Content.text("" + i)));
      Instant cut = await(other.put(KEY, Content.text("" + i))).at();
      int effect =
          Integer.parseInt(await(other.get(KEY, ReadAt.instant(cut))).orElseThrow().text());
      int cause = Integer.parseInt(await(space.get(KEY, ReadAt.instant(cut))).orElseThrow().text());
      assertThat(cause).isGreaterThanOrEqualTo(effect);
    }
  }

  // ---- G12 ----

  @Test
  void g12EveryLevelShowsAWriteThatWasAcknowledgedBefore() {
    MountedSpace ben = mountForBen(Access.READ_ONLY);
    for (int i = 1; i <= 50; i++) {
      long revision = await(space.put(KEY, Content.text("" + i))).revision();
      for (ReadAt at : List.of(ReadAt.LATEST, new ReadAt.AtLeast(revision))) {
        assertThat(await(ben.get(KEY, at)).orElseThrow().text()).isEqualTo("" + i);
        assertThat(stateAt(ben, at)).containsEntry("k", "" + i);
      }
      assertThat(await(ben.get(KEY, new ReadAt.Bounded(Duration.ZERO))).orElseThrow().text())
          .isEqualTo("" + i);
      assertThat(ben.seen()).isEqualTo(revision);
    }
  }

  @Test
  void g12ReaderNeverGoesBackWhileManyWrite() {
    List<CompletionStage<Written>> writes = new ArrayList<>();
    long seen = 0;
    for (int i = 0; i < 300; i++) {
      writes.add(space.put(KEY, Content.text("" + i)));
      long now = await(space.get(KEY)).map(Entry::revision).orElse(0L);
      assertThat(now).isGreaterThanOrEqualTo(seen);
      seen = now;
    }
    writes.forEach(TestNode::await);
  }

  // ---- G11 ----

  @Test
  void g11WhatIsOverALimitIsRefusedWithTheLimitAndNothingIsWritten() {
    restart(
        "nucleusmem.memspace { key-bytes-max = 16, value-bytes-max = 64, metadata-bytes-max = 16,"
            + " batch-operations-max = 3, batch-bytes-max = 128 }");
    Content full = Content.text("v".repeat(64));
    String key = "k".repeat(16);
    await(space.put(EntryKey.of(key), full));
    long before = await(spaces.describe(ANNA, name)).revision();
    List<CompletionStage<?>> tooLarge =
        List.of(
            space.put(EntryKey.of(key + "k"), full),
            space.put(EntryKey.of("ü".repeat(9)), full),
            space.append(EntryKey.of(key + "k"), full),
            space.put(KEY, Content.text("v".repeat(65))),
            space.append(KEY, Content.text("v".repeat(65))),
            space.merge(KEY, "\"" + "v".repeat(65) + "\""),
            space.put(KEY, Content.text("").withMetadata(Map.of("0123456789", "abcdefg"))),
            space.topic("t").publish(Content.text("v".repeat(65))),
            space.write(puts(2, "v".repeat(64)), WriteOptions.DEFAULT));
    for (int i = 0; i < tooLarge.size(); i++) {
      MemSpaceException refused = failure(MemSpaceException.class, tooLarge.get(i));
      assertThat(refused.code()).as("call %d", i).isEqualTo(ErrorCode.TOO_LARGE);
      assertThat(refused.details().get("accepted").toString()).startsWith("at most ");
    }
    assertThat(refusal(space.write(puts(4, "v"), WriteOptions.DEFAULT)))
        .isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(await(spaces.describe(ANNA, name)).revision()).isEqualTo(before);
    assertThat(await(space.topics(10, Optional.empty())).items()).isEmpty();
    assertThat(await(space.write(puts(3, "v"), WriteOptions.DEFAULT)).revision())
        .isEqualTo(before + 1);
    restart("");
  }

  static List<Operation> puts(int count, String value) {
    List<Operation> puts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      puts.add(new Operation.Put(EntryKey.of("b" + i), Content.text(value)));
    }
    return puts;
  }

  @Test
  void g11ValueThatGrowsByMergingStaysWithinItsLimit() {
    restart("nucleusmem.memspace { value-bytes-max = 64 }");
    for (int i = 0; i < 3; i++) {
      await(space.merge(KEY, "{\"f%d\":\"%s\"}".formatted(i, "v".repeat(10))));
    }
    assertThat(refusal(space.merge(KEY, "{\"f4\":\"%s\"}".formatted("v".repeat(30)))))
        .isEqualTo(ErrorCode.TOO_LARGE);
    assertThat(await(space.get(KEY)).orElseThrow().size()).isLessThanOrEqualTo(64);
    await(space.put(KEY, Content.text("9".repeat(64))));
    assertThat(refusal(space.add(KEY, 1))).isEqualTo(ErrorCode.TOO_LARGE);
    restart("");
  }

  @Test
  void g11RequestsThatMakeNoSenseAreRefused() {
    Operation put = new Operation.Put(KEY, Content.text("x"));
    List<CompletionStage<?>> calls =
        List.of(
            space.write(List.of(), WriteOptions.DEFAULT),
            space.write(List.of(put, put), WriteOptions.DEFAULT),
            space.write(List.of(put), WriteOptions.id("short")),
            space.write(List.of(put), WriteOptions.id("x".repeat(129))),
            space.put(EntryKey.of(""), Content.text("x")),
            space.put(new EntryKey(Region.COMM, "x"), Content.text("x")),
            space.putIfRevision(KEY, Content.text("x"), -1),
            space.write(new Operation.Check(KEY, OptionalLong.empty())),
            space.scan(ScanRequest.of(Region.MEMORY, "").limit(0)),
            space.scan(ScanRequest.of(Region.MEMORY, "").limit(1_001)),
            space.scan(ScanRequest.of(Region.MEMORY, "").after("nonsense")),
            space.history(KEY, 1_001, Optional.empty()),
            space.topics(0, Optional.empty()),
            spaces.list(ANNA, Optional.of("no-colon"), 10, Optional.empty()),
            spaces.create(ANNA, CreateSpace.shared(".hidden"), WriteOptions.DEFAULT),
            spaces.create(ANNA, CreateSpace.shared("x".repeat(129)), WriteOptions.DEFAULT),
            space.topic("t").pull("s", 1_001, Duration.ZERO),
            space.topic("t").pull("s", 1, Duration.ofSeconds(61)),
            space
                .topic("t")
                .subscribe(
                    "s",
                    new SubscriptionSpec(
                        new SubscriptionSpec.From.Latest(), Optional.empty(), Duration.ZERO, 1)));
    for (int i = 0; i < calls.size(); i++) {
      assertThat(refusal(calls.get(i))).as("call %d", i).isEqualTo(ErrorCode.INVALID_REQUEST);
    }
    assertThat(await(spaces.describe(ANNA, name)).revision()).isZero();
  }

  @Test
  void g11CursorOfAnotherListingIsRefused() {
    for (int i = 0; i < 3; i++) {
      await(space.put(EntryKey.of("a/" + i), Content.text("v")));
    }
    ScanRequest scan = ScanRequest.of(Region.MEMORY, "a/").limit(1);
    String next = await(space.scan(scan)).next().orElseThrow();
    assertThat(refusal(space.scan(scan.direction(Direction.DESCENDING).after(next))))
        .isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(refusal(space.scan(ScanRequest.of(Region.MEMORY, "").after(next))))
        .isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(refusal(space.history(EntryKey.of("a/0"), 1, Optional.of(next))))
        .isEqualTo(ErrorCode.INVALID_REQUEST);
  }

  @Test
  void g11FullQueueRefusesAndTheNodeGoesOn() {
    restart("nucleusmem.memspace { queue-commands-max = 4, commit-commands-max = 2 }");
    List<CompletableFuture<Written>> writes = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      writes.add(space.append(EntryKey.of("log/"), Content.text("" + i)).toCompletableFuture());
    }
    long written = 0;
    for (CompletableFuture<Written> each : writes) {
      try {
        await(each);
        written++;
      } catch (MemSpaceException refused) {
        assertThat(refused.code()).isEqualTo(ErrorCode.BUSY);
      }
    }
    assertThat(await(spaces.describe(ANNA, name)).revision()).isEqualTo(written);
    await(space.put(KEY, Content.text("v")));
    restart("");
  }
}
