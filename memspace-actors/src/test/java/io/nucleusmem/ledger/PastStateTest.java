package io.nucleusmem.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.memory.MemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** G7: what rows of state were, against a map for every instant. */
class PastStateTest {
  private static final byte TABLE = 2;
  private static final LedgerId ID = LedgerId.random();

  private final MemoryStore store = new MemoryStore(StoreScope.ALL);

  private static <T> T now(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }

  private static StateKey key(String name) {
    return new StateKey(TABLE, Bytes.utf8(name));
  }

  private void change(String name, long time, String value) {
    Change.OfState change =
        new Change.OfState(key(name), value == null ? null : Bytes.utf8(value), true);
    LogRow row = new LogRow(time, 0, time, List.of(new LogRecord("a", null, List.of(change))));
    WriteBatch.Builder batch = WriteBatch.at(now(store.now()));
    PastState.addRows(batch, ID, List.of(row));
    now(store.commit(batch.build()));
  }

  private Map<StateKey, Bytes> at(long time) {
    return now(new LedgerReader(store, ID).past().table(TABLE, time));
  }

  /** The example of the class. */
  @Test
  void aRowIsWhatItWasFromEachCommitOn() {
    change("m", 10, "a");
    change("m", 20, "b");
    change("m", 30, null);
    change("mm", 15, "other");
    assertThat(at(9)).isEmpty();
    assertThat(at(14)).isEqualTo(Map.of(key("m"), Bytes.utf8("a")));
    assertThat(at(20)).isEqualTo(Map.of(key("m"), Bytes.utf8("b"), key("mm"), Bytes.utf8("other")));
    assertThat(at(30)).isEqualTo(Map.of(key("mm"), Bytes.utf8("other")));
    assertThat(now(new LedgerReader(store, ID).past().row(key("m"), 29)))
        .isEqualTo(Map.of(key("m"), Bytes.utf8("b")));
  }

  @Test
  void ofTwoChangesInOneCommitTheLastCounts() {
    LogRecord made =
        new LogRecord("a", null, List.of(new Change.OfState(key("m"), Bytes.utf8("a"), true)));
    LogRecord removed = new LogRecord("a", null, List.of(new Change.OfState(key("m"), null, true)));
    LogRecord notKept =
        new LogRecord("a", null, List.of(new Change.OfState(key("n"), Bytes.utf8("x"))));
    WriteBatch.Builder batch = WriteBatch.at(now(store.now()));
    PastState.addRows(batch, ID, List.of(new LogRow(1, 0, 7, List.of(made, removed, notKept))));
    now(store.commit(batch.build()));
    assertThat(at(8)).isEmpty();
    assertThat(LogRow.decode(1, new LogRow(1, 0, 7, List.of(made, notKept)).encode(true)))
        .isEqualTo(new LogRow(1, 0, 7, List.of(made, notKept)));
  }

  /** Whatever is removed, in any order and however far it comes, later instants stay the same. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void whatIsToldAfterACutOfThePastIsWhatWasToldBefore(long seed) {
    Random random = new Random(seed);
    TreeMap<String, String> model = new TreeMap<>();
    TreeMap<Long, Map<StateKey, Bytes>> then = new TreeMap<>();
    for (long time = 1; time <= 120; time++) {
      String name = "m" + random.nextInt(6);
      String value = random.nextInt(3) == 0 ? null : "v" + time;
      change(name, time, value);
      if (value == null) {
        model.remove(name);
      } else {
        model.put(name, value);
      }
      Map<StateKey, Bytes> all = new TreeMap<>();
      model.forEach((each, is) -> all.put(key(each), Bytes.utf8(is)));
      then.put(time, all);
    }
    then.forEach((time, all) -> assertThat(at(time)).as("seed %d, %d", seed, time).isEqualTo(all));

    long oldest = 1 + random.nextInt(120);
    List<Row> rows = now(store.scan(LedgerKeys.past(ID), 1_000, Direction.ASCENDING)).rows();
    PastCut cut = new PastCut(oldest);
    List<Row> gone = new ArrayList<>();
    rows.forEach(row -> gone.addAll(cut.goes(row)));
    gone.addAll(cut.rest());
    for (Row row : gone) { // one after the other, as when it is cut short at any of them
      now(store.commit(WriteBatch.at(now(store.now())).delete(row.key()).build()));
      for (long time = oldest; time <= 120; time += 7) {
        assertThat(at(time)).as("seed %d, %d", seed, time).isEqualTo(then.get(time));
      }
    }
    then.tailMap(oldest)
        .forEach((time, all) -> assertThat(at(time)).as("seed %d", seed).isEqualTo(all));
    List<Row> left = now(store.scan(LedgerKeys.past(ID), 1_000, Direction.ASCENDING)).rows();
    long behind =
        left.stream().filter(row -> LedgerKeys.parsePast(row.key()).timestamp() <= oldest).count();
    assertThat(behind).as("one row each is left of before").isEqualTo(then.get(oldest).size());
  }
}
