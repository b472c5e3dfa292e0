package io.nucleusmem.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.ActorRef;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.javadsl.Adapter;
import akka.persistence.AtomicWrite;
import akka.persistence.JournalProtocol;
import akka.persistence.Persistence;
import akka.persistence.PersistentEnvelope;
import akka.persistence.PersistentRepr;
import akka.persistence.journal.Tagged;
import io.nucleusmem.CborSerializable;
import io.nucleusmem.StoreSetup;
import io.nucleusmem.store.KvStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import scala.jdk.javaapi.CollectionConverters;

/** What Akka's journal TCK demands, and what we promise beyond it, by the messages Akka sends. */
abstract class JournalContract {
  protected abstract KvStore open() throws Exception;

  /** An event that our own binding serializes. */
  record Noted(String text) implements CborSerializable {}

  /** Has no serializer. */
  static final class Unserializable {}

  private static final long ALL = Long.MAX_VALUE;

  private final String id = "journal|" + UUID.randomUUID();
  private final String writer = UUID.randomUUID().toString();
  private KvStore store;
  private TestNode node;
  private TestProbe<Object> probe;
  private ActorRef journal;

  @BeforeEach
  void start() throws Exception {
    store = open();
    node =
        TestNode.start(
            StoreSetup.opened(executor -> store),
            "nucleusmem.journal.replay-page-rows-max = 2",
            "nucleusmem.journal.delete-rows-max = 2",
            "nucleusmem.journal.atomic-write-bytes-max = 32 KiB");
    probe = node.kit().createTestProbe();
    journal = Persistence.get(node.system()).journalFor("nucleusmem.journal", emptyConfig());
  }

  @AfterEach
  void stop() {
    node.close();
  }

  @ParameterizedTest(name = "from {0} to {1}, at most {2}: {3}")
  @CsvSource({
    "1, 9223372036854775807, 9223372036854775807, 1 2 3 4 5",
    "3, 9223372036854775807, 9223372036854775807, 3 4 5",
    "1, 3, 9223372036854775807, 1 2 3",
    "1, 9223372036854775807, 3, 1 2 3",
    "2, 4, 9223372036854775807, 2 3 4",
    "2, 5, 2, 2 3",
    "2, 2, 9223372036854775807, 2",
    "2, 4, 1, 2",
    "1, 9223372036854775807, 0, ''",
    "3, 2, 9223372036854775807, ''",
    "0, 9223372036854775807, 9223372036854775807, 1 2 3 4 5",
  })
  void replaysWithinBounds(long from, long to, long max, String expected) {
    writeFive();
    assertThat(numbers(replay(from, to, max))).isEqualTo(numbersIn(expected));
  }

  @Test
  void anIdThatHasNotWrittenReplaysNothing() {
    assertThat(replay(1, ALL, ALL).events()).isEmpty();
    assertThat(replay(1, ALL, ALL).highest()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"1, 2 3 4 5", "3, 4 5", "4, 5", "5, ''", "9223372036854775807, ''"})
  void deletedEventsAreNotReplayedAndTheHighestNumberOutlivesThem(long to, String left) {
    writeFive();
    delete(to);
    Replayed replayed = replay(1, ALL, ALL);
    assertThat(numbers(replayed)).isEqualTo(numbersIn(left));
    assertThat(replayed.highest()).isEqualTo(5);
  }

  @Test
  void eventsWrittenAfterAllWereDeletedFollowThem() {
    writeFive();
    delete(ALL);
    write(atomic(event(6, "six")));
    assertThat(numbers(replay(1, ALL, ALL))).containsExactly(6L);
    delete(6);
    assertThat(numbers(replay(1, ALL, ALL))).isEmpty();
    assertThat(replay(1, ALL, ALL).highest()).isEqualTo(6);
  }

  @Test
  void aRejectedEventKeepsItsNumberAndItsNeighboursAreWritten() {
    write(
        new Class<?>[] {
          JournalProtocol.WriteMessageSuccess.class,
          JournalProtocol.WriteMessageRejected.class,
          JournalProtocol.WriteMessageSuccess.class
        },
        atomic(event(1, "one")),
        atomic(event(2, new Unserializable())),
        atomic(event(3, "three")));
    write(atomic(event(4, "four")));
    assertThat(numbers(replay(1, ALL, ALL))).containsExactly(1L, 3L, 4L);
  }

  @Test
  void ofAGroupWithOneBadEventNothingIsWritten() {
    write(
        new Class<?>[] {
          JournalProtocol.WriteMessageRejected.class, JournalProtocol.WriteMessageRejected.class
        },
        atomic(event(1, "one"), event(2, new Unserializable())));
    assertThat(replay(1, ALL, ALL).events()).isEmpty();
    assertThat(replay(1, ALL, ALL).highest()).isEqualTo(2);
  }

  @Test
  void aGroupOverTheLimitIsRejectedWithTheLimitsName() {
    var replies =
        write(
            new Class<?>[] {
              JournalProtocol.WriteMessageRejected.class, JournalProtocol.WriteMessageRejected.class
            },
            atomic(event(1, "x".repeat(20_000)), event(2, "y".repeat(20_000))));
    assertThat(((JournalProtocol.WriteMessageRejected) replies.get(0)).cause())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nucleusmem.journal.atomic-write-bytes-max allows [32768]");
  }

