package io.nucleusmem.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nucleusmem.persistence.FaultyStore.Fault;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Promise G3 (fenced) for persistence ids: two incarnations on two nodes, each with its own DAO
 * over one store, and commits whose fate is unknown (ledger-protocol 1.3, 1.4, 13.3).
 */
class JournalFenceTest {
  private static final String ID = "agent|7";

  private final FaultyStore store = new FaultyStore(new TreeStore());
  private final JournalSettings settings = new JournalSettings(1 << 20, 4, 1 << 20, 2);
  private final JournalDao ours = new JournalDao(store, settings);
  private final JournalDao theirs = new JournalDao(store, settings);

  @Test
  void whoWritesANumberSecondIsRefusedWithItsWholeGroup() throws Exception {
    get(ours.write(ID, List.of(group(1, "ours"))));
    assertStale(theirs.write(ID, List.of(group(1, "theirs", "theirs"))), 1);
    assertThat(eventsOf(theirs)).containsExactly("ours");
  }

  @Test
  void whoWritesBehindANumberThatIsNotThereIsRefused() throws Exception {
    get(ours.write(ID, List.of(group(1, "one"))));
    assertStale(theirs.write(ID, List.of(group(3, "three"))), 3);
    assertThat(eventsOf(ours)).containsExactly("one");
  }

  @Test
  void aCommitWithAHoleIsRefused() throws Exception {
    assertFails(
        ours.write(ID, List.of(group(1, "one"), group(3, "three"))),
        IllegalArgumentException.class);
    assertThat(eventsOf(ours)).isEmpty();
  }

  @Test
  void aStaleWriterIsRefusedAlthoughTheNumbersItKnowsWereDeleted() throws Exception {
    get(ours.write(ID, List.of(group(1, "1", "2", "3", "4", "5", "6"))));
    get(ours.deleteTo(ID, Long.MAX_VALUE));
    for (long stale = 1; stale <= 6; stale++) {
      assertStale(theirs.write(ID, List.of(group(stale, "stale"))), stale);
    }
    get(theirs.write(ID, List.of(group(7, "7"))));
    assertThat(eventsOf(ours)).containsExactly("7");
  }

  @Test
  void aLateRequestIsRefusedOnceAnotherHasItsNumber() throws Exception {
    get(ours.write(ID, List.of(group(1, "one"))));
    store.next(Fault.LATE_REQUEST);
    assertFails(ours.write(ID, List.of(group(2, "late"))), UndeterminedCommitException.class);

    assertThat(get(theirs.highestSequenceNr(ID))).isEqualTo(1);
    get(theirs.write(ID, List.of(group(2, "theirs"))));
    assertThat(store.landLate().toCompletableFuture()).isCompletedExceptionally();
    assertThat(eventsOf(theirs)).containsExactly("one", "theirs");
  }

  @Test
  void aLateRequestThatLandsFirstFencesWhoReadBeforeIt() throws Exception {
    get(ours.write(ID, List.of(group(1, "one"))));
    store.next(Fault.LATE_REQUEST);
    assertFails(ours.write(ID, List.of(group(2, "late"))), UndeterminedCommitException.class);

    assertThat(get(theirs.highestSequenceNr(ID))).isEqualTo(1);
    get(store.landLate());
    assertStale(theirs.write(ID, List.of(group(2, "theirs"))), 2);
    assertThat(eventsOf(theirs)).containsExactly("one", "late");
  }

  @Test
  void aCommitWhoseAnswerWasLostFailsAndIsThereAfterRecovery() throws Exception {
    store.next(Fault.LOST_ANSWER);
    assertFails(ours.write(ID, List.of(group(1, "one"))), UndeterminedCommitException.class);
    assertThat(get(ours.highestSequenceNr(ID))).isEqualTo(1);
    assertThat(eventsOf(ours)).containsExactly("one");
  }

  @Test
  void aRefusalByOurOwnRowIsSuccess() throws Exception {
    store.next(Fault.SENT_TWICE, Fault.SENT_TWICE);
    get(ours.write(ID, List.of(group(1, "one", "two"))));
    get(ours.write(ID, List.of(group(3, "three"))));
    assertThat(eventsOf(ours)).containsExactly("one", "two", "three");
  }

  @Test
  void aWriteQueuedBehindOneThatFailedFailsWithIt() throws Exception {
    var gate = new GatedStore(store);
    var queued = new JournalDao(gate, settings);
    store.next(Fault.TRANSIENT);
    var first = queued.write(ID, List.of(group(1, "one")));
    var second = queued.write(ID, List.of(group(1, "one, but of a later command")));
    gate.open();
    assertFails(first, TransientStoreException.class);
    assertFails(second, TransientStoreException.class);
    assertThat(eventsOf(ours)).isEmpty();
  }

