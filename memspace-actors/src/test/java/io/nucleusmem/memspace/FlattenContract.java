package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static io.nucleusmem.memspace.TestNode.eventually;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.ForkReader;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.LedgerPast;
import io.nucleusmem.ledger.Pace;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.memory.FaultPlan;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** G2, G7: a fork that gets copies of its own reads as before; on one scope of the store. */
abstract class FlattenContract {
  private static final Principal ANNA = Principal.of("anna");
  private static final AtomicLong AHEAD = new AtomicLong();
  private static final Duration RELEASED = ForkReader.RELEASED_AFTER.plusSeconds(1);

  private static KvStore store;
  private static Consumer<Duration> clock; // puts the store's time forward
  private static long[] seeds;
  private static AutoCloseable below; // what the store runs on
  private static TestNode node;

  private MemSpaces spaces;
  private String name;
  private MountedSpace base;

  static void start(StoreScope scope) {
    AHEAD.set(0);
    MemoryStore memory =
        new MemoryStore(
            scope,
            ForkJoinPool.commonPool(),
            () -> System.currentTimeMillis() + AHEAD.get(),
            FaultPlan.NONE,
            Resends.CHECKED);
    start(memory, time -> AHEAD.addAndGet(time.toMillis()), () -> {}, 1, 2, 3);
  }

  /**
   * Starts a node on a store.
   *
   * @param forward puts the store's time forward
   * @param runsOn closed behind the store
   * @param histories seeds of those that are tried: on a slow store fewer
   */
  static void start(
      KvStore on, Consumer<Duration> forward, AutoCloseable runsOn, long... histories) {
    seeds = histories;
    store = on;
    clock = forward;
    below = runsOn;
    node = TestNode.start(store, "nucleusmem.forks.flatten-over = 2");
  }

  @AfterAll
  static void stop() throws Exception {
    node.close();
    store.close();
    below.close();
  }

  @BeforeEach
  void makeSpace() {
    spaces = node.spaces();
    name = "s-" + UUID.randomUUID();
    CreatedSpace made = await(spaces.create(ANNA, CreateSpace.shared(name), WriteOptions.DEFAULT));
    base = await(spaces.open(ANNA, made.mount().id()));
  }

  // ---- helpers ----

  private MountedSpace fork(String space, String fork, ReadAt at) {
    CreatedSpace made =
        await(spaces.forks().fork(ANNA, new ForkRequest(space, fork, at), WriteOptions.DEFAULT));
    return await(spaces.open(ANNA, made.mount().id()));
  }

  private MountedSpace open(String space) {
    return await(spaces.openOnly(ANNA, space));
  }

  private static LedgerId id(MountedSpace space) {
    return SpaceRows.spaceOf(space.mount().id());
  }

  private static long put(MountedSpace space, String key, String value) {
    return await(space.put(EntryKey.of(key), Content.text(value))).revision();
  }

  private static Optional<String> get(MountedSpace space, String key) {
    return await(space.get(EntryKey.of(key))).map(Entry::text);
  }

  private static MemSpaceException refused(CompletionStage<?> call) {
    MemSpaceException why = catchThrowableOfType(MemSpaceException.class, () -> await(call));
    assertThat(why).isNotNull();
    return why;
  }

  private static void pass(Duration time) {
    clock.accept(time);
    RequestStamp.notBefore(Timestamps.millis(await(store.now())));
  }

  private static MemSpaceSystem system() {
    return NucleusMem.get(node.system()).system();
  }

  private static Base standsOn(MountedSpace space) {
    return await(Base.find(store, id(space)));
  }

  private void flatten(String space) {
    ended(await(system().keeping().flatten(ANNA, space)));
  }

  private static OperationInfo ended(OperationInfo operation) {
    Operations operations = system().operations();
    eventually(
        () -> await(operations.get(ANNA, operation.id())).state() != OperationInfo.State.RUNNING);
    OperationInfo ended = await(operations.get(ANNA, operation.id()));
    assertThat(ended.error()).isEmpty();
    return ended;
  }

  /** Runs a flattening that is cut short after some pages; true if it came to its end. */
  private static boolean flattenUntil(MountedSpace space, int pages) {
    AtomicInteger told = new AtomicInteger();
    CompletionStage<?> run =
        ((SpaceKeepingClient) system().keeping())
            .flattening()
            .run(
                id(space),
                (what, value) -> {
                  if (told.incrementAndGet() == pages) {
                    throw new IllegalStateException("a crash");
                  }
                });
    return catchThrowable(() -> await(run)) == null;
  }

