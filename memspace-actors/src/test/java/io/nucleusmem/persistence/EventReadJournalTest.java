package io.nucleusmem.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import akka.NotUsed;
import akka.persistence.query.EventEnvelope;
import akka.persistence.query.Offset;
import akka.persistence.query.PersistenceQuery;
import akka.stream.javadsl.Sink;
import akka.stream.javadsl.SinkQueueWithCancel;
import akka.stream.javadsl.Source;
import io.nucleusmem.StoreSetup;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EventReadJournalTest {
  private final TreeStore store = new TreeStore();
  private final JournalDao dao =
      new JournalDao(store, new JournalSettings(1 << 20, 4, 1 << 20, 100));
  private TestNode node;
  private EventReadJournal queries;

  @BeforeEach
  void start() {
    node = TestNode.start(StoreSetup.borrowed(store), "nucleusmem.query.page-rows-max = 2");
    queries =
        PersistenceQuery.get(node.system())
            .getReadJournalFor(EventReadJournal.class, EventReadJournal.IDENTIFIER);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  @Test
  void currentEventsAreThoseWithinBoundsOverSeveralPages() throws Exception {
    write("a", 1, 2, 3, 4, 5);
    assertThat(all(queries.currentEventsByPersistenceId("a", 0, Long.MAX_VALUE)))
        .extracting(EventEnvelope::event)
        .containsExactly("a1", "a2", "a3", "a4", "a5");
    assertThat(all(queries.currentEventsByPersistenceId("a", 2, 4)))
        .extracting(EventEnvelope::sequenceNr)
        .containsExactly(2L, 3L, 4L);
    assertThat(all(queries.currentEventsByPersistenceId("b", 0, Long.MAX_VALUE))).isEmpty();
  }

  @Test
  void anEventsOffsetIsItsNumber() throws Exception {
    write("a", 1);
    var envelope = all(queries.currentEventsByPersistenceId("a", 0, Long.MAX_VALUE)).get(0);
    assertThat(envelope.offset()).isEqualTo(Offset.sequence(1));
    assertThat(envelope.persistenceId()).isEqualTo("a");
    assertThat(envelope.timestamp()).isPositive();
  }

  @Test
  void deletedEventsAreLeftOut() throws Exception {
    write("a", 1, 2, 3);
    get(dao.deleteTo("a", 2));
    assertThat(all(queries.currentEventsByPersistenceId("a", 0, Long.MAX_VALUE)))
        .extracting(EventEnvelope::sequenceNr)
        .containsExactly(3L);
    assertThat(all(queries.eventsByPersistenceId("a", 0, 2))).isEmpty();
  }

  @Test
  void liveEventsArriveAsTheyAreWrittenAndEndAtTheirBound() throws Exception {
    write("a", 1);
    var live = run(queries.eventsByPersistenceId("a", 0, 4));
    assertThat(next(live).event()).isEqualTo("a1");
    write("a", 2, 3);
    assertThat(next(live).event()).isEqualTo("a2");
    assertThat(next(live).event()).isEqualTo("a3");
    write("a", 4, 5);
    assertThat(next(live).event()).isEqualTo("a4");
    assertThat(get(live.pull())).isEmpty();
  }

  @Test
  void currentIdsAreThoseThatHaveWritten() throws Exception {
    for (String id : List.of("b", "a", "c\0d", "c", "e")) {
      write(id, 1);
    }
    assertThat(all(queries.currentPersistenceIds())).containsExactly("a", "b", "c", "c\0d", "e");
    assertThat(all(queries.currentPersistenceIds(Optional.of("b"), 2)))
        .containsExactly("c", "c\0d");
    assertThat(all(queries.currentPersistenceIds(Optional.of("e"), 2))).isEmpty();
  }

  @Test
  void liveIdsArriveOnceEach() throws Exception {
    write("b", 1);
    var live = run(queries.persistenceIds());
    assertThat(next(live)).isEqualTo("b");
    write("b", 2);
    write("a", 1);
    assertThat(next(live)).isEqualTo("a");
    write("c", 1);
    assertThat(next(live)).isEqualTo("c");
    live.cancel();
  }

  @Test
  void theScalaFaceGivesTheSame() throws Exception {
    write("a", 1, 2, 3);
    var scala = new ScalaEventReadJournal(queries);
    assertThat(all(scala.currentEventsByPersistenceId("a", 0, Long.MAX_VALUE).asJava()))
        .isEqualTo(all(queries.currentEventsByPersistenceId("a", 0, Long.MAX_VALUE)));
    assertThat(all(scala.currentPersistenceIds().asJava())).containsExactly("a");
  }

  private void write(String id, int... numbers) throws Exception {
    var rows = new ArrayList<List<EventRow>>();
    for (int number : numbers) {
      rows.add(
          List.of(
              new EventRow(
                  number,
                  0,
                  "writer",
                  "",
                  List.of(),
                  Optional.of(new Payloads(node.system()).write(id + number)),
                  Optional.empty())));
    }
    get(dao.write(id, rows));
  }

  private <T> List<T> all(Source<T, NotUsed> source) throws Exception {
    return get(source.runWith(Sink.seq(), node.system()));
  }

  private <T> SinkQueueWithCancel<T> run(Source<T, NotUsed> source) {
    return source.runWith(Sink.queue(), node.system());
  }

  private static <T> T next(SinkQueueWithCancel<T> queue) throws Exception {
    return get(queue.pull()).orElseThrow();
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(120, TimeUnit.SECONDS);
  }
}