  @Test
  void groupsThatTogetherExceedTheLimitAreAllWritten() {
    write(
        atomic(event(1, "x".repeat(20_000))),
        atomic(event(2, "y".repeat(20_000)), event(3, "z")),
        atomic(event(4, "z".repeat(20_000))));
    assertThat(numbers(replay(1, ALL, ALL))).containsExactly(1L, 2L, 3L, 4L);
  }

  @Test
  void whatWasWrittenComesBack() {
    PersistentRepr event =
        PersistentRepr.apply(
                new Tagged(new Noted("hello"), Set.of("a", "b")),
                1,
                id,
                "manifest",
                false,
                ActorRef.noSender(),
                writer)
            .withMetadata(new Noted("meta"));
    long before = System.currentTimeMillis();
    write(atomic(event));

    PersistentRepr found = replay(1, ALL, ALL).events().get(0);
    assertThat(found.payload()).isEqualTo(new Noted("hello"));
    assertThat(found.persistenceId()).isEqualTo(id);
    assertThat(found.manifest()).isEqualTo("manifest");
    assertThat(found.writerUuid()).isEqualTo(writer);
    assertThat(found.metadata().get()).isEqualTo(new Noted("meta"));
    assertThat(found.timestamp()).isBetween(before - 1_000, before + 60_000);
  }

  @Test
  void aSecondWriterOfANumberFails() {
    write(atomic(event(1, "ours")));
    assertThat(failureOfWriting(atomic(event(1, "theirs"))))
        .isInstanceOf(StaleWriterException.class);
    assertThat(replay(1, ALL, ALL).events())
        .extracting(PersistentRepr::payload)
        .containsExactly("ours");
  }

  // ---- helpers ----

  /** What a replay handed over. */
  record Replayed(List<PersistentRepr> events, long highest) {}

  private void writeFive() {
    write(
        LongStream.rangeClosed(1, 5)
            .mapToObj(n -> atomic(event(n, "e" + n)))
            .toArray(AtomicWrite[]::new));
  }

  private PersistentRepr event(long number, Object payload) {
    return PersistentRepr.apply(payload, number, id, "", false, ActorRef.noSender(), writer);
  }

  private static AtomicWrite atomic(PersistentRepr... events) {
    return AtomicWrite.apply(CollectionConverters.asScala(List.of(events)).toList());
  }

  private void write(AtomicWrite... writes) {
    int events = Arrays.stream(writes).mapToInt(AtomicWrite::size).sum();
    var successes = new Class<?>[events];
    Arrays.fill(successes, JournalProtocol.WriteMessageSuccess.class);
    write(successes, writes);
  }

  private List<Object> write(Class<?>[] expected, AtomicWrite... writes) {
    send(writes);
    assertThat(probe.receiveMessage()).isEqualTo(JournalProtocol.WriteMessagesSuccessful$.MODULE$);
    List<Object> replies = new ArrayList<>();
    for (Class<?> type : expected) {
      replies.add(probe.receiveMessage());
      assertThat(replies.get(replies.size() - 1)).isInstanceOf(type);
    }
    return replies;
  }

  private Throwable failureOfWriting(AtomicWrite write) {
    send(write);
    Object reply = probe.receiveMessage();
    assertThat(reply).isInstanceOf(JournalProtocol.WriteMessagesFailed.class);
    probe.receiveMessage(); // the failure of its one event
    return ((JournalProtocol.WriteMessagesFailed) reply).cause();
  }

  private void send(AtomicWrite... writes) {
    List<PersistentEnvelope> envelopes = List.of(writes);
    journal.tell(
        new JournalProtocol.WriteMessages(
            CollectionConverters.asScala(envelopes).toList(), replyTo(), 1),
        ActorRef.noSender());
  }

  private void delete(long to) {
    journal.tell(new JournalProtocol.DeleteMessagesTo(id, to, replyTo()), ActorRef.noSender());
    assertThat(probe.receiveMessage().getClass().getSimpleName())
        .isEqualTo("DeleteMessagesSuccess");
  }

  private Replayed replay(long from, long to, long max) {
    journal.tell(
        new JournalProtocol.ReplayMessages(from, to, max, id, replyTo()), ActorRef.noSender());
    List<PersistentRepr> events = new ArrayList<>();
    while (true) {
      Object reply = probe.receiveMessage();
      if (reply instanceof JournalProtocol.RecoverySuccess end) {
        return new Replayed(events, end.highestSequenceNr());
      }
      assertThat(reply).isInstanceOf(JournalProtocol.ReplayedMessage.class);
      events.add(((JournalProtocol.ReplayedMessage) reply).persistent());
    }
  }

  private ActorRef replyTo() {
    return Adapter.toClassic(probe.getRef());
  }

  private static List<Long> numbers(Replayed replayed) {
    return replayed.events().stream().map(PersistentRepr::sequenceNr).toList();
  }

  private static List<Long> numbersIn(String text) {
    return text.isEmpty() ? List.of() : Arrays.stream(text.split(" ")).map(Long::valueOf).toList();
  }

  private static com.typesafe.config.Config emptyConfig() {
    return com.typesafe.config.ConfigFactory.empty();
  }
}