  /** Everything that can be read of a space, in words. */
  private static List<String> past(MountedSpace space, List<Instant> instants, long newest) {
    List<String> past = reads(space, instants, newest);
    WatchRecorder watch = new WatchRecorder();
    Watch watching =
        await(space.watch(WatchRequest.of(Region.MEMORY, "").from(1).withValues(), watch));
    int writes = (int) past.stream().filter(line -> line.startsWith("pulled")).count();
    watch
        .signals(writes)
        .forEach(signal -> past.add(signal.key() + "@" + signal.revision() + " " + signal.at()));
    watching.close();
    return past;
  }

  private static List<String> reads(MountedSpace space, List<Instant> instants, long newest) {
    List<String> past = new ArrayList<>();
    for (long revision = 0; revision <= newest; revision++) {
      past.add(revision + ": " + state(space, ReadAt.revision(revision)));
    }
    for (Instant instant : instants) {
      past.add(instant + ": " + state(space, ReadAt.instant(instant)));
    }
    past.add("now: " + state(space, ReadAt.LATEST));
    for (int k = 0; k < 5; k++) {
      EntryKey key = EntryKey.of("k" + k);
      for (Entry entry : await(space.history(key, 100, Optional.empty())).items()) {
        past.add(entry.toString());
        past.add("pulled " + await(space.pull(key, entry.revision())).orElseThrow());
      }
    }
    for (TopicInfo topic : await(space.topics(10, Optional.empty())).items()) {
      past.add(topic.name()); // instants that are closed may take revisions
      past.add(await(space.topic(topic.name()).fetch(MessageRange.all())).items().toString());
    }
    return past;
  }

  private static String state(MountedSpace space, ReadAt at) {
    try {
      return ForkContract.state(space, at, Direction.ASCENDING).toString();
    } catch (MemSpaceException why) {
      return why.code() + " " + why.details();
    }
  }

  private static void write(MountedSpace space, Random random, int writes, List<Instant> instants) {
    for (int i = 0; i < writes; i++) {
      String key = "k" + random.nextInt(5);
      if (get(space, key).isPresent() && random.nextInt(3) == 0) {
        await(space.delete(EntryKey.of(key)));
      } else {
        put(space, key, "v" + i);
      }
      if (random.nextInt(3) == 0) {
        await(space.topic("t" + random.nextInt(2)).publish(Content.text("m" + i)));
      }
      if (random.nextInt(3) == 0) {
        instants.add(Timestamps.instant(await(store.now())));
        pass(Duration.ofMillis(2));
      }
    }
  }

  // ---- tests ----

