package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.FaultPlan;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** G7: retention takes what its policy lets go, and changes nothing of what can be read after. */
class RetentionTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final Principal BEN = Principal.of("ben");
  private static final String FAST = "nucleusmem.retention.rows-per-second = 10000000\n";

  private final AtomicLong ahead = new AtomicLong();
  private TestNode node;
  private MemSpaces spaces;
  private String name;
  private MountedSpace space;

  private void start(StoreScope scope, Retention retention, String... config) {
    MemoryStore store =
        new MemoryStore(
            scope,
            ForkJoinPool.commonPool(),
            () -> System.currentTimeMillis() + ahead.get(),
            FaultPlan.NONE,
            Resends.CHECKED);
    node = TestNode.start(store, FAST + String.join("\n", config));
    spaces = node.spaces();
    name = "s-" + UUID.randomUUID();
    CreateSpace request =
        new CreateSpace(name, SpaceKind.SHARED, Optional.empty(), Map.of(), retention);
    CreatedSpace created = await(spaces.create(ANNA, request, WriteOptions.DEFAULT));
    space = await(spaces.open(ANNA, created.mount().id()));
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private void pass(long millis) {
    RequestStamp.notBefore(System.currentTimeMillis() + ahead.addAndGet(millis));
  }

  private OperationInfo compact(boolean dry) {
    Operations operations = NucleusMem.get(node.system()).operations();
    String id =
        await(
                NucleusMem.get(node.system())
                    .keeping()
                    .compact(ANNA, name, OptionalLong.empty(), dry))
            .id();
    TestNode.eventually(
        () -> await(operations.get(ANNA, id)).state() != OperationInfo.State.RUNNING);
    OperationInfo ended = await(operations.get(ANNA, id));
    assertThat(ended.error()).isEmpty();
    return ended;
  }

  private static long number(OperationInfo operation, String field) {
    return ((Number) operation.result().get(field)).longValue();
  }

  private long put(String key, String value) {
    return await(space.put(EntryKey.of(key), Content.text(value))).revision();
  }

  private List<Long> history(String key) {
    return await(space.history(EntryKey.of(key), 1_000, Optional.empty())).items().stream()
        .map(Entry::revision)
        .toList();
  }

  private static MemSpaceException refusal(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return catchThrowableOfType(MemSpaceException.class, call);
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void byCountTheNewestVersionsOfAKeyStay(StoreScope scope) {
    start(scope, new Retention(Optional.empty(), OptionalLong.of(2)));
    put("rare", "x");
    long rare = put("rare", "y");
    List<Long> often = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      often.add(put("often", "v" + i));
    }
    OperationInfo plan = compact(true);
    assertThat(number(plan, "versions")).isEqualTo(4);
    assertThat(history("often")).as("a dry run changes nothing").hasSize(6);

    OperationInfo done = compact(false);
    assertThat(done.result().get("floor")).isEqualTo(plan.result().get("floor"));
    assertThat(number(done, "versions")).isEqualTo(4);
    assertThat(history("often")).containsExactly(often.get(5), often.get(4));
    assertThat(history("rare")).as("has no more than two").hasSize(2).contains(rare);
    assertThat(await(space.get(EntryKey.of("often"), ReadAt.revision(often.get(4)))))
        .get()
        .extracting(Entry::text)
        .isEqualTo("v4");
    assertThat(refusal(() -> await(space.get(EntryKey.of("often"), ReadAt.revision(often.get(3))))))
        .isInstanceOfSatisfying(
            MemSpaceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.COMPACTED));
    assertThat(refusal(() -> await(space.pull(EntryKey.of("often"), often.get(0)))))
        .isInstanceOf(CompactedException.class);
    assertThat(number(compact(true), "versions")).as("all is done").isZero();
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void byAgeWhatWasSupersededLongAgoGoes(StoreScope scope) {
    start(scope, new Retention(Optional.of(Duration.ofHours(1)), OptionalLong.empty()));
    put("a", "1");
    put("gone", "1");
    await(space.delete(EntryKey.of("gone")));
    long last = put("a", "2");
    pass(Duration.ofHours(2).toMillis());
    long now = put("a", "3");
    compact(false);
    assertThat(history("a")).containsExactly(now, last);
    assertThat(history("gone")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void byBytesTheOldestGoUntilTheRestFits(StoreScope scope) {
    start(scope, new Retention(Optional.empty(), OptionalLong.empty(), OptionalLong.of(3_000)));
    for (int i = 0; i < 20; i++) {
      put("k" + i % 2, "x".repeat(500));
    }
    compact(false);
    assertThat(history("k0").size() + history("k1").size()).isBetween(2, 6);
    assertThat(await(space.get(EntryKey.of("k0")))).isPresent();
    assertThat(await(space.get(EntryKey.of("k1")))).isPresent();
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void topicsFollowAndKeepWhatASubscriptionHasNotAcknowledged(StoreScope scope) {
    start(scope, new Retention(Optional.empty(), OptionalLong.of(2)));
    MountedTopic free = space.topic("free");
    MountedTopic held = space.topic("held");
    await(
        held.subscribe(
            "s",
            new SubscriptionSpec(
                new SubscriptionSpec.From.Earliest(), Optional.empty(), Duration.ofMinutes(1), 5)));
    for (int i = 1; i <= 5; i++) {
      await(free.publish(Content.text("f" + i), Optional.empty(), WriteOptions.DEFAULT));
      await(held.publish(Content.text("h" + i), Optional.empty(), WriteOptions.DEFAULT));
    }
    await(held.pull("s", 1, Duration.ZERO));
    await(held.ack("s", List.of(1L)));
    TestNode.eventually(() -> await(held.subscription("s")).cursor() == 1);
    TestNode.eventually(
        () -> { // the acknowledgement is written a moment after it was taken
          compact(false);
          return await(held.fetch(all())).items().size() == 4;
        });
    assertThat(await(free.fetch(all())).items())
        .extracting(message -> message.content().text())
        .containsExactly("f4", "f5");
    assertThat(await(held.fetch(all())).items()).hasSize(4);
    assertThat(refusal(() -> await(free.message(1)))).isInstanceOf(CompactedException.class);
    assertThat(
            refusal(
                () ->
                    await(
                        free.fetch(
                            new MessageRange(
                                Optional.of(new MessageRange.Bound.Revision(1)),
                                Optional.empty(),
                                Direction.ASCENDING,
                                true,
                                10,
                                Optional.empty())))))
        .isInstanceOf(CompactedException.class);
  }

  private static MessageRange all() {
    return MessageRange.all();
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void neverPassesAPin(StoreScope scope) {
    start(scope, new Retention(Optional.empty(), OptionalLong.of(1)));
    for (int i = 0; i < 4; i++) {
      put("a", "v" + i);
    }
    await(spaces.forks().bookmark(space, "here", ReadAt.revision(2)));
    await(space.topic("t").publish(Content.text("m1"), Optional.empty(), WriteOptions.DEFAULT));
    await(space.topic("t").publish(Content.text("m2"), Optional.empty(), WriteOptions.DEFAULT));
    OperationInfo done = compact(false);
    assertThat(number(done, "floor")).isEqualTo(2);
    assertThat(number(done, "held_at")).isEqualTo(2);
    assertThat(await(space.get(EntryKey.of("a"), ReadAt.revision(2))).orElseThrow().text())
        .isEqualTo("v1");
    assertThat(await(space.topic("t").fetch(MessageRange.all())).items()).hasSize(2);
    await(spaces.forks().removeBookmark(space, "here"));
    assertThat(number(compact(false), "floor")).isEqualTo(4);
    assertThat(await(space.topic("t").fetch(MessageRange.all())).items()).hasSize(1);
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void happensByItself(StoreScope scope) {
    start(
        scope,
        new Retention(Optional.empty(), OptionalLong.of(1)),
        "nucleusmem.retention.interval = 50ms");
    for (int i = 0; i < 5; i++) {
      put("a", "v" + i);
    }
    TestNode.eventually(() -> history("a").size() == 1);
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void isForOwners(StoreScope scope) {
    start(scope, Retention.KEEP_ALL);
    SpaceKeeping keeping = NucleusMem.get(node.system()).keeping();
    assertThat(refusal(() -> await(keeping.compact(BEN, name, OptionalLong.empty(), true))))
        .isInstanceOfSatisfying(
            MemSpaceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_OWNER));
    assertThat(refusal(() -> await(keeping.compact(ANNA, "none", OptionalLong.empty(), true))))
        .isInstanceOfSatisfying(
            MemSpaceException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.SPACE_NOT_FOUND));
    put("a", "1");
    put("a", "2");
    assertThat(number(compact(false), "versions")).as("the default keeps all").isZero();
  }

  @ParameterizedTest
  @CsvSource({"ALL,1", "REGION,2", "ALL,3", "REGION,4"})
  void neverChangesWhatIsAtOrAboveTheFloor(StoreScope scope, long seed) {
    Random random = new Random(seed);
    Retention[] policies = {
      new Retention(Optional.empty(), OptionalLong.of(1 + random.nextInt(3))),
      new Retention(
          Optional.empty(), OptionalLong.empty(), OptionalLong.of(1_000 + random.nextInt(3_000))),
      new Retention(Optional.of(Duration.ofMinutes(20)), OptionalLong.of(4))
    };
    start(scope, policies[random.nextInt(policies.length)]);
    List<Map<String, String>> states = new ArrayList<>(); // by revision
    states.add(Map.of());
    TreeMap<String, String> state = new TreeMap<>();
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 30; i++) {
        String key = "k" + random.nextInt(6);
        pass(random.nextInt(60_000));
        long revision;
        if (random.nextInt(4) == 0 && state.containsKey(key)) {
          revision = await(space.delete(EntryKey.of(key))).revision();
          state.remove(key);
        } else {
          String value = "v".repeat(random.nextInt(100)) + i;
          revision = put(key, value);
          state.put(key, value);
        }
        while (states.size() < revision) {
          states.add(states.get(states.size() - 1)); // the space's own revisions change no entry
        }
        states.add(Map.copyOf(state));
      }
      OperationInfo done = compact(false);
      long floor = number(done, "floor");
      for (int revision = (int) Math.max(floor, 1); revision < states.size(); revision++) {
        Map<String, String> found = new TreeMap<>();
        ScanRequest request = ScanRequest.of(Region.MEMORY, "").at(ReadAt.revision(revision));
        await(space.scan(request))
            .items()
            .forEach(entry -> found.put(entry.key().name(), entry.text()));
        assertThat(found)
            .as("seed %d, round %d, revision %d, floor %d", seed, round, revision, floor)
            .isEqualTo(states.get(revision));
      }
    }
  }
}
