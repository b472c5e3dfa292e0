package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import akka.stream.Materializer;
import akka.stream.javadsl.Sink;
import akka.util.ByteString;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.Fault;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import io.nucleusmem.store.rocksdb.RocksDbSettings;
import io.nucleusmem.store.rocksdb.RocksDbStore;
import io.nucleusmem.store.tikv.TikvSettings;
import io.nucleusmem.store.tikv.TikvStore;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What was erased is read nowhere any more, from the call's return on; the order stays. */
class ErasureTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final Principal BEN = Principal.of("ben");
  private static final EntryKey KEY = EntryKey.of("people/1");

  private final List<TestNode> nodes = new ArrayList<>();
  private KvStore store;
  private TestNode node;
  private MountedSpace space;

  private void start(KvStore with) {
    store = with;
    node = TestNode.start(with);
    nodes.add(node);
    CreatedSpace created =
        await(node.spaces().create(ANNA, CreateSpace.shared("s"), WriteOptions.DEFAULT));
    space = await(node.spaces().open(ANNA, created.mount().id()));
  }

  @AfterEach
  void stop() {
    nodes.forEach(TestNode::close);
    store.close();
  }

  private SpaceKeeping keeping() {
    return NucleusMem.get(node.system()).keeping();
  }

  private OperationInfo erase(SpaceKeeping.Erasable what) {
    return await(keeping().erase(ANNA, "s", what, "asked to"));
  }

  private OperationInfo ended(OperationInfo operation) {
    Operations operations = NucleusMem.get(node.system()).operations();
    TestNode.eventually(
        () -> await(operations.get(ANNA, operation.id())).state() != OperationInfo.State.RUNNING);
    OperationInfo ended = await(operations.get(ANNA, operation.id()));
    assertThat(ended.error()).isEmpty();
    return ended;
  }

  private static SpaceKeeping.Erasable keys(String... names) {
    return new SpaceKeeping.Erasable.Keys(Region.MEMORY, List.of(names));
  }

  private static MemSpaceException refused(CompletionStage<?> stage) {
    return catchThrowableOfType(MemSpaceException.class, () -> await(stage));
  }

  private static void assertErased(CompletionStage<?> read) {
    MemSpaceException refused = refused(read);
    assertThat(refused).isNotNull();
    assertThat(refused.code()).isEqualTo(ErrorCode.ERASED);
    assertThat(refused.details())
        .containsEntry("erased_by", "anna")
        .containsEntry("reason", "asked to");
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void keyIsErasedAtOnceAndForGood(StoreScope scope) {
    start(new MemoryStore(scope));
    long first = await(space.put(KEY, Content.text("secret-1"))).revision();
    long second = await(space.put(KEY, Content.text("secret-2"))).revision();
    await(space.put(EntryKey.of("people/2"), Content.text("other")));

    OperationInfo operation = erase(keys(KEY.name()));
    for (int round = 0; round < 2; round++) { // at once, and when it is done
      assertErased(space.get(KEY));
      assertErased(space.get(KEY, ReadAt.revision(first)));
      assertErased(space.pull(KEY, first));
      assertErased(space.pull(KEY, second));
      assertErased(space.merge(KEY, "{}"));
      assertErased(space.revert(KEY, first));
      List<Entry> history = await(space.history(KEY, 10, Optional.empty())).items();
      assertThat(history).extracting(Entry::revision).containsExactly(second, first);
      assertThat(history).allMatch(entry -> entry.content().isErased());
      assertThat(await(space.scan(ScanRequest.of(Region.MEMORY, ""))).items())
          .extracting(entry -> entry.key().name() + "=" + entry.text())
          .containsExactly("people/1=", "people/2=other");
      RevisionMismatchException mismatch =
          catchThrowableOfType(
              RevisionMismatchException.class,
              () -> await(space.putIfRevision(KEY, Content.text("x"), 1_000)));
      assertThat(mismatch.current()).as("the refusal tells nothing of it").isEmpty();
      operation = ended(operation);
    }
    assertThat(((Number) operation.result().get("versions")).longValue()).isEqualTo(2);
    assertThat(await(space.history(KEY, 10, Optional.empty())).items())
        .as("a keyed hash stays")
        .allMatch(entry -> entry.content().metadata().get("hash").length() == 64);
    assertThat(((MemoryStore) store).rows().values())
        .noneMatch(row -> holds(row.toArray(), "secret-"));
    long third = await(space.put(KEY, Content.text("new"))).revision();
    assertThat(await(space.get(KEY)).orElseThrow().text()).isEqualTo("new");
    assertErased(space.get(KEY, ReadAt.revision(third - 1)));
  }

  private static boolean holds(byte[] bytes, String text) {
    return new String(bytes, StandardCharsets.ISO_8859_1).contains(text);
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void subjectIsErasedInEntriesTopicsAndWatches(StoreScope scope) {
    start(new MemoryStore(scope));
    Content about = Content.text("secret").withMetadata(Map.of("subject", "p7"));
    await(space.put(EntryKey.of("a"), about));
    await(space.put(EntryKey.of("b"), Content.text("open")));
    await(space.put(EntryKey.task("t"), about));
    MountedTopic topic = space.topic("chat");
    await(topic.publish(about, Optional.empty(), WriteOptions.DEFAULT));
    await(topic.publish(Content.text("open"), Optional.empty(), WriteOptions.DEFAULT));

    OperationInfo operation = erase(new SpaceKeeping.Erasable.Subject("p7"));
    for (int round = 0; round < 2; round++) {
      assertErased(space.get(EntryKey.of("a")));
      assertErased(space.get(EntryKey.task("t")));
      assertErased(topic.message(1));
      assertThat(await(topic.fetch(MessageRange.all())).items())
          .extracting(message -> message.content().text())
          .containsExactly("", "open");
      Queue<Signal> seen = new ConcurrentLinkedQueue<>();
      Watch watch =
          await(
              space.watch(
                  WatchRequest.of(Region.MEMORY, "").from(1).withValues(),
                  event -> {
                    if (event instanceof WatchEvent.Signals some) {
                      seen.addAll(some.signals());
                    }
                    return CompletableFuture.completedStage(null);
                  }));
      TestNode.eventually(() -> seen.size() == 2);
      watch.close();
      assertThat(seen).noneMatch(s -> s.content().map(Content::text).orElse("").equals("secret"));
      assertThat(seen).anyMatch(s -> s.content().map(Content::text).orElse("").equals("open"));
      ended(operation);
    }
    assertThat(((MemoryStore) store).rows().values())
        .noneMatch(row -> holds(row.toArray(), "secret"));
  }

  @Test
  void everyNodeHidesItBeforeTheCallReturns() {
    store = new MemoryStore(StoreScope.REGION);
    nodes.addAll(TestNode.cluster(store, 2));
    List<MountedSpace> mounted = new ArrayList<>();
    node = nodes.get(0);
    CreatedSpace created =
        await(node.spaces().create(ANNA, CreateSpace.shared("s"), WriteOptions.DEFAULT));
    for (TestNode each : nodes) {
      mounted.add(await(each.spaces().open(ANNA, created.mount().id())));
    }
    space = mounted.get(0);
    for (int i = 0; i < 5; i++) {
      EntryKey key = EntryKey.of("k" + i);
      long revision = await(space.put(key, Content.text("secret"))).revision();
      for (MountedSpace each : mounted) {
        assertThat(await(each.pull(key, revision))).isPresent();
      }
      node = nodes.get(i % 2); // one of both does not own the space
      OperationInfo operation = erase(keys(key.name()));
      for (MountedSpace each : mounted) {
        assertErased(each.pull(key, revision));
        assertErased(each.get(key));
      }
      ended(operation);
      for (MountedSpace each : mounted) {
        assertErased(each.pull(key, revision));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(StoreScope.class)
  void forksAndTheirForksAreReached(StoreScope scope) {
    start(new MemoryStore(scope));
    Content about = Content.text("secret").withMetadata(Map.of("subject", "p7"));
    long revision = await(space.put(KEY, about)).revision();
    await(space.topic("chat").publish(about, Optional.empty(), WriteOptions.DEFAULT));
    MountedSpace fork = fork("s", "f1");
    await(fork.put(EntryKey.of("copy"), about));
    await(fork.topic("chat").publish(about, Optional.empty(), WriteOptions.DEFAULT));
    MountedSpace forksFork = fork("f1", "f2");

    OperationInfo operation = erase(new SpaceKeeping.Erasable.Subject("p7"));
    for (int round = 0; round < 2; round++) {
      for (MountedSpace each : List.of(space, fork, forksFork)) {
        assertErased(each.get(KEY));
        assertErased(each.pull(KEY, revision));
        assertErased(each.topic("chat").message(1));
      }
      assertErased(fork.get(EntryKey.of("copy")));
      assertErased(forksFork.get(EntryKey.of("copy")));
      assertErased(forksFork.topic("chat").message(2));
      assertThat(await(node.spaces().forks().diff(DiffRequest.of(space, fork))).toString())
          .contains("copy")
          .doesNotContain(Bytes.utf8("secret").toString());
      operation = ended(operation);
    }
    assertThat(operation.result().get("forks")).isEqualTo(2);
    assertThat(((MemoryStore) store).rows().values())
        .noneMatch(row -> holds(row.toArray(), "secret"));
    assertErased(fork("s", "f3").get(KEY));
    await(fork.put(EntryKey.of("fine"), Content.text("x")));
    await(node.spaces().forks().merge(new MergeRequest(fork, space, MergePolicy.FAIL, Map.of())));
    assertThat(await(space.get(EntryKey.of("fine")))).isPresent();
    assertThat(await(space.get(EntryKey.of("copy")))).as("stays behind").isEmpty();
  }

  private MountedSpace fork(String base, String name) {
    CreatedSpace made =
        await(
            node.spaces()
                .forks()
                .fork(ANNA, new ForkRequest(base, name, ReadAt.LATEST), WriteOptions.DEFAULT));
    return await(node.spaces().open(ANNA, made.mount().id()));
  }

  @Test
  void forkThatIsBeingMadeWhenAnErasureBeginsIsTakenBack() {
    Bytes named = Catalogue.key("f");
    MemoryStore memory =
        new MemoryStore(
            StoreScope.ALL,
            ForkJoinPool.commonPool(),
            System::currentTimeMillis,
            batch ->
                batch.ops().stream().anyMatch(op -> op.key().equals(named))
                    ? Fault.SLOW
                    : Fault.NONE,
            Resends.CHECKED);
    start(memory);
    await(space.put(KEY, Content.text("secret-1")));
    CompletionStage<CreatedSpace> forking =
        node.spaces()
            .forks()
            .fork(ANNA, new ForkRequest("s", "f", ReadAt.LATEST), WriteOptions.DEFAULT);
    TestNode.eventually(() -> !memory.held().isEmpty()); // pinned, and not made yet
    ErasureRule rule =
        new ErasureRule("e1", "anna", "asked to", 0, "memory", List.of(KEY.name()), null, null);
    MemSpaceNode inside = ((MemSpaceClient) node.spaces()).node();
    CompletionStage<Boolean> hidden =
        inside
            .calls()
            .call(
                (promise, again) ->
                    inside
                        .spaces()
                        .tell(
                            SpaceRows.spaceOf(space.mount().id()),
                            new MemSpace.ChangeRules(
                                new KeepingChanges.Erase(ANNA, rule, Bytes.utf8("k".repeat(32))),
                                promise)));
    await(hidden);
    assertErased(space.get(KEY));
    memory.held().get(0).release();
    TestNode.eventually(
        () -> {
          memory.held().forEach(MemoryStore.Held::release); // its deletion has the name too
          return forking.toCompletableFuture().isDone();
        });
    assertThat(refused(forking).code()).isEqualTo(ErrorCode.BUSY);
    assertThat(refused(node.spaces().describe(ANNA, "f")).code())
        .isEqualTo(ErrorCode.SPACE_NOT_FOUND);
  }

  @Test
  void filesHoldNothingOfItWhenTheOperationIsDone(@TempDir Path dir) throws IOException {
    start(RocksDbStore.open(RocksDbSettings.at(dir), ForkJoinPool.commonPool()));
    Random random = new Random(1);
    String secret = text(random);
    for (int i = 0; i < 200; i++) {
      await(space.put(EntryKey.of("k" + i), Content.text(text(random))));
    }
    await(space.put(KEY, Content.text(secret)));
    await(space.get(KEY));
    assertThat(found(dir, secret)).isNotEmpty();
    OperationInfo done = ended(erase(keys(KEY.name())));
    assertThat(found(dir, secret)).as("%s", done).isEmpty();
    assertThat((String) done.result().get("files")).contains("nothing");
    assertErased(space.get(KEY));
    assertThat(await(space.get(EntryKey.of("k7")))).isPresent();
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    random.ints(96, '!', '~').forEach(c -> text.append((char) c));
    return text.toString();
  }

  private static List<String> found(Path dir, String text) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        // of compressed blocks a part is enough
        byte[] bytes = Files.readAllBytes(file);
        for (int at = 0; at + 24 <= text.length(); at += 24) {
          if (holds(bytes, text.substring(at, at + 24))) {
            found.add(file.getFileName().toString());
            break;
          }
        }
      }
    }
    return found;
  }

  @Test
  void writersGoOnWhileTheLogIsWrittenOverOnTikv() {
    try (TikvTestCluster cluster = TikvTestCluster.start()) {
      start(
          TikvStore.open(
              TikvSettings.at(List.of(cluster.pdAddresses().split(","))),
              ForkJoinPool.commonPool()));
      long first = await(space.put(KEY, Content.text("secret"))).revision();
      for (int i = 0; i < 50; i++) {
        await(space.put(KEY, Content.text("secret")));
      }
      OperationInfo operation = erase(keys(KEY.name()));
      Operations operations = NucleusMem.get(node.system()).operations();
      long last = 0;
      do {
        long next = await(space.put(EntryKey.of("other"), Content.text("x"))).revision();
        assertThat(next).isGreaterThan(last);
        last = next;
      } while (await(operations.get(ANNA, operation.id())).state() == OperationInfo.State.RUNNING);
      assertThat(((Number) ended(operation).result().get("log_rows")).longValue()).isPositive();
      assertErased(space.pull(KEY, first));
      for (Entry version : await(space.history(KEY, 100, Optional.empty())).items()) {
        assertThat(version.content().metadata()).containsKey("hash");
      }
      assertThat(await(space.put(KEY, Content.text("new"))).revision()).isGreaterThan(last);
      stop(); // the store's server is gone behind this
      nodes.clear();
    }
  }

  @Test
  void goesOnWhenItsNodeStopsInTheMiddle() {
    store = new MemoryStore(StoreScope.ALL);
    node = TestNode.start(store, "nucleusmem.retention.rows-per-second = 100");
    CreatedSpace created =
        await(node.spaces().create(ANNA, CreateSpace.shared("s"), WriteOptions.DEFAULT));
    space = await(node.spaces().open(ANNA, created.mount().id()));
    for (int i = 0; i < 100; i++) {
      await(space.put(EntryKey.of("k" + i), Content.text("secret")));
    }
    OperationInfo operation = erase(new SpaceKeeping.Erasable.Prefix(Optional.empty(), "k"));
    node.close();
    assertThat(((MemoryStore) store).rows().values())
        .as("it is not done")
        .anyMatch(row -> holds(row.toArray(), "secret"));

    node = TestNode.start(store);
    nodes.add(node);
    space = await(node.spaces().open(ANNA, created.mount().id()));
    assertErased(space.get(EntryKey.of("k99")));
    ended(operation);
    assertErased(space.get(EntryKey.of("k99")));
    assertThat(((MemoryStore) store).rows().values())
        .noneMatch(row -> holds(row.toArray(), "secret"));
  }

  @Test
  void quarantineHidesOneVersionUntilItIsReleasedAndRevertBringsTheOneBefore() {
    start(new MemoryStore(StoreScope.ALL));
    long good = await(space.put(KEY, Content.text("good"))).revision();
    long bad = await(space.put(KEY, Content.text("bad"))).revision();
    await(keeping().quarantine(ANNA, "s", KEY, bad, "wrong"));
    assertThat(refused(space.get(KEY)).code()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(refused(space.pull(KEY, bad)).code()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(await(space.pull(KEY, good))).isPresent();
    assertThat(await(space.history(KEY, 9, Optional.empty())).items().get(0).text()).isEmpty();
    assertThat(await(keeping().quarantined(ANNA, "s")))
        .extracting(SpaceKeeping.Quarantined::revision)
        .containsExactly(bad);

    MountedSpace examiner =
        await(
            node.spaces()
                .mount(BEN, "s", MountRequest.of("ben", Access.READ_ONLY).withQuarantined()));
    assertThat(await(examiner.get(KEY)).orElseThrow().text()).isEqualTo("bad");

    await(space.revert(KEY, good));
    assertThat(await(space.get(KEY)).orElseThrow().text()).isEqualTo("good");
    assertThat(refused(space.revert(KEY, bad)).code()).isEqualTo(ErrorCode.QUARANTINED);
    await(keeping().release(ANNA, "s", KEY, bad));
    assertThat(await(space.pull(KEY, bad)).orElseThrow().text()).isEqualTo("bad");

    assertThat(refused(keeping().quarantine(ANNA, "s", KEY, 999, "x")).code())
        .isEqualTo(ErrorCode.ENTRY_NOT_FOUND);
    assertThat(refused(keeping().quarantine(BEN, "s", KEY, bad, "x")).code())
        .isEqualTo(ErrorCode.NOT_OWNER);
    assertThat(refused(keeping().release(ANNA, "s", KEY, bad)).code())
        .isEqualTo(ErrorCode.ENTRY_NOT_FOUND);
    assertThat(refused(keeping().erase(BEN, "s", keys("a"), "x")).code())
        .isEqualTo(ErrorCode.NOT_OWNER);
    assertThat(refused(keeping().erase(ANNA, "s", keys(), "x")).code())
        .isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(refused(keeping().erase(ANNA, "s", keys("a"), " ")).code())
        .isEqualTo(ErrorCode.INVALID_REQUEST);
  }

  @ParameterizedTest
  @CsvSource({"ALL,1", "REGION,2", "ALL,3"})
  void afterAnErasureNothingReadsItAnywhere(StoreScope scope, long seed) {
    start(new MemoryStore(scope));
    Random random = new Random(seed);
    Set<String> gone = new HashSet<>();
    Map<String, List<String>> written = new java.util.TreeMap<>();
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 25; i++) {
        String key = "p" + random.nextInt(3) + "/" + random.nextInt(3);
        String subject = "s" + random.nextInt(3);
        String value = "value-%d-%d-%d".formatted(seed, round, i);
        await(
            space.put(
                EntryKey.of(key), Content.text(value).withMetadata(Map.of("subject", subject))));
        written.computeIfAbsent(key + " " + subject, k -> new ArrayList<>()).add(value);
        if (random.nextInt(8) == 0) {
          await(space.delete(EntryKey.of(key)));
        }
      }
      String prefix = "p" + random.nextInt(3) + "/";
      String subject = "s" + random.nextInt(3);
      boolean bySubject = random.nextBoolean();
      written.forEach(
          (where, values) -> {
            if (bySubject ? where.endsWith(subject) : where.startsWith(prefix)) {
              gone.addAll(values);
            }
          });
      OperationInfo operation =
          erase(
              bySubject
                  ? new SpaceKeeping.Erasable.Subject(subject)
                  : new SpaceKeeping.Erasable.Prefix(Optional.empty(), prefix));
      assertThat(all()).as("seed %d, round %d", seed, round).doesNotContainAnyElementsOf(gone);
      ended(operation);
      Set<String> rest = new HashSet<>();
      written.values().forEach(rest::addAll);
      rest.removeAll(gone);
      assertThat(all()).doesNotContainAnyElementsOf(gone).containsAll(rest);
      for (String value : gone) {
        assertThat(((MemoryStore) store).rows().values())
            .noneMatch(row -> holds(row.toArray(), value + "\0") || ends(row, value));
      }
    }
  }

  private static boolean ends(Bytes row, String value) {
    return new String(row.toArray(), StandardCharsets.ISO_8859_1).endsWith(value);
  }

  /** Every value that history, scans, pulls and an export show. */
  private Set<String> all() {
    Set<String> found = new HashSet<>();
    for (int p = 0; p < 3; p++) {
      for (int k = 0; k < 3; k++) {
        await(space.history(EntryKey.of("p" + p + "/" + k), 1_000, Optional.empty()))
            .items()
            .forEach(entry -> found.add(entry.text()));
      }
    }
    long newest = await(node.spaces().describe(ANNA, "s")).revision();
    for (long revision = 1; revision <= newest; revision++) {
      await(space.scan(ScanRequest.of(Region.MEMORY, "").at(ReadAt.revision(revision))))
          .items()
          .forEach(entry -> found.add(entry.text()));
    }
    byte[] file =
        await(
                await(keeping().export(ANNA, "s", Optional.empty(), 0))
                    .bytes()
                    .runWith(
                        Sink.fold(ByteString.emptyByteString(), ByteString::concat),
                        Materializer.createMaterializer(node.system())))
            .toArray();
    java.util.regex.Matcher values =
        java.util.regex.Pattern.compile("value-\\d+-\\d+-\\d+")
            .matcher(new String(file, StandardCharsets.ISO_8859_1));
    // behind a value in the file comes the next row's region, a byte below 32
    while (values.find()) {
      found.add(values.group());
    }
    return found;
  }
}
