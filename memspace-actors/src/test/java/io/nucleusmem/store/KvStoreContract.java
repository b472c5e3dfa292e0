package io.nucleusmem.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every engine promises; one test per promise of {@link KvStore}. */
public abstract class KvStoreContract {
  private static final int THREADS = 4;

  private KvStore store;

  /** An empty store. */
  protected abstract KvStore open() throws Exception;

  /** The store again, after it was closed: same rows, same clock. */
  protected abstract KvStore reopen(KvStore closed) throws Exception;

  @BeforeEach
  final void openStore() throws Exception {
    store = open();
  }

  @AfterEach
  final void closeStore() {
    store.close();
  }

  // ---- rows ----

  @Test
  final void aCommittedRowIsRead() {
    commit(batch().put(key("a"), key("1")));
    assertThat(get("a")).contains(key("1"));
    assertThat(get("b")).isEmpty();
  }

  @Test
  final void anEmptyValueIsNotAbsence() {
    commit(batch().put(key("a"), Bytes.EMPTY));
    assertThat(get("a")).contains(Bytes.EMPTY);
    assertThat(now(store.getAll(List.of(key("a"))))).containsOnlyKeys(key("a"));
    assertThat(refusal(batch().insert(key("a"), key("2"))).found()).contains(Bytes.EMPTY);
  }

  @Test
  final void aDeletedRowIsGoneAndMayBeDeletedAgain() {
    commit(batch().put(key("a"), key("1")));
    commit(batch().delete(key("a")));
    commit(batch().delete(key("a")));
    assertThat(get("a")).isEmpty();
    commit(batch().insert(key("a"), key("2")));
    assertThat(get("a")).contains(key("2"));
  }

  @Test
  final void getAllFindsThoseThatExist() {
    commit(batch().put(key("a"), key("1")).put(key("c"), key("3")));
    assertThat(now(store.getAll(List.of(key("a"), key("b"), key("c")))))
        .isEqualTo(Map.of(key("a"), key("1"), key("c"), key("3")));
    assertThat(now(store.getAll(List.of()))).isEmpty();
  }

  @Test
  final void bytesAreOrderedUnsignedAndPrefixesFirst() {
    List<Bytes> keys =
        List.of(
            bytes(0),
            bytes(0, 0),
            bytes(0, 0xFF),
            bytes(1),
            bytes(0x7F),
            bytes(0x80),
            bytes(0x80, 0),
            bytes(0xFF),
            bytes(0xFF, 0),
            bytes(0xFF, 0xFF));
    List<Bytes> shuffled = new ArrayList<>(keys);
    Collections.shuffle(shuffled, new Random(7));
    shuffled.forEach(key -> commit(batch().put(key, key)));
    assertThat(keys(all(Direction.ASCENDING))).isEqualTo(keys);
    assertThat(keys(all(Direction.DESCENDING))).isEqualTo(reversed(keys));
    assertThat(keys(page(KeyRange.prefix(bytes(0xFF)), 9, Direction.ASCENDING)))
        .containsExactly(bytes(0xFF), bytes(0xFF, 0), bytes(0xFF, 0xFF));
    assertThat(keys(page(new KeyRange(bytes(0), bytes(0, 0)), 9, Direction.ASCENDING)))
        .containsExactly(bytes(0));
    assertThat(keys(page(new KeyRange(bytes(0, 0), bytes(1)), 9, Direction.DESCENDING)))
        .containsExactly(bytes(0, 0xFF), bytes(0, 0));
  }

  @ParameterizedTest
  @EnumSource(Direction.class)
  final void anEmptyRangeHasNoRows(Direction direction) {
    commit(batch().put(key("a"), key("1")).put(key("b"), key("1")));
    for (KeyRange range :
        List.of(
            new KeyRange(key("b"), key("b")),
            new KeyRange(key("b"), key("a")),
            new KeyRange(key("c"), Bytes.EMPTY),
            new KeyRange(Bytes.EMPTY, key("a")))) {
      assertThat(now(store.scan(range, 1, direction))).isEqualTo(new Page(List.of(), none()));
      assertThat(now(store.scanFloor(range, 1, 1, direction)))
          .isEqualTo(new Page(List.of(), none()));
    }
  }

