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
import java.time.Instant;
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
  @ValueSource(longs = {1, 2, 3})
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
    Instant early = Timestamps.instant(await(store.now()));
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
        new ForkOrigin(Base.of(id, at, Base.NONE), ForkRows.ForkedFrom.of(id, name, at, 1));
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
        .isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(refused(spaces.forks().bookmark(fork, "none")).code())
        .isEqualTo(ErrorCode.BOOKMARK_NOT_FOUND);
  }

  // ---- differences and merges ----

  private static Map<String, String> values(MountedSpace space) {
    Map<String, String> values = new TreeMap<>();
    state(space, ReadAt.LATEST, Direction.ASCENDING)
        .forEach((key, value) -> values.put(key, value.substring(0, value.indexOf('@'))));
    return values;
  }

  private List<Difference> differences(DiffRequest request) {
    List<Difference> all = new ArrayList<>();
    Optional<String> next = Optional.empty();
    do {
      DiffRequest page = request.limit(2);
      Diff found = await(spaces.forks().diff(next.map(page::after).orElse(page)));
      all.addAll(found.items());
      next = found.next();
    } while (next.isPresent());
    return all;
  }

  @Test
  void mergeTakesBackAndKeepsOutWhatIsNamed() {
    put(base, "taken/changed", "before");
    put(base, "taken/removed", "before");
    long at = put(base, "kept", "before");
    MountedSpace fork = fork(ReadAt.revision(at));
    put(base, "taken/changed", "wrong");
    await(base.delete(EntryKey.of("taken/removed")));
    put(base, "taken/added", "wrong");
    put(base, "news", "new");
    put(fork, "kept", "only the fork's");
    Merged merged =
        merge(
            fork,
            MergePolicy.FAIL,
            Map.of(
                "taken/changed", MergePolicy.THEIRS,
                "taken/removed", MergePolicy.THEIRS,
                "taken/added", MergePolicy.THEIRS,
                "nowhere", MergePolicy.THEIRS,
                "kept", MergePolicy.OURS));
    assertThat(merged.keys()).isEqualTo(3);
    assertThat(merged.parts()).isEqualTo(1);
    assertThat(get(base, "taken/changed")).contains("before");
    assertThat(get(base, "taken/removed")).contains("before");
    assertThat(get(base, "taken/added")).isEmpty();
    assertThat(get(base, "news")).contains("new");
    assertThat(get(base, "kept")).contains("before");
    assertThat(merge(fork, MergePolicy.FAIL, Map.of("kept", MergePolicy.THEIRS)).keys())
        .isEqualTo(1);
    assertThat(get(base, "kept")).contains("only the fork's");
  }

  private Merged merge(MountedSpace fork, MergePolicy policy, Map<String, MergePolicy> resolve) {
    return await(spaces.forks().merge(new MergeRequest(fork, base, policy, resolve)));
  }

  @Test
  void aDiffTellsWhatWasAddedChangedAndRemovedAndByWhom() {
    put(base, "same", "1");
    put(base, "changed", "1");
    put(base, "gone", "1");
    MountedSpace fork = fork(ReadAt.LATEST);
    long forkedAt = fork.seen() == 0 ? base.seen() : fork.seen();
    put(fork, "changed", "2");
    put(fork, "new", "1");
    put(fork, "same", "2");
    put(fork, "same", "1");
    await(fork.delete(EntryKey.of("gone")));
    MountedSpace bens =
        await(spaces.mount(ANNA, name + "-fork", MountRequest.of("agent/ben", Access.READ_WRITE)));
    put(bens, "changed", "3");
    for (DiffRequest each :
        List.of(
            DiffRequest.of(base, fork),
            DiffRequest.of(fork, base), // the base is the side before in any case
            DiffRequest.of(fork, ReadAt.revision(forkedAt), ReadAt.LATEST))) {
      List<Difference> found = differences(each);
      assertThat(found)
          .extracting(one -> one.key().name() + " " + one.kind().label())
          .containsExactly("changed changed", "gone removed", "new added");
      assertThat(found.get(0).before().orElseThrow().text()).isEqualTo("1");
      assertThat(found.get(0).after().orElseThrow().text()).isEqualTo("3");
      assertThat(found.get(0).authors()).containsExactly("agent/ben", "anna");
      assertThat(found.get(1).after()).isEmpty();
      assertThat(found.get(1).authors()).containsExactly("anna");
    }
    MountedSpace part =
        await(
            spaces.mount(
                BEN,
                name + "-fork",
                new MountRequest(
                    "ben",
                    Access.READ_ONLY,
                    java.util.Set.of(),
                    List.of("new"),
                    java.util.Set.of())));
    assertThat(differences(DiffRequest.of(part, ReadAt.revision(forkedAt), ReadAt.LATEST)))
        .extracting(one -> one.key().name())
        .containsExactly("new");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void forkWritesDiffAndMergeAreTheSameAsTheWrites(long seed) {
    Random random = new Random(seed);
    List<Map<String, String>> states = new ArrayList<>();
    states.add(new TreeMap<>());
    write(base, random, 10, states);
    MountedSpace fork = fork(ReadAt.LATEST);
    for (int round = 0; round < 3; round++) {
      Map<String, String> expected = values(fork);
      for (int i = 0; i < 6; i++) {
        String key = "k" + random.nextInt(8);
        if (expected.containsKey(key) && random.nextInt(3) == 0) {
          await(fork.delete(EntryKey.of(key)));
          expected.remove(key);
        } else {
          put(fork, key, "r" + round + i);
          expected.put(key, "r" + round + i);
        }
      }
      Map<String, String> applied = values(base);
      for (Difference each : differences(DiffRequest.of(base, fork))) {
        each.after()
            .ifPresentOrElse(
                entry -> applied.put(each.key().name(), entry.text()),
                () -> applied.remove(each.key().name()));
      }
      assertThat(applied).as("seed %d, round %d", seed, round).isEqualTo(expected);
      merge(fork, MergePolicy.FAIL, Map.of());
      assertThat(values(base)).as("seed %d, round %d", seed, round).isEqualTo(expected);
      assertThat(differences(DiffRequest.of(base, fork))).isEmpty();
    }
  }

  @Test
  void g4AMergeTellsConflictsAndMergesNothingUntilTheyAreResolved() {
    put(base, "a", "1");
    put(base, "b", "1");
    MountedSpace fork = fork(ReadAt.LATEST);
    put(fork, "a", "fork");
    put(fork, "b", "fork");
    put(fork, "c", "fork");
    put(base, "a", "base");
    put(base, "b", "base");
    MemSpaceException why =
        refused(spaces.forks().merge(new MergeRequest(fork, base, MergePolicy.FAIL, Map.of())));
    assertThat(why.code()).isEqualTo(ErrorCode.MERGE_CONFLICT);
    assertThat(why.details().get("conflicts").toString()).contains("key=a").contains("key=b");
    assertThat(values(base)).isEqualTo(Map.of("a", "base", "b", "base"));
    Merged merged =
        merge(fork, MergePolicy.FAIL, Map.of("a", MergePolicy.OURS, "b", MergePolicy.THEIRS));
    assertThat(merged.keys()).isEqualTo(2);
    assertThat(merged.parts()).isEqualTo(1);
    assertThat(values(base)).isEqualTo(Map.of("a", "base", "b", "fork", "c", "fork"));
    assertThat(merge(fork, MergePolicy.FAIL, Map.of()).keys()).isZero();
    put(base, "c", "base");
    put(fork, "c", "fork again");
    assertThat(
            refused(spaces.forks().merge(new MergeRequest(fork, base, MergePolicy.FAIL, Map.of())))
                .code())
        .isEqualTo(ErrorCode.MERGE_CONFLICT);
    assertThat(merge(fork, MergePolicy.OURS, Map.of()).keys()).isZero();
  }

  @Test
  void g9AMergeTellsNothingOfWhatTheMountOfTheBaseDoesNotCover() {
    put(base, "hidden", "1");
    fork(ReadAt.LATEST);
    MountedSpace bens =
        await(spaces.mount(ANNA, name + "-fork", MountRequest.of("ben", Access.READ_WRITE)));
    put(bens, "hidden", "fork");
    put(bens, "shown/a", "fork");
    put(base, "hidden", "base");
    MountedSpace part =
        await(
            spaces.mount(
                ANNA,
                name,
                new MountRequest(
                    "ben",
                    Access.READ_WRITE,
                    java.util.Set.of(),
                    List.of("shown/"),
                    java.util.Set.of())));
    MemSpaceException why =
        refused(spaces.forks().merge(new MergeRequest(bens, part, MergePolicy.FAIL, Map.of())));
    assertThat(why.code()).isEqualTo(ErrorCode.FORBIDDEN);
    assertThat(why.details().toString()).doesNotContain("hidden");
    assertThat(
            refused(
                    spaces
                        .forks()
                        .merge(new MergeRequest(bens, part, MergePolicy.THEIRS, Map.of())))
                .code())
        .isEqualTo(ErrorCode.FORBIDDEN);
    assertThat(values(base)).isEqualTo(Map.of("hidden", "base"));
  }

  @Test
  void aMergeLargerThanACommitGoesInPartsAndAgain() {
    MountedSpace fork = fork(ReadAt.LATEST);
    for (int batch = 0; batch < 3; batch++) {
      List<Operation> operations = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        operations.add(
            new Operation.Put(EntryKey.of("k/" + batch + "/" + i), Content.text("v" + i)));
      }
      await(fork.write(operations, WriteOptions.DEFAULT));
    }
    Merged merged = merge(fork, MergePolicy.FAIL, Map.of());
    assertThat(merged.keys()).isEqualTo(600);
    assertThat(merged.parts()).isEqualTo(3);
    assertThat(merged.revision()).isEqualTo(await(spaces.describe(ANNA, name)).revision());
    assertThat(merge(fork, MergePolicy.FAIL, Map.of())).isEqualTo(new Merged(0, 0, 0));
  }

  @Test
  void g4WhatIsWrittenWhileAMergeRunsIsNotLost() {
    put(base, "n", "0");
    MountedSpace fork = fork(ReadAt.LATEST);
    put(fork, "n", "fork");
    List<CompletionStage<?>> writes = new ArrayList<>();
    CompletionStage<Merged> merging =
        spaces.forks().merge(new MergeRequest(fork, base, MergePolicy.FAIL, Map.of()));
    writes.add(base.putIfRevision(EntryKey.of("n"), Content.text("base"), 1));
    boolean merged;
    try {
      merged = await(merging).keys() == 1;
    } catch (MemSpaceException conflict) {
      assertThat(conflict.code()).isEqualTo(ErrorCode.MERGE_CONFLICT);
      merged = false;
    }
    if (merged) {
      assertThat(refused(writes.get(0)).code()).isEqualTo(ErrorCode.REVISION_MISMATCH);
      assertThat(get(base, "n")).contains("fork");
    } else {
      await(writes.get(0));
      assertThat(get(base, "n")).contains("base");
    }
  }

  @Test
  void aMergeIntoAnArchivedSpaceOrOfWhatIsNoForkIsRefused() {
    MountedSpace fork = fork(ReadAt.LATEST);
    put(fork, "a", "1");
    assertThat(
            refused(spaces.forks().merge(new MergeRequest(base, fork, MergePolicy.FAIL, Map.of())))
                .code())
        .isEqualTo(ErrorCode.INVALID_REQUEST);
    await(spaces.archive(ANNA, name));
    assertThat(
            refused(spaces.forks().merge(new MergeRequest(fork, base, MergePolicy.FAIL, Map.of())))
                .code())
        .isEqualTo(ErrorCode.SPACE_ARCHIVED);
    assertThat(get(base, "a")).isEmpty();
  }

  // ---- cuts ----

  @Test
  void g8ACutShowsSpacesAndMountsAsTheyWereThen() {
    Cuts cuts = spaces.cuts();
    MountedSpace bens =
        await(spaces.mount(ANNA, name, MountRequest.of("agent/ben", Access.READ_ONLY)));
    put(base, "a", "1");
    Instant then = Timestamps.instant(await(store.now()));
    pass(Duration.ofSeconds(1));
    String young = name + "-young";
    await(spaces.create(ANNA, CreateSpace.shared(young), WriteOptions.DEFAULT));
    await(
        spaces.update(
            ANNA,
            name,
            new UpdateSpace(Optional.of(Map.of("a", "b")), Optional.empty(), Optional.empty())));
    await(spaces.unmount(ANNA, bens.mount().id()));
    await(spaces.mount(ANNA, name, MountRequest.of("agent/late", Access.READ_ONLY)));
    put(base, "a", "2");
    Instant later = Timestamps.instant(await(store.now()));
    SpaceInfo was = cut(then).get(name);
    assertThat(was.labels()).isEmpty();
    assertThat(was.revision()).isEqualTo(2);
    assertThat(cut(then)).doesNotContainKey(young);
    assertThat(cut(later)).containsKey(young);
    assertThat(cut(later).get(name).labels()).containsEntry("a", "b");
    assertThat(holders(then)).containsExactlyInAnyOrder("anna", "agent/ben");
    assertThat(holders(later)).containsExactlyInAnyOrder("anna", "agent/late");
    assertThat(cut(then).get(name)).isEqualTo(was);
    assertThat(refused(cuts.spaces(ANNA, later.plusSeconds(60), 10, Optional.empty())).code())
        .isEqualTo(ErrorCode.AS_OF_IN_FUTURE);
  }

  private Map<String, SpaceInfo> cut(Instant at) {
    Map<String, SpaceInfo> all = new TreeMap<>();
    Optional<String> next = Optional.empty();
    do {
      Paged<SpaceAt> page = await(spaces.cuts().spaces(ANNA, at, 3, next));
      page.items().forEach(space -> space.info().ifPresent(info -> all.put(space.name(), info)));
      next = page.next();
    } while (next.isPresent());
    return all;
  }

  private List<String> holders(Instant at) {
    List<String> all = new ArrayList<>();
    Optional<String> next = Optional.empty();
    do {
      Paged<MountAt> page = await(spaces.cuts().mounts(ANNA, at, 1, next));
      page.items().stream()
          .flatMap(each -> each.mount().stream())
          .filter(mount -> mount.space().equals(name))
          .forEach(mount -> all.add(mount.holder()));
      next = page.next();
    } while (next.isPresent());
    return all;
  }

  /** Each write to the second space is caused by one of the first that was acknowledged. */
  @Test
  void g8ACutUnderLoadNeverShowsAnEffectWithoutItsCause() {
    CreatedSpace made =
        await(spaces.create(ANNA, CreateSpace.shared(name + "-2"), WriteOptions.DEFAULT));
    MountedSpace effects = await(spaces.open(ANNA, made.mount().id()));
    CompletionStage<Void> writer = java.util.concurrent.CompletableFuture.completedStage(null);
    for (int i = 1; i <= 60; i++) {
      Content content = Content.text(Integer.toString(i));
      writer =
          writer
              .thenCompose(done -> base.put(EntryKey.of("n"), content))
              .thenCompose(done -> effects.put(EntryKey.of("n"), content))
              .thenApply(done -> null);
    }
    java.util.concurrent.CompletableFuture<Void> writing = writer.toCompletableFuture();
    Map<Instant, String> seen = new TreeMap<>();
    do {
      Instant at = Timestamps.instant(await(store.now()));
      int effect = at(effects, at);
      int cause = at(base, at);
      assertThat(cause).as("cause of [%d] at %s", effect, at).isGreaterThanOrEqualTo(effect);
      seen.put(at, cause + "/" + effect);
    } while (!writing.isDone());
    await(writing);
    seen.forEach(
        (at, was) -> assertThat(at(base, at) + "/" + at(effects, at)).as("%s", at).isEqualTo(was));
  }

  private static int at(MountedSpace space, Instant at) {
    return await(space.get(EntryKey.of("n"), ReadAt.instant(at)))
        .map(entry -> Integer.parseInt(entry.text()))
        .orElse(0);
  }
}