  static LongStream seeds() {
    return Arrays.stream(seeds);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void g7AForkReadsTheSameBeforeDuringAndAfter(long seed) {
    Random random = new Random(seed);
    List<Instant> instants = new ArrayList<>();
    write(base, random, 20, instants);
    MountedSpace at = base;
    String of = name;
    int depth = 1 + (int) (seed % 3);
    for (int level = 1; level <= depth; level++) {
      long newest = await(spaces.describe(ANNA, of)).revision();
      long from = Math.max(newest - random.nextInt(4), at == base ? 0 : newest - 3);
      at = fork(of, name + "-" + level, ReadAt.revision(from));
      write(open(of), random, 3, instants);
      of = name + "-" + level;
      write(at, random, 9, instants);
    }
    String below = name + "-below"; // made before: it stands on the fork, and through it on others
    MountedSpace descendant = fork(of, below, ReadAt.LATEST);
    write(descendant, random, 4, instants);
    long newest = await(spaces.describe(ANNA, of)).revision();
    List<String> before = past(at, instants, newest);
    List<String> before2 = past(descendant, instants, newest + 2);
    for (int pages = 1; !flattenUntil(at, pages); pages++) {
      assertThat(standsOn(at).isOwn()).isFalse();
      if (pages % 3 == 1) {
        assertThat(past(open(of), instants, newest))
            .as("seed %d, %d", seed, pages)
            .isEqualTo(before);
      }
    }
    assertThat(standsOn(at).isOwn()).isTrue();
    assertThat(standsOn(at).layers()).hasSize(1);
    assertThat(past(at, instants, newest)).as("seed %d, old reader", seed).isEqualTo(before);
    assertThat(past(open(of), instants, newest)).as("seed %d, new", seed).isEqualTo(before);
    // what it stood on goes
    pass(RELEASED);
    for (int level = depth - 1; level >= 0; level--) {
      await(spaces.delete(ANNA, level == 0 ? name : name + "-" + level));
    }
    assertThat(past(open(of), instants, newest)).as("seed %d, alone", seed).isEqualTo(before);
    assertThat(past(open(below), instants, newest + 2)).as("seed %d", seed).isEqualTo(before2);
    assertThat(
            refused(
                    spaces
                        .forks()
                        .fork(
                            ANNA,
                            new ForkRequest(name, name + "-x", ReadAt.LATEST),
                            WriteOptions.DEFAULT))
                .code())
        .isEqualTo(ErrorCode.SPACE_NOT_FOUND);
    // and it can be forked again
    MountedSpace next = fork(of, name + "-next", ReadAt.LATEST);
    assertThat(standsOn(next).layers()).hasSize(2);
    assertThat(past(next, instants, newest)).as("seed %d, forked", seed).isEqualTo(before);
    put(next, "k0", "on");
    flatten(name + "-next");
    assertThat(standsOn(next).layers()).hasSize(1);
    assertThat(get(open(name + "-next"), "k0")).contains("on");
  }

  @Test
  void g7WhatCompactionHasTakenFromALayerIsRefusedAsBeforeAndWhatIsBelowIsNot() {
    List<Instant> instants = new ArrayList<>();
    Random random = new Random(7);
    write(base, random, 12, instants);
    String middle = name + "-middle";
    MountedSpace second = fork(name, middle, ReadAt.LATEST);
    long from = await(spaces.describe(ANNA, middle)).revision();
    write(second, random, 12, instants);
    MountedSpace fork = fork(middle, name + "-fork", ReadAt.LATEST);
    write(fork, random, 3, instants);
    await(system().compact(middle, from + 6));
    long newest = await(spaces.describe(ANNA, name + "-fork")).revision();
    List<String> before = reads(fork, List.of(), newest).subList(0, (int) newest + 1);
    assertThat(before).anyMatch(line -> line.contains("COMPACTED"));
    flatten(name + "-fork");
    assertThat(standsOn(fork).layers()).hasSize(2);
    assertThat(reads(open(name + "-fork"), List.of(), newest).subList(0, (int) newest + 1))
        .isEqualTo(before);
  }

  @Test
  void aBaseThatIsCompactedMeanwhileMakesNoDifference() {
    List<Instant> instants = new ArrayList<>();
    write(base, new Random(9), 30, instants);
    long at = await(spaces.describe(ANNA, name)).revision();
    MountedSpace fork = fork(name, name + "-fork", ReadAt.LATEST);
    assertThat(flattenUntil(fork, 3)).isFalse();
    await(system().compact(name, at - 2));
    List<String> before = reads(fork, instants, at);
    flatten(name + "-fork");
    assertThat(reads(open(name + "-fork"), instants, at)).isEqualTo(before);
  }

  @Test
  void whatIsErasedWhileItIsCopiedIsErasedInTheCopyToo() {
    Content secret = Content.text("secret-1").withMetadata(Map.of("subject", "p7"));
    for (int i = 0; i < 30; i++) {
      await(base.put(EntryKey.of("k" + i), i % 2 == 0 ? secret : Content.text("other")));
      await(base.topic("t").publish(i % 2 == 0 ? secret : Content.text("other")));
    }
    MountedSpace fork = fork(name, name + "-fork", ReadAt.LATEST);
    assertThat(flattenUntil(fork, 3)).isFalse();
    OperationInfo erasing =
        await(
            system()
                .keeping()
                .erase(ANNA, name, new SpaceKeeping.Erasable.Subject("p7"), "asked to"));
    assertThat(refused(fork.get(EntryKey.of("k2"))).code()).isEqualTo(ErrorCode.ERASED);
    ended(erasing);
    assertThat(rowsWith("secret-1")).isZero();
    flatten(name + "-fork");
    MountedSpace after = open(name + "-fork");
    assertThat(refused(after.get(EntryKey.of("k2"))).code()).isEqualTo(ErrorCode.ERASED);
    assertThat(refused(after.topic("t").message(1)).code()).isEqualTo(ErrorCode.ERASED);
    assertThat(get(after, "k3")).contains("other");
    assertThat(rowsWith("secret-1")).isZero();
  }

  @Test
  void aRunWhosePermitWasTakenAwayWritesNothing() {
    for (int i = 0; i < 10; i++) {
      put(base, "k" + i, "v");
    }
    MountedSpace fork = fork(name, name + "-fork", ReadAt.LATEST);
    MemSpaceClient client = (MemSpaceClient) spaces;
    Bytes token = Bytes.utf8("a token of a run");
    await(client.apply(id(fork), again -> new ForkChanges.BeginCopying("forks", token)));
    ended(
        await(
            system()
                .keeping()
                .erase(
                    ANNA,
                    name,
                    new SpaceKeeping.Erasable.Keys(Region.MEMORY, List.of("k3")),
                    "asked to")));
    Bytes permit = LedgerKeys.state(id(fork), ForkRows.copyingKey(token));
    LedgerPast late = new LedgerPast(store, id(fork), permit, new Pace(100_000), rows -> {});
    assertThat(catchThrowable(() -> await(late.run()))).isInstanceOf(LedgerPast.Stopped.class);
    assertThat(await(LedgerPast.of(store, id(fork)))).isEmpty();
    assertThat(get(fork, "k2")).contains("v");
  }

  @Test
  void anErasureReachesCopiesWhoseSpacesWereForkedInBetweenAndAreGone() {
    Content secret = Content.text("secret-2").withMetadata(Map.of("subject", "p8"));
    await(base.put(EntryKey.of("k"), secret));
    await(base.topic("t").publish(secret));
    fork(name, name + "-middle", ReadAt.LATEST);
    MountedSpace fork = fork(name + "-middle", name + "-fork", ReadAt.LATEST);
    MountedSpace next = fork(name + "-fork", name + "-next", ReadAt.LATEST);
    flatten(name + "-fork");
    flatten(name + "-next");
    pass(RELEASED);
    await(spaces.delete(ANNA, name + "-middle"));
    assertThat(get(open(name + "-fork"), "k")).contains("secret-2");
    await(spaces.delete(ANNA, name + "-fork"));
    assertThat(get(open(name + "-next"), "k")).contains("secret-2");
    ended(
        await(
            system()
                .keeping()
                .erase(ANNA, name, new SpaceKeeping.Erasable.Subject("p8"), "asked to")));
    MountedSpace after = open(name + "-next");
    assertThat(refused(after.get(EntryKey.of("k"))).code()).isEqualTo(ErrorCode.ERASED);
    assertThat(refused(after.topic("t").message(1)).code()).isEqualTo(ErrorCode.ERASED);
    assertThat(rowsWith("secret-2")).isZero();
    assertThat(List.of(fork.mount().space(), next.mount().space())).doesNotContain(name);
  }

  private static long rowsWith(String text) {
    return rows(KeyRange.ALL).stream()
        .filter(row -> new String(row.value().toArray(), ISO_8859_1).contains(text))
        .count();
  }

  @Test
  void diffAndMergeAreTheSameAcrossAFlattening() {
    put(base, "same", "1");
    put(base, "changed", "1");
    put(base, "gone", "1");
    MountedSpace fork = fork(name, name + "-fork", ReadAt.LATEST);
    put(fork, "changed", "2");
    put(fork, "new", "1");
    await(fork.delete(EntryKey.of("gone")));
    put(base, "there", "1");
    Diff before = await(spaces.forks().diff(DiffRequest.of(base, fork)));
    flatten(name + "-fork");
    MountedSpace after = open(name + "-fork");
    assertThat(await(spaces.forks().diff(DiffRequest.of(base, after))).items())
        .isEqualTo(before.items());
    assertThat(await(spaces.forks().diff(DiffRequest.of(after, base))).items())
        .isEqualTo(before.items());
    await(spaces.forks().merge(new MergeRequest(after, base, MergePolicy.FAIL, Map.of())));
    assertThat(ForkContract.state(base, ReadAt.LATEST, Direction.ASCENDING).keySet())
        .containsExactly("changed", "new", "same", "there");
    assertThat(get(base, "changed")).contains("2");
  }

  @Test
  void longChainsAreFlattenedAndPinsLeftBehindGoInTheBackground() {
    put(base, "a", "1");
    String of = name;
    for (int i = 0; i < 5; i++) {
      put(fork(of, name + "-" + i, ReadAt.LATEST), "k" + i, "own");
      of = name + "-" + i;
    }
    MemSpaceClient client = (MemSpaceClient) spaces;
    await(
        client.apply(
            id(base),
            again ->
                new ForkChanges.AddPin(
                    "anna", base.mount().id(), LedgerId.random(), "never", 1, 1)));
    MountedSpace deepest = open(of);
    assertThat(standsOn(deepest).layers()).hasSize(5);
    for (int round = 0; round < 3; round++) {
      await(system().lookAfterForks());
    }
    eventually(() -> standsOn(deepest).layers().size() <= 2);
    assertThat(ForkContract.state(open(of), ReadAt.LATEST, Direction.ASCENDING)).hasSize(6);
    assertThat(pins(base)).isEqualTo(2);
    pass(RELEASED);
    await(system().lookAfterForks());
    assertThat(pins(base)).isEqualTo(1); // the first fork stands on it
  }

  private static long pins(MountedSpace space) {
    return await(new io.nucleusmem.ledger.LedgerReader(store, id(space)).state()).keySet().stream()
        .filter(key -> key.table() == SpaceRows.PINS)
        .count();
  }

  @Test
  void retentionTakesFromTheCopiesAndADeletionAllOfThem() {
    for (int i = 0; i < 20; i++) {
      put(base, "a", "v" + i);
    }
    MountedSpace fork = fork(name, name + "-fork", ReadAt.LATEST);
    put(fork, "a", "own");
    flatten(name + "-fork");
    LedgerId copy = standsOn(fork).layers().get(0).id();
    long rows = rowsOf(copy);
    assertThat(rows).isGreaterThan(40);
    long newest = await(spaces.describe(ANNA, name + "-fork")).revision();
    await(system().compact(name + "-fork", newest));
    pass(node(newest));
    await(system().compact(name + "-fork", newest));
    assertThat(rowsOf(copy)).isLessThan(rows - 18);
    MountedSpace after = open(name + "-fork");
    assertThat(get(after, "a")).contains("own");
    assertThat(refused(after.get(EntryKey.of("a"), ReadAt.revision(3))).code())
        .isEqualTo(ErrorCode.COMPACTED);
    await(spaces.delete(ANNA, name + "-fork"));
    assertThat(rowsOf(copy)).isLessThanOrEqualTo(1);
    await(spaces.delete(ANNA, name));
  }

  /** Longer than the window of request ids, for which log rows stay. */
  private static Duration node(long any) {
    return Duration.ofMinutes(11).plusMillis(any);
  }

  private static long rowsOf(LedgerId id) {
    return rows(LedgerKeys.all(id)).size();
  }

  private static List<Row> rows(KeyRange range) {
    List<Row> rows = new ArrayList<>();
    Optional<KeyRange> rest = Optional.of(range);
    while (rest.isPresent()) {
      Page page = await(store.scan(rest.get(), 1_000, Direction.ASCENDING));
      rows.addAll(page.rows());
      rest = page.rest();
    }
    return rows;
  }

  @Test
  void aSpaceThatIsNoForkStaysAsItIsAndTopicsOfAForkAreCompactedToo() {
    put(base, "a", "1");
    long revision = await(spaces.describe(ANNA, name)).revision();
    flatten(name);
    assertThat(await(spaces.describe(ANNA, name)).revision()).isEqualTo(revision);
    for (int i = 0; i < 6; i++) {
      await(base.topic("t").publish(Content.text("m" + i)));
    }
    MountedSpace fork = fork(name, name + "-fork", ReadAt.LATEST);
    await(fork.topic("t").publish(Content.text("own 1")));
    await(fork.topic("t").publish(Content.text("own 2")));
    await(
        spaces.update(
            ANNA,
            name + "-fork",
            new UpdateSpace(
                Optional.empty(),
                Optional.of(
                    new Retention(Optional.empty(), OptionalLong.of(1), OptionalLong.empty())),
                Optional.empty())));
    OperationInfo done =
        ended(await(system().keeping().compact(ANNA, name + "-fork", OptionalLong.empty(), false)));
    assertThat(done.result().get("topics").toString()).contains("topic=t").contains("messages=1");
    assertThat(await(fork.topic("t").message(8)).orElseThrow().content().text()).isEqualTo("own 2");
    assertThat(await(base.topic("t").message(3)).orElseThrow().content().text()).isEqualTo("m2");
  }
}