  @Test
  final void theLongestKeyAndTheLargestBatchFit() {
    byte[] longest = new byte[KvStore.KEY_BYTES_MAX];
    Arrays.fill(longest, (byte) 0xFF);
    Bytes key = Bytes.wrap(longest);
    Bytes value = Bytes.wrap(new byte[(int) KvStore.BATCH_BYTES_MAX - longest.length]);
    commit(batch().put(key, value));
    assertThat(now(store.get(key))).contains(value);
    assertThat(keys(page(KeyRange.ALL, 1, Direction.DESCENDING))).containsExactly(key);
    assertThat(keys(page(KeyRange.ALL.startingAt(key), 1, Direction.ASCENDING)))
        .containsExactly(key);
  }

  @Test
  final void whatIsOverALimitIsRefusedAsABug() {
    Bytes tooLong = Bytes.wrap(new byte[KvStore.KEY_BYTES_MAX + 1]);
    Bytes half = Bytes.wrap(new byte[(int) KvStore.BATCH_BYTES_MAX / 2]);
    List<Bytes> many =
        IntStream.rangeClosed(0, KvStore.SCAN_ROWS_MAX).mapToObj(i -> key("k" + i)).toList();
    List<Callable<CompletionStage<?>>> calls =
        List.of(
            () -> store.get(tooLong),
            () -> store.get(Bytes.EMPTY),
            () -> store.getAll(many),
            () -> store.getAll(List.of(tooLong)),
            () -> store.scan(KeyRange.ALL, 0, Direction.ASCENDING),
            () -> store.scan(KeyRange.ALL, KvStore.SCAN_ROWS_MAX + 1, Direction.ASCENDING),
            () -> store.scanFloor(KeyRange.ALL, 1, 0, Direction.ASCENDING),
            () -> store.scanFloor(KeyRange.ALL, -1, 1, Direction.ASCENDING),
            () -> store.commit(batch().put(tooLong, key("v")).build()),
            () -> store.commit(batch().put(Bytes.EMPTY, key("v")).build()),
            () -> store.commit(batch().put(key("a"), half).put(key("b"), half).build()),
            () -> store.commit(batch().insert(key("a"), half).delete(key("a")).build()));
    for (int i = 0; i < calls.size(); i++) {
      int call = i;
      assertThat(catchThrowable(() -> now(calls.get(call).call())))
          .as("call %d", call)
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(all(Direction.ASCENDING)).isEmpty();
  }

  // ---- conditions ----

  @Test
  final void anInsertThatMeetsARowWritesNothingAndShowsTheRow() {
    commit(batch().put(key("a"), key("1")));
    RefusedCommitException refused =
        refusal(batch().put(key("b"), key("2")).insert(key("a"), key("2")).delete(key("c")));
    assertThat(refused.key()).isEqualTo(key("a"));
    assertThat(refused.found()).contains(key("1"));
    assertThat(all(Direction.ASCENDING)).containsExactly(new Row(key("a"), key("1")));
  }

  @Test
  final void aRequiredRowThatIsMissingRefusesTheBatch() {
    RefusedCommitException refused = refusal(batch().put(key("b"), key("2")).require(key("a")));
    assertThat(refused.key()).isEqualTo(key("a"));
    assertThat(refused.found()).isEmpty();
    assertThat(all(Direction.ASCENDING)).isEmpty();
  }

  @Test
  final void aRequiredRowThatIsThereStaysAsItIs() {
    commit(batch().put(key("a"), key("1")));
    commit(batch().require(key("a")).insert(key("b"), key("2")));
    commit(batch().require(key("a")));
    assertThat(all(Direction.ASCENDING))
        .containsExactly(new Row(key("a"), key("1")), new Row(key("b"), key("2")));
  }

  @Test
  final void aFailedInsertIsNamedBeforeAFailedRequire() {
    commit(batch().put(key("a"), key("1")));
    assertThat(refusal(batch().require(key("b")).insert(key("a"), key("2"))).found())
        .contains(key("1"));
  }

  @Test
  final void conditionsSeeCommitsThatWereSentBeforeAndAreNotAnsweredYet() {
    CompletionStage<Void> first = store.commit(batch().insert(key("a"), key("1")).build());
    CompletionStage<Void> second =
        store.commit(batch().require(key("a")).insert(key("b"), key("2")).build());
    CompletionStage<Void> loser = store.commit(batch().insert(key("a"), key("3")).build());
    CompletionStage<Void> gone = store.commit(batch().delete(key("a")).build());
    CompletionStage<Void> again = store.commit(batch().insert(key("a"), key("4")).build());
    now(first);
    now(second);
    assertThatThrownBy(() -> now(loser))
        .isInstanceOfSatisfying(
            RefusedCommitException.class, e -> assertThat(e.found()).contains(key("1")));
    now(gone);
    now(again);
    assertThat(get("a")).contains(key("4"));
  }

  @Test
  final void ofManyThatInsertOneKeyOneWins() throws Exception {
    for (int round = 0; round < 20; round++) {
      Bytes key = key("k" + round);
      AtomicInteger won = new AtomicInteger();
      Set<Bytes> found = ConcurrentHashMap.newKeySet();
      inThreads(
          thread -> {
            try {
              commit(batch().insert(key, key("by" + thread)));
              won.incrementAndGet();
              found.add(key("by" + thread));
            } catch (RefusedCommitException e) {
              found.add(e.found().orElseThrow());
            }
          });
      assertThat(won).hasValue(1);
      assertThat(found).hasSize(1);
    }
  }

  @Test
  final void aBatchSentAgainIsAnsweredWithSuccessOrRefusedByItsOwnRow() {
    WriteBatch batch = batch().insert(key("a"), key("1")).put(key("b"), key("1")).build();
    now(store.commit(batch));
    try {
      now(store.commit(batch));
    } catch (RefusedCommitException e) {
      assertThat(e.key()).isEqualTo(key("a"));
      assertThat(e.found()).contains(key("1"));
    }
    assertThat(all(Direction.ASCENDING)).hasSize(2);
  }

  @Test
  final void aCompletedCommitIsVisibleToEveryThread() throws Exception {
    inThreads(
        thread -> {
          for (int i = 0; i < 50; i++) {
            Bytes key = key(thread + "/" + i);
            Optional<Bytes> seen =
                now(
                    store
                        .commit(batch().put(key, key("v")).build())
                        .thenCompose(done -> store.get(key)));
            assertThat(seen).contains(key("v"));
          }
        });
  }

  @Test
  final void aBatchIsSeenWholeOrNotAtAll() throws Exception {
    commit(batch().put(key("a"), key("0")).put(key("b"), key("0")));
    inThreads(
        thread -> {
          for (int i = 0; i < 100; i++) {
            if (thread == 0) {
              commit(batch().put(key("a"), key("" + i)).put(key("b"), key("" + i)));
            } else {
              Map<Bytes, Bytes> both = now(store.getAll(List.of(key("a"), key("b"))));
              assertThat(both.get(key("a"))).isEqualTo(both.get(key("b")));
              List<Row> scanned = all(Direction.values()[thread % 2]);
              assertThat(scanned.get(0).value()).isEqualTo(scanned.get(1).value());
            }
          }
        });
  }

  // ---- scans ----

  @Test
  final void aFloorScanTakesTheNewestVersionAtOrBelow() { // the example of KvStore.scanFloor
    commit(batch().put(version("a", 3), key("a3")).put(version("a", 1), key("a1")));
    commit(batch().put(version("b", 2), key("b2")));
    assertThat(keys(floors(2, 9, Direction.ASCENDING)))
        .containsExactly(version("a", 1), version("b", 2));
    assertThat(keys(floors(2, 9, Direction.DESCENDING)))
        .containsExactly(version("b", 2), version("a", 1));
    assertThat(keys(floors(1, 9, Direction.ASCENDING))).containsExactly(version("a", 1));
    assertThat(keys(floors(Long.MAX_VALUE, 9, Direction.ASCENDING)))
        .containsExactly(version("a", 3), version("b", 2));
    assertThat(keys(floors(0, 9, Direction.DESCENDING))).isEmpty();
  }

  @Test
  final void aPageOfAFloorScanMayHoldNoRowAndStillHaveARest() {
    commit(batch().put(version("a", 9), key("1")).put(version("b", 9), key("1")));
    commit(batch().put(version("c", 1), key("1")));
    Page first = now(store.scanFloor(KeyRange.ALL, 5, 1, Direction.ASCENDING));
    assertThat(first.rows()).isEmpty();
    assertThat(first.rest()).isPresent();
    assertThat(keys(floors(5, 1, Direction.ASCENDING))).containsExactly(version("c", 1));
    assertThat(keys(floors(5, 1, Direction.DESCENDING))).containsExactly(version("c", 1));
  }

  @Test
  final void aFloorScanFindsItsWayThroughManyVersionsAndFfBytes() {
    List<Bytes> prefixes = List.of(bytes(0), bytes(1, 0xFF), bytes(0xFE), bytes(0xFF, 0xFF));
    for (Bytes prefix : prefixes) {
      WriteBatch.Builder batch = batch();
      for (long revision = 0; revision < 40; revision++) {
        batch.put(version(prefix, revision * 2), Bytes.EMPTY);
      }
      commit(batch);
    }
    for (long revision : new long[] {0, 1, 7, 40, 77, 78, 1000}) {
      long expected = Math.min(78, revision / 2 * 2);
      List<Bytes> keys = prefixes.stream().map(prefix -> version(prefix, expected)).toList();
      for (int limit = 1; limit <= 5; limit++) {
        assertThat(keys(floors(revision, limit, Direction.ASCENDING)))
            .as("revision %d, limit %d", revision, limit)
            .isEqualTo(keys);
        assertThat(keys(floors(revision, limit, Direction.DESCENDING)))
            .as("revision %d, limit %d", revision, limit)
            .isEqualTo(reversed(keys));
      }
    }
  }

  @Test
  final void aFullPageNamesWhatIsLeft() {
    for (int i = 0; i < 5; i++) {
      commit(batch().put(key("k" + i), key("v")));
    }
    KeyRange range = new KeyRange(key("k1"), key("k4"));
    Page up = now(store.scan(range, 2, Direction.ASCENDING));
    assertThat(keys(up.rows())).containsExactly(key("k1"), key("k2"));
    assertThat(keys(page(up.rest().orElseThrow(), 2, Direction.ASCENDING)))
        .containsExactly(key("k3"));
    Page down = now(store.scan(range, 2, Direction.DESCENDING));
    assertThat(keys(down.rows())).containsExactly(key("k3"), key("k2"));
    assertThat(keys(page(down.rest().orElseThrow(), 2, Direction.DESCENDING)))
        .containsExactly(key("k1"));
    assertThat(now(store.scan(range, 3, Direction.ASCENDING)).rest()).isEmpty();
    assertThat(now(store.scan(range, 3, Direction.DESCENDING)).rest()).isEmpty();
  }

  // ---- property: agrees with a sorted map ----

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  final void agreesWithASortedMap(long seed) {
    Random random = new Random(seed); // few keys, so that inserts, puts and deletes collide
    TreeMap<Bytes, Bytes> model = new TreeMap<>();
    for (int step = 0; step < 300; step++) {
      String at = "seed %d, step %d".formatted(seed, step);
      WriteBatch batch = randomBatch(random);
      assertThat(outcome(() -> commitOf(batch))).as(at).isEqualTo(expected(model, batch));
      assertThat(all(Direction.ASCENDING)).as(at).isEqualTo(rows(model));
      KeyRange range = randomRange(random);
      int limit = 1 + random.nextInt(6);
      long revision = random.nextInt(8);
      for (Direction direction : Direction.values()) {
        assertThat(pages(range, limit, direction))
            .as("%s, scan %s %d %s", at, range, limit, direction)
            .isEqualTo(modelScan(model, range, direction));
        assertThat(floors(range, revision, limit, direction))
            .as("%s, floor %s at %d %d %s", at, range, revision, limit, direction)
            .isEqualTo(modelFloor(model, range, revision, direction));
      }
    }
  }

  private WriteBatch randomBatch(Random random) {
    WriteBatch.Builder batch = batch();
    Set<Bytes> used = new ConcurrentSkipListSet<>();
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      Bytes key = version(randomPrefix(random), random.nextInt(8));
      Bytes value = key("v" + random.nextInt(100));
      if (used.add(key)) {
        switch (random.nextInt(8)) {
          case 0 -> batch.require(key);
          case 1, 2 -> batch.delete(key);
          case 3, 4 -> batch.insert(key, value);
          default -> batch.put(key, value);
        }
      }
    }
    return batch.build();
  }