  @Test
  void highestNumberWaitsForTheWritesUnderWay() throws Exception {
    var gate = new GatedStore(store);
    var queued = new JournalDao(gate, settings);
    var write = queued.write(ID, List.of(group(1, "one")));
    var highest = queued.highestSequenceNr(ID);
    assertThat(highest.toCompletableFuture()).isNotDone();
    gate.open();
    get(write);
    assertThat(get(highest)).isEqualTo(1);
  }

  @Test
  void aDeleteCutShortHidesTheEventsAndTheNextOneRemovesTheirRows() throws Exception {
    get(ours.write(ID, List.of(group(1, "1", "2", "3", "4", "5", "6", "7"))));
    store.next(Fault.NONE, Fault.NONE, Fault.TRANSIENT); // the marker, two rows, then the crash
    assertFails(ours.deleteTo(ID, 6), TransientStoreException.class);
    assertThat(eventsOf(ours)).containsExactly("7");
    assertThat(rowsLeft()).isEqualTo(5);

    get(ours.deleteTo(ID, 6));
    assertThat(eventsOf(ours)).containsExactly("7");
    assertThat(rowsLeft()).isEqualTo(1);
  }

  @Test
  void groupsShareACommitOnlyAsFarAsTheLimitAllows() throws Exception {
    var sizes = new ArrayList<Long>();
    var recording =
        new ForwardingStore(store) {
          @Override
          public CompletionStage<Void> commit(WriteBatch batch) {
            sizes.add(batch.bytes());
            return super.commit(batch);
          }
        };
    List<List<EventRow>> groups = new ArrayList<>();
    for (int number = 1; number <= 10; number++) {
      groups.add(group(number, "x".repeat(8_000)));
    }
    get(new JournalDao(recording, new JournalSettings(20_000, 4, 1, 1)).write(ID, groups));
    assertThat(sizes).hasSize(5).allMatch(bytes -> bytes <= 20_000);
    assertThat(eventsOf(ours)).hasSize(10);
  }

  @Test
  void manyPagesDoNotGrowTheStack() throws Exception {
    for (int first = 1; first < 40_000; first += 1_000) {
      get(ours.write(ID, List.of(group(first, "x".repeat(1_000).split("")))));
    }
    assertThat(eventsOf(new JournalDao(store, new JournalSettings(1 << 20, 1, 1, 1))))
        .hasSize(40_000);
  }

  // ---- helpers ----

  private int rowsLeft() throws Exception {
    return get(store.scan(PersistenceKeys.events(ID, 1, Long.MAX_VALUE), 100, Direction.ASCENDING))
        .rows()
        .size();
  }

  private static List<EventRow> group(long first, String... events) {
    List<EventRow> rows = new ArrayList<>();
    for (String event : events) {
      rows.add(
          new EventRow(
              first + rows.size(),
              0,
              "writer",
              "",
              List.of(),
              Optional.of(new Serialized(1, "", Bytes.utf8(event))),
              Optional.empty()));
    }
    return rows;
  }

  private static List<String> eventsOf(JournalDao dao) throws Exception {
    List<String> events = new ArrayList<>();
    get(
        dao.replay(
            ID,
            1,
            Long.MAX_VALUE,
            Long.MAX_VALUE,
            row -> events.add(row.event().orElseThrow().bytes().utf8())));
    return events;
  }

  private static void assertStale(CompletionStage<Void> write, long number) {
    assertThatThrownBy(() -> get(write))
        .isInstanceOfSatisfying(
            StaleWriterException.class,
            e -> {
              assertThat(e.persistenceId()).isEqualTo(ID);
              assertThat(e.number()).isEqualTo(number);
            });
  }

  private static void assertFails(CompletionStage<?> stage, Class<?> type) {
    assertThatThrownBy(() -> get(stage)).isInstanceOf(type);
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    try {
      return stage.toCompletableFuture().get(120, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw Stages.cause(e.getCause()) instanceof Exception cause ? cause : e;
    }
  }

  /** Answers {@code now()} only when opened, so that writes wait. */
  private static final class GatedStore extends ForwardingStore {
    private final CompletableFuture<Void> gate = new CompletableFuture<>();

    GatedStore(KvStore store) {
      super(store);
    }

    void open() {
      gate.complete(null);
    }

    @Override
    public CompletionStage<Long> now() {
      return gate.thenCompose(ignored -> super.now());
    }
  }
}
