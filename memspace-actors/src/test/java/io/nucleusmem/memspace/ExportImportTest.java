package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import akka.stream.Materializer;
import akka.stream.javadsl.Sink;
import akka.stream.javadsl.Source;
import akka.util.ByteString;
import io.nucleusmem.NucleusMem;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.MemoryStore;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A space goes into a file and comes out of it equal, revision by revision, or not at all. */
class ExportImportTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final Principal BEN = Principal.of("ben");

  private final List<TestNode> nodes = new ArrayList<>();
  private MemoryStore store;

  private TestNode start(StoreScope scope) {
    store = new MemoryStore(scope);
    nodes.add(TestNode.start(store));
    return nodes.get(nodes.size() - 1);
  }

  @AfterEach
  void stop() {
    nodes.forEach(TestNode::close);
  }

  private static MountedSpace create(TestNode node, String name) {
    CreateSpace request =
        new CreateSpace(
            name,
            SpaceKind.SHARED,
            Optional.empty(),
            Map.of("team", "red"),
            new Retention(Optional.of(Duration.ofDays(400)), OptionalLong.empty()));
    CreatedSpace created = await(node.spaces().create(ANNA, request, WriteOptions.DEFAULT));
    return await(node.spaces().open(ANNA, created.mount().id()));
  }

  private static SpaceKeeping keeping(TestNode node) {
    return NucleusMem.get(node.system()).keeping();
  }

  private static byte[] export(TestNode node, String name, Optional<Instant> at, long from) {
    SpaceKeeping.Exported export = await(keeping(node).export(ANNA, name, at, from));
    return await(
            export
                .bytes()
                .runWith(
                    Sink.fold(ByteString.emptyByteString(), ByteString::concat),
                    Materializer.createMaterializer(node.system())))
        .toArray();
  }

  private static CreatedSpace load(TestNode node, String name, byte[] file, Random random) {
    List<ByteString> parts = new ArrayList<>();
    for (int at = 0; at < file.length; ) {
      int to = Math.min(file.length, at + 1 + random.nextInt(5_000));
      parts.add(ByteString.fromArray(Arrays.copyOfRange(file, at, to)));
      at = to;
    }
    return await(
        keeping(node)
            .importSpace(
                BEN, name, Source.from(parts), Materializer.createMaterializer(node.system())));
  }

  /** A random history of entries and messages, by two writers. */
  private static void write(TestNode node, MountedSpace space, String name, Random random) {
    MountedSpace bens =
        await(node.spaces().mount(BEN, name, MountRequest.of("ben", Access.READ_WRITE)));
    for (int i = 0; i < 80; i++) {
      MountedSpace writer = random.nextBoolean() ? space : bens;
      EntryKey key =
          new EntryKey(
              random.nextInt(4) == 0 ? Region.TASK : Region.MEMORY, "k" + random.nextInt(9));
      byte[] value = new byte[random.nextInt(20) == 0 ? 300_000 : random.nextInt(300)];
      random.nextBytes(value);
      Content content =
          Content.bytes(value).withMetadata(Map.of("n", "" + i, "subject", "s" + i % 3));
      switch (random.nextInt(6)) {
        case 0 -> {
          if (await(writer.get(key)).isPresent()) {
            await(writer.delete(key));
          }
        }
        case 1 -> {
          for (Claim claim :
              await(writer.claim(EntryKey.task("k"), "w", Duration.ofMinutes(1), 1))) {
            await(writer.release(claim.entry().key(), claim.token()));
          }
        }
        case 2 ->
            await(
                writer
                    .topic("t" + random.nextInt(2))
                    .publish(
                        content,
                        random.nextBoolean() ? Optional.of("agent/a") : Optional.empty(),
                        WriteOptions.DEFAULT));
        case 3 ->
            await(
                writer.write(
                    List.of(
                        new Operation.Put(EntryKey.of("b/1"), content),
                        new Operation.Put(EntryKey.of("b/2"), Content.text("t" + i))),
                    WriteOptions.DEFAULT));
        default -> await(writer.write(new Operation.Put(key, content)));
      }
    }
  }

  /** All that can be read of a space, as text. */
  private static List<String> told(MountedSpace space) {
    List<String> told = new ArrayList<>();
    for (Region region : List.of(Region.MEMORY, Region.TASK)) {
      for (String name :
          List.of("k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "b/1", "b/2")) {
        Optional<String> cursor = Optional.empty();
        do {
          Paged<Entry> page = await(space.history(new EntryKey(region, name), 50, cursor));
          page.items().forEach(entry -> told.add(entry.toString()));
          cursor = page.next();
        } while (cursor.isPresent());
      }
    }
    await(space.topics(10, Optional.empty()))
        .items()
        .forEach(
            topic -> {
              told.add(topic.name() + " " + topic.revision());
              await(space.topic(topic.name()).fetch(MessageRange.all()))
                  .items()
                  .forEach(message -> told.add(message.toString()));
            });
    return told;
  }

  private static List<String> signals(MountedSpace space, long newest) {
    java.util.Queue<String> seen = new java.util.concurrent.ConcurrentLinkedQueue<>();
    Watch watch =
        await(
            space.watch(
                WatchRequest.of(Region.MEMORY, "").from(1),
                event -> {
                  if (event instanceof WatchEvent.Signals some) {
                    some.signals().forEach(signal -> seen.add(signal.toString()));
                  }
                  return java.util.concurrent.CompletableFuture.completedStage(null);
                }));
    TestNode.eventually(() -> watch.cursor() >= newest);
    watch.close();
    return List.copyOf(seen);
  }

  @ParameterizedTest
  @CsvSource({"ALL,ALL,1", "ALL,REGION,2", "REGION,ALL,3", "REGION,REGION,4"})
  void whatComesOutIsEqual(StoreScope from, StoreScope to, long seed) {
    Random random = new Random(seed);
    TestNode source = start(from);
    MountedSpace space = create(source, "s");
    write(source, space, "s", random);
    SpaceInfo was = await(source.spaces().describe(ANNA, "s"));
    List<String> told = told(space); // before the export, which may close its instant by a mark
    byte[] file = export(source, "s", Optional.empty(), 0);

    TestNode target = start(to);
    CreatedSpace made = load(target, "copy", file, random);
    MountedSpace copy = await(target.spaces().open(BEN, made.mount().id()));
    assertThat(told(copy)).as("seed %d", seed).isEqualTo(told);
    SpaceInfo is = await(target.spaces().describe(BEN, "copy"));
    assertThat(is.revision()).isEqualTo(was.revision()).isEqualTo(made.space().revision());
    assertThat(is.labels()).isEqualTo(was.labels());
    assertThat(is.retention()).isEqualTo(was.retention());
    assertThat(is.createdAt()).isEqualTo(was.createdAt());
    assertThat(is.owner()).isEqualTo("ben");
    for (long revision = 1; revision <= was.revision(); revision++) {
      ScanRequest request = ScanRequest.of(Region.MEMORY, "").at(ReadAt.revision(revision));
      assertThat(await(copy.scan(request)).items())
          .as("seed %d, revision %d", seed, revision)
          .isEqualTo(await(space.scan(request)).items());
    }
    assertThat(signals(copy, was.revision())).isEqualTo(signals(space, was.revision()));
    assertThat(await(copy.put(EntryKey.of("new"), Content.text("x"))).revision())
        .as("the order goes on")
        .isEqualTo(was.revision() + 1);
    long topic =
        await(copy.topics(10, Optional.empty())).items().stream()
            .filter(each -> each.name().equals("t0"))
            .findFirst()
            .orElseThrow()
            .revision();
    assertThat(
            await(
                    copy.topic("t0")
                        .publish(Content.text("x"), Optional.empty(), WriteOptions.DEFAULT))
                .revision())
        .isEqualTo(1 + topic);
  }

  @ParameterizedTest
  @CsvSource({"ALL,REGION,6", "REGION,ALL,7"})
  void aForkComesOutEqualWithAllThatItInheritsBeforeAndAfterItIsFlattened(
      StoreScope from, StoreScope to, long seed) {
    Random random = new Random(seed);
    TestNode source = start(from);
    write(source, create(source, "s"), "s", random);
    write(source, fork(source, "s", "f"), "f", random);
    MountedSpace fork = fork(source, "f", "g");
    write(source, fork, "g", random);
    long newest = await(source.spaces().describe(ANNA, "g")).revision();
    byte[] layered = export(source, "g", Optional.empty(), 0);
    List<String> told = withoutTopicRevisions(told(fork));
    List<String> signals = signals(fork, newest);
    await(
        ((SpaceKeepingClient) keeping(source))
            .flattening()
            .run(SpaceRows.spaceOf(fork.mount().id()), (what, value) -> {}));
    byte[] flat = export(source, "g", Optional.empty(), 0);

    TestNode target = start(to);
    for (byte[] file : List.of(layered, flat)) {
      CreatedSpace made = load(target, file == flat ? "flat" : "layered", file, random);
      MountedSpace copy = await(target.spaces().open(BEN, made.mount().id()));
      assertThat(withoutTopicRevisions(told(copy))).as("seed %d", seed).isEqualTo(told);
      for (long revision = 1; revision <= newest; revision++) {
        ScanRequest request = ScanRequest.of(Region.MEMORY, "").at(ReadAt.revision(revision));
        assertThat(await(copy.scan(request)).items())
            .as("seed %d, revision %d", seed, revision)
            .isEqualTo(await(fork.scan(request)).items());
      }
      assertThat(signals(copy, newest)).isEqualTo(signals);
      assertThat(made.space().base()).isEmpty();
    }
  }

  /** A topic whose instant was closed may have taken a revision for that. */
  private static List<String> withoutTopicRevisions(List<String> told) {
    return told.stream().filter(line -> !line.matches("t\\d \\d+")).toList();
  }

  private static MountedSpace fork(TestNode node, String of, String name) {
    CreatedSpace made =
        await(
            node.spaces()
                .forks()
                .fork(ANNA, new ForkRequest(of, name, ReadAt.LATEST), WriteOptions.DEFAULT));
    return await(node.spaces().open(ANNA, made.mount().id()));
  }

  @Test
  void sameInstantSameBytesAndAnExportGoesOnWhereItWasCutOff() {
    TestNode node = start(StoreScope.ALL);
    MountedSpace space = create(node, "s");
    write(node, space, "s", new Random(5));
    Instant at = await(keeping(node).export(ANNA, "s", Optional.empty(), 0)).at();
    byte[] file = export(node, "s", Optional.of(at), 0);
    await(space.put(EntryKey.of("k1"), Content.text("later")));
    int cut = file.length / 3;
    byte[] rest = export(node, "s", Optional.of(at), cut);
    assertThat(Bytes.wrap(rest)).isEqualTo(Bytes.wrap(Arrays.copyOfRange(file, cut, file.length)));
  }

  @Test
  void damagedFileMakesNothing() {
    TestNode node = start(StoreScope.ALL);
    MountedSpace space = create(node, "s");
    Random random = new Random(6);
    write(node, space, "s", random);
    byte[] file = export(node, "s", Optional.empty(), 0);
    int rows = store.rows().size();
    for (int i = 0; i < 12; i++) {
      int place = i == 0 ? 3 : random.nextInt(file.length);
      byte[] damaged = i % 2 == 0 ? file.clone() : Arrays.copyOf(file, place);
      if (i % 2 == 0) {
        damaged[place] ^= (byte) (1 << random.nextInt(8));
      }
      MemSpaceException refused =
          catchThrowableOfType(MemSpaceException.class, () -> load(node, "copy", damaged, random));
      assertThat(refused.code())
          .as("at %d of %d", place, file.length)
          .isEqualTo(ErrorCode.DAMAGED_FILE);
      assertThat(refused.details()).containsKeys("byte", "block");
      assertThat((long) refused.details().get("byte")).isLessThanOrEqualTo(place + 1L);
    }
    assertThat(
            catchThrowableOfType(
                    MemSpaceException.class,
                    () -> load(node, "copy", Arrays.copyOf(file, file.length + 1), random))
                .code())
        .as("a byte behind the end")
        .isEqualTo(ErrorCode.DAMAGED_FILE);
    assertThat(store.rows().size()).as("nothing half done").isEqualTo(rows);
    assertThat(
            catchThrowableOfType(MemSpaceException.class, () -> load(node, "s", file, random))
                .code())
        .isEqualTo(ErrorCode.SPACE_EXISTS);
    assertThat(
            catchThrowableOfType(
                    MemSpaceException.class,
                    () -> await(keeping(node).export(BEN, "s", Optional.empty(), 0)))
                .code())
        .isEqualTo(ErrorCode.NOT_OWNER);
    load(node, "copy", file, random);
    assertThat(await(node.spaces().describe(BEN, "copy")).name()).isEqualTo("copy");
  }

  @Test
  void headerThatMakesNoSpaceIsDamageEvenWhereItsChecksumsAreRight() {
    TestNode node = start(StoreScope.ALL);
    create(node, "s");
    int rows = store.rows().size();
    for (ExportFormat.Header header :
        List.of(
            header("odd", Map.of(), null),
            header("shared", Map.of("", "x"), null),
            header("shared", null, null),
            header("shared", Map.of(), -5L))) {
      byte[] file =
          ExportFormat.MAGIC.concat(ExportFormat.json(ExportFormat.HEADER, header)).toArray();
      assertThat(
              catchThrowableOfType(
                      MemSpaceException.class, () -> load(node, "copy", file, new Random(9)))
                  .code())
          .isEqualTo(ErrorCode.DAMAGED_FILE);
    }
    assertThat(store.rows().size()).as("nothing half done").isEqualTo(rows);
    assertThat(await(node.spaces().list(BEN, Optional.empty(), 10, Optional.empty())).items())
        .extracting(SpaceInfo::name)
        .containsExactly("s");
  }

  private static ExportFormat.Header header(
      String kind, Map<String, String> labels, Long retention) {
    return new ExportFormat.Header(
        ExportFormat.VERSION, "s", kind, labels, retention, null, null, 1, 1, 1, 0);
  }

  @ParameterizedTest
  @CsvSource({"ALL", "REGION"})
  void g8ImportedSpaceIsPartOfCutsFromItsImportOn(StoreScope scope) {
    TestNode node = start(scope);
    Instant written = await(create(node, "s").put(EntryKey.of("k0"), Content.text("v"))).at();
    byte[] file = export(node, "s", Optional.empty(), 0);
    load(node, "copy", file, new Random(8));
    MountedSpace copy = await(node.spaces().openOnly(BEN, "copy"));
    Instant there = await(copy.put(EntryKey.of("k0"), Content.text("w"))).at();
    TestNode.eventually(
        () -> Instant.now().isAfter(there.plusMillis(1))); // a cut has all of its millisecond
    await(
        node.spaces()
            .update(
                BEN,
                "copy",
                new UpdateSpace(
                    Optional.of(Map.of("team", "blue")), Optional.empty(), Optional.empty())));
    assertThat(cut(node, written)).containsExactly("s {team=red}");
    assertThat(cut(node, there)).containsExactly("copy {team=red}", "s {team=red}");
  }

  private static List<String> cut(TestNode node, Instant at) {
    return await(node.spaces().cuts().spaces(BEN, at, 10, Optional.empty())).items().stream()
        .map(space -> space.name() + " " + space.info().orElseThrow().labels())
        .toList();
  }

  @ParameterizedTest
  @CsvSource({"ALL", "REGION"})
  void whatWasCompactedStaysSo(StoreScope scope) {
    TestNode node = start(scope);
    String name = "s-" + UUID.randomUUID();
    MountedSpace space = create(node, name);
    for (int i = 0; i < 9; i++) {
      await(space.put(EntryKey.of("k0"), Content.text("v" + i)));
    }
    await(NucleusMem.get(node.system()).system().compact(name, 6));
    byte[] file = export(node, name, Optional.empty(), 0);
    CreatedSpace made = load(node, "copy", file, new Random(7));
    MountedSpace copy = await(node.spaces().open(BEN, made.mount().id()));
    assertThat(
            catchThrowableOfType(
                    CompactedException.class,
                    () -> await(copy.get(EntryKey.of("k0"), ReadAt.revision(5))))
                .oldest())
        .isEqualTo(6);
    assertThat(await(copy.get(EntryKey.of("k0"), ReadAt.revision(6))).orElseThrow().text())
        .isEqualTo("v5");
  }
}