  private static Bytes randomPrefix(Random random) { // of one length: none begins another
    int[] edges = {0, 1, 0x7F, 0x80, 0xFF};
    return bytes(edges[random.nextInt(5)], edges[random.nextInt(5)]);
  }

  private static KeyRange randomRange(Random random) {
    return new KeyRange(
        random.nextBoolean() ? Bytes.EMPTY : randomPrefix(random),
        random.nextBoolean() ? Bytes.EMPTY : randomPrefix(random));
  }

  private static String expected(TreeMap<Bytes, Bytes> model, WriteBatch batch) {
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Insert && model.containsKey(op.key())) {
        return "exists " + op.key() + model.get(op.key());
      }
    }
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Require && !model.containsKey(op.key())) {
        return "missing " + op.key();
      }
    }
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Insert insert) {
        model.put(insert.key(), insert.value());
      } else if (op instanceof WriteBatch.Put put) {
        model.put(put.key(), put.value());
      } else if (op instanceof WriteBatch.Delete) {
        model.remove(op.key());
      }
    }
    return "done";
  }

  private static String outcome(Runnable commit) {
    try {
      commit.run();
      return "done";
    } catch (RefusedCommitException e) {
      return e.found().map(row -> "exists " + e.key() + row).orElse("missing " + e.key());
    }
  }

  private static List<Row> modelScan(
      TreeMap<Bytes, Bytes> model, KeyRange range, Direction direction) {
    List<Row> rows = rows(model).stream().filter(row -> range.contains(row.key())).toList();
    return direction == Direction.ASCENDING ? rows : reversed(rows);
  }

  private static List<Row> modelFloor(
      TreeMap<Bytes, Bytes> model, KeyRange range, long revision, Direction direction) {
    TreeMap<Bytes, Row> floors = new TreeMap<>();
    for (Row row : modelScan(model, range, Direction.ASCENDING)) {
      int prefix = row.key().length() - KvStore.VERSION_BYTES;
      if (~new BytesReader(row.key(), prefix).i64() <= revision) {
        floors.putIfAbsent(row.key().slice(0, prefix), row);
      }
    }
    List<Row> rows = List.copyOf(floors.values());
    return direction == Direction.ASCENDING ? rows : reversed(rows);
  }

  // ---- the clock, and the end ----

  @Test
  final void timestampsAreUniqueAndRiseInEveryThread() throws Exception {
    Set<Long> all = ConcurrentHashMap.newKeySet();
    inThreads(
        thread -> {
          long last = 0;
          for (int i = 0; i < 5_000; i++) {
            long next = time();
            assertThat(next).isGreaterThan(last);
            last = next;
            all.add(next);
          }
        });
    assertThat(all).hasSize(THREADS * 5_000);
  }

  @Test
  final void rowsAndTimeGoOnAfterAReopening() throws Exception {
    commit(batch().put(key("a"), key("1")).put(key("b"), Bytes.EMPTY));
    for (int life = 0; life < 3; life++) {
      long before = time();
      store.close();
      store = reopen(store);
      assertThat(time()).isGreaterThan(before);
      assertThat(all(Direction.ASCENDING))
          .containsExactly(new Row(key("a"), key("1")), new Row(key("b"), Bytes.EMPTY));
    }
  }

  @Test
  final void aClosedStoreFailsEveryCall() {
    WriteBatch batch = batch().put(key("a"), key("1")).build();
    store.close();
    store.close();
    List<Callable<CompletionStage<?>>> calls =
        List.of(
            () -> store.get(key("a")),
            () -> store.getAll(List.of(key("a"))),
            () -> store.scan(KeyRange.ALL, 1, Direction.ASCENDING),
            () -> store.scanFloor(KeyRange.ALL, 1, 1, Direction.ASCENDING),
            () -> store.commit(batch),
            () -> store.now(),
            () -> store.ping());
    for (int i = 0; i < calls.size(); i++) {
      int call = i;
      assertThatThrownBy(() -> now(calls.get(call).call()))
          .as("call %d", call)
          .isExactlyInstanceOf(StoreException.class)
          .hasMessageContaining("closed");
    }
  }

  @Test
  final void anOpenStoreAnswersAPing() {
    now(store.ping());
  }

  @Test
  final void closingFinishesWhatWasAcceptedAndRefusesTheRest() throws Exception {
    Set<Bytes> acknowledged = ConcurrentHashMap.newKeySet();
    Set<Bytes> tried = ConcurrentHashMap.newKeySet();
    inThreads(
        thread -> {
          for (int i = 0; i < 400; i++) {
            Bytes key = key(thread + "/" + i);
            if (thread == 0 && i == 100) {
              store.close();
            }
            tried.add(key);
            try {
              now(store.commit(WriteBatch.at(thread * 1_000L + i).put(key, key).build()));
              acknowledged.add(key);
            } catch (StoreException e) {
              assertThat(e).hasMessageContaining("closed");
              assertThat(e).isExactlyInstanceOf(StoreException.class);
            }
          }
        });
    store = reopen(store);
    assertThat(Set.copyOf(keys(all(Direction.ASCENDING)))).isEqualTo(acknowledged);
    assertThat(tried.size()).isGreaterThan(acknowledged.size());
  }

  @Test
  final void readersMayBeUnderWayWhenTheStoreCloses() throws Exception {
    commit(batch().put(key("a"), key("1")));
    inThreads(
        thread -> {
          for (int i = 0; i < 2_000; i++) {
            if (thread == 0 && i == 1_000) {
              store.close();
            }
            try {
              assertThat(now(store.scan(KeyRange.ALL, 1, Direction.ASCENDING)).rows()).hasSize(1);
              assertThat(get("a")).isPresent();
            } catch (StoreException e) {
              assertThat(e).hasMessageContaining("closed");
            }
          }
        });
  }

  // ---- helpers ----

  /** A task that is told its number, from 0 on. */
  private interface Numbered {
    void run(int number) throws Exception;
  }

  private static void inThreads(Numbered task) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        int number = i;
        all.add(
            threads.submit(
                () -> {
                  task.run(number);
                  return null;
                }));
      }
      for (Future<?> each : all) {
        each.get(60, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  /** What a stage gives, or its failure as it is. */
  protected static <T> T now(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().orTimeout(30, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private long time() {
    return now(store.now());
  }

  private WriteBatch.Builder batch() {
    return WriteBatch.at(time());
  }

  private void commit(WriteBatch.Builder batch) {
    commitOf(batch.build());
  }

  private void commitOf(WriteBatch batch) {
    now(store.commit(batch));
  }

  private RefusedCommitException refusal(WriteBatch.Builder batch) {
    Throwable refused = catchThrowable(() -> commit(batch));
    assertThat(refused).isInstanceOf(RefusedCommitException.class);
    return (RefusedCommitException) refused;
  }

  private Optional<Bytes> get(String key) {
    return now(store.get(key(key)));
  }

  private List<Row> all(Direction direction) {
    return page(KeyRange.ALL, KvStore.SCAN_ROWS_MAX, direction);
  }

  private List<Row> page(KeyRange range, int limit, Direction direction) {
    return now(store.scan(range, limit, direction)).rows();
  }

  private List<Row> pages(KeyRange range, int limit, Direction direction) {
    List<Row> all = new ArrayList<>();
    Optional<KeyRange> rest = Optional.of(range);
    while (rest.isPresent()) {
      Page page = now(store.scan(rest.get(), limit, direction));
      assertThat(page.rows()).hasSizeLessThanOrEqualTo(limit);
      all.addAll(page.rows());
      rest = page.rest();
    }
    return all;
  }

  private List<Row> floors(long revision, int limit, Direction direction) {
    return floors(KeyRange.ALL, revision, limit, direction);
  }

  private List<Row> floors(KeyRange range, long revision, int limit, Direction direction) {
    List<Row> all = new ArrayList<>();
    Optional<KeyRange> rest = Optional.of(range);
    while (rest.isPresent()) {
      Page page = now(store.scanFloor(rest.get(), revision, limit, direction));
      assertThat(page.rows()).hasSizeLessThanOrEqualTo(limit);
      all.addAll(page.rows());
      rest = page.rest();
    }
    return all;
  }

  private static Optional<KeyRange> none() {
    return Optional.empty();
  }

  private static Bytes key(String text) {
    return Bytes.utf8(text);
  }

  private static Bytes version(String prefix, long revision) {
    return version(key(prefix), revision);
  }

  private static Bytes version(Bytes prefix, long revision) {
    return new BytesWriter(16).raw(prefix).i64(~revision).toBytes();
  }

  private static Bytes bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return Bytes.wrap(bytes);
  }

  private static List<Bytes> keys(List<Row> rows) {
    return rows.stream().map(Row::key).toList();
  }

  private static List<Row> rows(TreeMap<Bytes, Bytes> model) {
    return model.entrySet().stream().map(e -> new Row(e.getKey(), e.getValue())).toList();
  }

  private static <T> List<T> reversed(List<T> list) {
    List<T> copy = new ArrayList<>(list);
    Collections.reverse(copy);
    return copy;
  }
}
