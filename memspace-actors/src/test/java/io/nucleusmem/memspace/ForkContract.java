package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
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
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** G2, G4, G7, G9: what a fork shows, keeps and does not inherit; on one scope of the store. */
abstract class ForkContract {
  static final Principal ANNA = Principal.of("anna");
  static final Principal BEN = Principal.of("ben");
  static final AtomicLong AHEAD = new AtomicLong();

  static MemoryStore store;
  static TestNode node;

  MemSpaces spaces;
  String name;
  MountedSpace base;

  static void start(StoreScope scope) {
    AHEAD.set(0);
    store =
        new MemoryStore(
            scope,
            ForkJoinPool.commonPool(),
            () -> System.currentTimeMillis() + AHEAD.get(),
            FaultPlan.NONE,
            Resends.CHECKED);
    node = TestNode.start(store);
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @BeforeEach
  void makeSpace() {
    spaces = node.spaces();
    name = "s-" + UUID.randomUUID();
    CreatedSpace made = await(spaces.create(ANNA, CreateSpace.shared(name), WriteOptions.DEFAULT));
    base = await(spaces.open(ANNA, made.mount().id()));
  }

  // ---- helpers ----

  MountedSpace fork(String space, String fork, ReadAt at) {
    CreatedSpace made =
        await(spaces.forks().fork(ANNA, new ForkRequest(space, fork, at), WriteOptions.DEFAULT));
    return await(spaces.open(ANNA, made.mount().id()));
  }

  MountedSpace fork(ReadAt at) {
    return fork(name, name + "-fork", at);
  }

  static long put(MountedSpace space, String key, String value) {
    return await(space.put(EntryKey.of(key), Content.text(value))).revision();
  }

  static Optional<String> get(MountedSpace space, String key) {
    return await(space.get(EntryKey.of(key))).map(Entry::text);
  }

  /** All entries with their revisions, read in small pages. */
  static Map<String, String> state(MountedSpace space, ReadAt at, Direction direction) {
    Map<String, String> state = new TreeMap<>();
    List<String> order = new ArrayList<>();
    Optional<String> next = Optional.empty();
    do {
      ScanRequest page = ScanRequest.of(Region.MEMORY, "").at(at).limit(2).direction(direction);
      Paged<Entry> found = await(space.scan(next.map(page::after).orElse(page)));
      for (Entry entry : found.items()) {
        state.put(entry.key().name(), entry.text() + "@" + entry.revision());
        order.add(entry.key().name());
      }
      next = found.next();
    } while (next.isPresent());
    List<String> sorted = new ArrayList<>(state.keySet());
    if (direction == Direction.DESCENDING) {
      java.util.Collections.reverse(sorted);
    }
    assertThat(order).isEqualTo(sorted);
    return state;
  }

  static MemSpaceException refused(CompletionStage<?> call) {
    MemSpaceException why = catchThrowableOfType(MemSpaceException.class, () -> await(call));
    if (why == null) {
      throw new AssertionError("the call was not refused");
    }
    return why;
  }

  static void pass(Duration time) {
    long then = Timestamps.millis(await(store.now())) + time.toMillis();
    AHEAD.set(then - System.currentTimeMillis());
    RequestStamp.notBefore(then);
  }

  CompletionStage<Long> compact(String space, long floor) {
    return NucleusMem.get(node.system()).system().compact(space, floor);
  }

  // ---- what a fork shows ----

  @Test
  void g2AForkGoesOnWithTheRevisionsOfItsBase() {
    put(base, "a", "1");
    long at = put(base, "b", "2");
    put(base, "a", "3");
    MountedSpace fork = fork(ReadAt.revision(at));
    SpaceInfo info = await(spaces.describe(ANNA, name + "-fork"));
    assertThat(info.base().orElseThrow().space()).isEqualTo(name);
    assertThat(info.base().orElseThrow().revision()).isEqualTo(at);
    assertThat(info.revision()).isEqualTo(at);
    assertThat(get(fork, "a")).contains("1");
    assertThat(put(fork, "c", "x")).isEqualTo(at + 1);
    assertThat(get(base, "c")).isEmpty();
    assertThat(get(base, "a")).contains("3");
    assertThat(await(fork.get(EntryKey.of("c"), ReadAt.revision(at)))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void g7AForkReadsAsItsBaseDidThenPlusItsOwnWrites(long seed) {
    Random random = new Random(seed);
    List<Map<String, String>> states = new ArrayList<>(); // by revision
    states.add(new TreeMap<>());
    write(base, random, 12, states);
    int depth = 1 + (int) (seed % 3);
    MountedSpace at = base;
    String of = name;
    for (int level = 0; level < depth; level++) {
      long newest = states.size() - 1;
      long from = level == 0 ? random.nextLong(newest + 1) : newest - random.nextLong(3);
      String fork = name + "-" + level;
      at = fork(of, fork, ReadAt.revision(Math.max(from, 0)));
      put(await(spaces.openOnly(ANNA, of)), "later", "not in the fork");
      of = fork;
      states = new ArrayList<>(states.subList(0, (int) Math.max(from, 0) + 1));
      write(at, random, 8, states);
      for (int revision = 1; revision < states.size(); revision++) {
        String why = "seed %d, level %d, revision %d".formatted(seed, level, revision);
        assertThat(state(at, ReadAt.revision(revision), Direction.ASCENDING))
            .as(why)
            .isEqualTo(states.get(revision));
        assertThat(state(at, ReadAt.revision(revision), Direction.DESCENDING))
            .as(why)
            .isEqualTo(states.get(revision));
      }
      assertThat(state(at, ReadAt.LATEST, Direction.ASCENDING))
          .isEqualTo(states.get(states.size() - 1));
      historyAgrees(at, states);
    }
  }

  private static void write(
      MountedSpace space, Random random, int writes, List<Map<String, String>> states) {
    for (int i = 0; i < writes; i++) {
      Map<String, String> state = new TreeMap<>(states.get(states.size() - 1));
      String key = "k" + random.nextInt(5);
      if (state.containsKey(key) && random.nextInt(3) == 0) {
        await(space.delete(EntryKey.of(key)));
        state.remove(key);
      } else {
        long revision = put(space, key, "v" + i);
        state.put(key, "v" + i + "@" + revision);
        assertThat(revision).isEqualTo(states.size());
      }
      states.add(state);
    }
  }

  private static void historyAgrees(MountedSpace space, List<Map<String, String>> states) {
    for (int k = 0; k < 5; k++) {
      EntryKey key = EntryKey.of("k" + k);
      List<String> expected = new ArrayList<>();
      for (int r = states.size() - 1; r > 0; r--) {
        String now = states.get(r).get(key.name());
        String before = states.get(r - 1).get(key.name());
        if (now == null ? before != null : !now.equals(before)) {
          expected.add(now == null ? "deleted@" + r : now);
        }
      }
      List<String> found = new ArrayList<>();
      Optional<String> next = Optional.empty();
      do {
        Paged<Entry> page = await(space.history(key, 2, next));
        for (Entry entry : page.items()) {
          found.add((entry.deleted() ? "deleted" : entry.text()) + "@" + entry.revision());
          assertThat(await(space.pull(key, entry.revision()))).contains(entry);
        }
        next = page.next();
      } while (next.isPresent());
      assertThat(found).as(key.name()).isEqualTo(expected);
    }
  }

  @Test
  void g4ConditionsAndGrowingValuesSeeWhatTheForkInherits() {
    long counter = put(base, "n", "40");
    put(base, "gone", "x");
    await(base.put(EntryKey.of("doc"), Content.json("{\"a\":1}")));
    MountedSpace fork = fork(ReadAt.LATEST);
    put(base, "n", "1000");
    MemSpaceException mismatch =
        refused(fork.putIfRevision(EntryKey.of("n"), Content.text("z"), 0));
    assertThat(mismatch.details()).containsEntry("current_revision", counter);
    assertThat(await(fork.add(EntryKey.of("n"), 2)).results().get(0).value().text())
        .isEqualTo("42");
    await(fork.delete(EntryKey.of("gone")));
    assertThat(get(fork, "gone")).isEmpty();
    assertThat(refused(fork.delete(EntryKey.of("gone"))).code())
        .isEqualTo(ErrorCode.ENTRY_NOT_FOUND);
    await(fork.putIfAbsent(EntryKey.of("gone"), Content.text("back")));
    await(fork.merge(EntryKey.of("doc"), "{\"b\":2}"));
    assertThat(get(fork, "doc")).contains("{\"a\":1,\"b\":2}");
    String appended = await(fork.append(EntryKey.of("log/"), Content.text("1"))).key().name();
    assertThat(appended).endsWith(Long.toString(fork.seen()));
    assertThat(get(base, "doc")).contains("{\"a\":1}");
    assertThat(get(base, "gone")).contains("x");
  }

  @Test
  void claimsFindInheritedEntriesAndAreNotInheritedThemselves() {
    put(base, "job/1", "one");
    put(base, "job/2", "two");
    EntryKey jobs = EntryKey.of("job/");
    await(base.claim(jobs, "in the base", Duration.ofMinutes(1), 1));
    MountedSpace fork = fork(ReadAt.LATEST);
    List<Claim> claims = await(fork.claim(jobs, "in the fork", Duration.ofMinutes(1), 5));
    assertThat(claims).extracting(claim -> claim.entry().text()).containsExactly("one", "two");
    Claim first = claims.get(0);
    await(
        fork.write(
            new Operation.Delete(
                first.entry().key(), OptionalLong.empty(), OptionalLong.of(first.token()))));
    assertThat(get(fork, "job/1")).isEmpty();
    assertThat(get(base, "job/1")).contains("one");
  }

  @Test
  void g5AWatchOfAForkBeginsInItsBase() {
    put(base, "a", "1");
    long at = put(base, "b", "2");
    put(base, "not", "in the fork");
    MountedSpace fork = fork(ReadAt.revision(at));
    put(fork, "c", "3");
    WatchRecorder watch = new WatchRecorder();
    await(fork.watch(WatchRequest.of(Region.MEMORY, "").from(1).withValues(), watch));
    put(fork, "d", "4");
    assertThat(watch.signals(4))
        .extracting(signal -> signal.key().name() + "@" + signal.revision())
        .containsExactly("a@1", "b@" + at, "c@" + (at + 1), "d@" + (at + 2));
  }

  @Test
  void topicsAreTakenAtTheTimeOfTheRevisionAndGoOnInTheFork() {
    MountedTopic topic = base.topic("news");
    await(topic.publish(Content.text("one")));
    await(topic.publish(Content.text("two")));
    long at = put(base, "a", "then");
    await(topic.publish(Content.text("three")));
    await(base.topic("young").publish(Content.text("not there yet")));
    MountedSpace fork = fork(ReadAt.revision(at));
    MountedTopic news = fork.topic("news");
    assertThat(await(news.fetch(MessageRange.all())).items())
        .extracting(message -> message.content().text())
        .containsExactly("one", "two");
    assertThat(await(news.message(2)).orElseThrow().content().text()).isEqualTo("two");
    assertThat(await(fork.topics(10, Optional.empty())).items())
        .extracting(TopicInfo::name, TopicInfo::revision)
        .containsExactly(org.assertj.core.groups.Tuple.tuple("news", 2L));
    assertThat(refused(fork.topic("young").message(1)).code()).isEqualTo(ErrorCode.TOPIC_NOT_FOUND);
    assertThat(await(news.publish(Content.text("other three"))).revision()).isEqualTo(3);
    await(news.subscribe("all", SubscriptionSpec.earliest()));
    assertThat(await(news.pull("all", 10, Duration.ofSeconds(5))))
        .extracting(delivery -> delivery.message().content().text())
        .containsExactly("one", "two", "other three");
    assertThat(await(topic.message(3)).orElseThrow().content().text()).isEqualTo("three");
    MountedSpace second = fork(name + "-fork", name + "-second", ReadAt.LATEST);
    await(news.publish(Content.text("four")));
    assertThat(await(second.topic("news").fetch(MessageRange.all())).items()).hasSize(3);
    await(spaces.delete(ANNA, name + "-second"));
    await(spaces.delete(ANNA, name + "-fork"));
    await(spaces.delete(ANNA, name));
  }

  @Test
  void g7AnInstantBeforeTheForkIsTheBasesPast() {
    put(base, "a", "1");
    java.time.Instant early = Timestamps.instant(await(store.now()));
    pass(Duration.ofSeconds(1));
    put(base, "a", "2");
    MountedSpace fork = fork(ReadAt.LATEST);
    pass(Duration.ofSeconds(1));
    put(fork, "a", "3");
    assertThat(await(fork.get(EntryKey.of("a"), ReadAt.instant(early))).orElseThrow().text())
        .isEqualTo("1");
    MountedSpace then = fork(name, name + "-then", ReadAt.instant(early));
    assertThat(get(then, "a")).contains("1");
  }

  // ---- pins ----

  @Test
  void theBaseKeepsWhatForksAndBookmarksNeed() {
    put(base, "a", "1");
    long at = put(base, "a", "2");
    put(base, "a", "3");
    long newest = put(base, "b", "1");
    MountedSpace fork = fork(ReadAt.revision(at));
    assertThat(refused(spaces.delete(ANNA, name)).code()).isEqualTo(ErrorCode.SPACE_PINNED);
    await(compact(name, newest)); // goes as far as the pin
    assertThat(get(fork, "a")).contains("2");
    assertThat(refused(fork.get(EntryKey.of("a"), ReadAt.revision(1))).code())
        .isEqualTo(ErrorCode.COMPACTED);
    assertThat(
            refused(
                    spaces
                        .forks()
                        .fork(
                            ANNA,
                            new ForkRequest(name, name + "-late", ReadAt.revision(1)),
                            WriteOptions.DEFAULT))
                .code())
        .isEqualTo(ErrorCode.COMPACTED);
    await(spaces.delete(ANNA, name + "-fork"));
    await(spaces.forks().bookmark(base, "here", ReadAt.revision(newest - 1)));
    await(compact(name, newest));
    assertThat(await(base.get(EntryKey.of("a"), ReadAt.bookmark("here"))).orElseThrow().text())
        .isEqualTo("3");
    await(spaces.forks().removeBookmark(base, "here"));
    await(compact(name, newest));
    await(spaces.delete(ANNA, name));
  }

  @Test
  void aDeletionInAForkStillHidesTheBaseAfterTheForkWasCompacted() {
    put(base, "a", "1");
    MountedSpace fork = fork(ReadAt.LATEST);
    await(fork.delete(EntryKey.of("a")));
    long newest = put(fork, "b", "1");
    await(compact(name + "-fork", newest));
    assertThat(get(fork, "a")).isEmpty();
    assertThat(state(fork, ReadAt.LATEST, Direction.ASCENDING)).containsOnlyKeys("b");
  }

  @Test
  void aPinWhoseForkWasNeverMadeGoesAfterAWhileAndTheForkCanNotBeMadeAnyMore() {
    long at = put(base, "a", "1");
    LedgerId never = LedgerId.random();
    MemSpaceClient client = (MemSpaceClient) spaces;
    LedgerId id = SpaceRows.spaceOf(base.mount().id());
    await(
        client.apply(
            id, again -> new ForkChanges.AddPin("anna", base.mount().id(), never, "never", at, 1)));
    assertThat(refused(spaces.delete(ANNA, name)).code()).isEqualTo(ErrorCode.SPACE_PINNED);
    pass(Pins.GRACE.plusSeconds(1));
    await(spaces.delete(ANNA, name));
    ForkOrigin origin =
        new ForkOrigin(
            Base.of(id, at, Base.NONE), new ForkRows.ForkedFrom(name, id.toString(), at, 1));
    assertThat(
            refused(client.create(ANNA, CreateSpace.shared("never"), "anna", null, never, origin))
                .code())
        .isEqualTo(ErrorCode.UNAVAILABLE);
  }

  // ---- who may, and how often ----

  @Test
  void g9ForkingTakesAMountOfAllThatIsForked() {
    put(base, "secret", "x");
    ForkRequest bens = new ForkRequest(name, name + "-bens", ReadAt.LATEST);
    Forks forks = spaces.forks();
    assertThat(refused(forks.fork(BEN, bens, WriteOptions.DEFAULT)).code())
        .isEqualTo(ErrorCode.FORBIDDEN);
    await(
        spaces.mount(
            BEN,
            name,
            new MountRequest(
                "ben", Access.READ_ONLY, java.util.Set.of(), List.of("p/"), java.util.Set.of())));
    assertThat(refused(forks.fork(BEN, bens, WriteOptions.DEFAULT)).code())
        .isEqualTo(ErrorCode.FORBIDDEN);
    await(spaces.mount(BEN, name, MountRequest.of("ben", Access.READ_ONLY)));
    CreatedSpace made = await(forks.fork(BEN, bens, WriteOptions.DEFAULT));
    assertThat(made.space().owner()).isEqualTo("ben");
    MountedSpace fork = await(spaces.open(BEN, made.mount().id()));
    assertThat(get(fork, "secret")).contains("x");
    assertThat(refused(spaces.openOnly(ANNA, name + "-bens")).code())
        .isEqualTo(ErrorCode.MOUNT_REQUIRED);
  }

  @Test
  void g4AForkThatIsAskedForTwiceIsMadeOnceAndPinnedOnce() {
    put(base, "a", "1");
    WriteOptions once = WriteOptions.id("request-" + UUID.randomUUID());
    ForkRequest request = new ForkRequest(name, name + "-fork", ReadAt.LATEST);
    CreatedSpace first = await(spaces.forks().fork(ANNA, request, once));
    assertThat(await(spaces.forks().fork(ANNA, request, once)).mount()).isEqualTo(first.mount());
    assertThat(refused(spaces.forks().fork(ANNA, request, WriteOptions.DEFAULT)).code())
        .isEqualTo(ErrorCode.SPACE_EXISTS);
    await(spaces.delete(ANNA, name + "-fork"));
    await(spaces.delete(ANNA, name));
  }

  @Test
  void g11AChainOfForksHasALimit() {
    put(base, "a", "1");
    String of = name;
    for (int i = 0; i < Base.LAYERS_MAX; i++) {
      MountedSpace fork = fork(of, name + "-" + i, ReadAt.LATEST);
      of = name + "-" + i;
      put(fork, "k" + i, "own");
      assertThat(get(fork, "a")).contains("1");
    }
    assertThat(
            refused(
                    spaces
                        .forks()
                        .fork(
                            ANNA,
                            new ForkRequest(of, name + "-x", ReadAt.LATEST),
                            WriteOptions.DEFAULT))
                .code())
        .isEqualTo(ErrorCode.FORKS_TOO_DEEP);
    assertThat(state(await(spaces.openOnly(ANNA, of)), ReadAt.LATEST, Direction.ASCENDING))
        .hasSize(Base.LAYERS_MAX + 1);
  }

  @Test
  void whatIsOlderThanAForkIsRefusedWhereItWouldHaveToBePinned() {
    put(base, "a", "1");
    put(base, "a", "2");
    MountedSpace fork = fork(ReadAt.LATEST);
    assertThat(
            refused(
                    spaces
                        .forks()
                        .fork(
                            ANNA,
                            new ForkRequest(name + "-fork", name + "-x", ReadAt.revision(1)),
                            WriteOptions.DEFAULT))
                .code())
        .isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(refused(spaces.forks().bookmark(fork, "old", ReadAt.revision(1))).code())
        .isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(refused(spaces.forks().bookmark(fork, "old", ReadAt.revision(99))).code())
        .isEqualTo(ErrorCode.AS_OF_IN_FUTURE);
    assertThat(refused(fork.get(EntryKey.of("a"), ReadAt.bookmark("none"))).code())
        .isEqualTo(ErrorCode.BOOKMARK_NOT_FOUND);
  }
}
