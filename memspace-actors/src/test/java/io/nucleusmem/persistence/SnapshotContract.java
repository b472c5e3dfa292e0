package io.nucleusmem.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.ActorRef;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.javadsl.Adapter;
import akka.persistence.Persistence;
import akka.persistence.SelectedSnapshot;
import akka.persistence.SnapshotMetadata;
import akka.persistence.SnapshotProtocol;
import akka.persistence.SnapshotSelectionCriteria;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.CborSerializable;
import io.nucleusmem.StoreSetup;
import io.nucleusmem.store.KvStore;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import scala.Option;

/** What Akka's snapshot store TCK demands, by the messages Akka sends. */
abstract class SnapshotContract {
  protected abstract KvStore open() throws Exception;

  /** A state that our own binding serializes. */
  record Counted(long count) implements CborSerializable {}

  private final String id = "snapshots|" + UUID.randomUUID();
  private TestNode node;
  private TestProbe<Object> probe;
  private ActorRef snapshots;

  @BeforeEach
  void start() throws Exception {
    KvStore store = open();
    node =
        TestNode.start(
            StoreSetup.opened(executor -> store),
            "nucleusmem.snapshot-store.snapshot-bytes-max = 64 KiB");
    probe = node.kit().createTestProbe();
    snapshots =
        Persistence.get(node.system())
            .snapshotStoreFor("nucleusmem.snapshot-store", ConfigFactory.empty());
    for (int i = 1; i <= 5; i++) { // number 10 + i at time 1000 + 10 * i
      stored(store, 10 + i, 1_000 + 10 * i, "s" + i);
    }
  }

  @AfterEach
  void stop() {
    node.close();
  }

  @ParameterizedTest(name = "numbers {0}..{1}, times {2}..{3}: {4}")
  @CsvSource({
    "0, 9223372036854775807, 0, 9223372036854775807, 15",
    "0, 13, 0, 9223372036854775807, 13",
    "0, 9223372036854775807, 0, 1030, 13",
    "0, 14, 0, 1020, 12",
    "0, 10, 0, 9223372036854775807, 0",
    "16, 9223372036854775807, 0, 9223372036854775807, 0",
    "0, 9223372036854775807, 0, 1009, 0",
    "0, 9223372036854775807, 1051, 9223372036854775807, 0",
    "0, 0, 0, 0, 0",
  })
  void loadsTheNewestWithinBounds(
      long minNumber, long maxNumber, long minTime, long maxTime, long expected) {
    SelectedSnapshot found =
        load(SnapshotSelectionCriteria.create(maxNumber, maxTime, minNumber, minTime));
    assertThat(found == null ? 0 : found.metadata().sequenceNr()).isEqualTo(expected);
    if (found != null) {
      assertThat(found.snapshot()).isEqualTo("s" + (expected - 10));
      assertThat(found.metadata().timestamp()).isEqualTo(1_000 + 10 * (expected - 10));
    }
  }

  @Test
  void anIdWithoutSnapshotsLoadsNothing() {
    snapshots.tell(
        new SnapshotProtocol.LoadSnapshot(
            "another", SnapshotSelectionCriteria.latest(), Long.MAX_VALUE),
        replyTo());
    assertThat(loaded()).isNull();
  }

  @Test
  void deletesOneByItsNumberWhateverItsTime() {
    delete(new SnapshotMetadata(id, 15, 0));
    assertThat(load(SnapshotSelectionCriteria.latest()).metadata().sequenceNr()).isEqualTo(14);
  }

  @Test
  void leavesTheOneWhoseTimeDiffers() {
    delete(new SnapshotMetadata(id, 15, 1));
    assertThat(load(SnapshotSelectionCriteria.latest()).metadata().sequenceNr()).isEqualTo(15);
    delete(new SnapshotMetadata(id, 15, 1_050));
    assertThat(load(SnapshotSelectionCriteria.latest()).metadata().sequenceNr()).isEqualTo(14);
  }

  @Test
  void deletesAllWithinBoundsOverSeveralPagesAndNoOthers() {
    snapshots.tell(
        new SnapshotProtocol.DeleteSnapshots(id, SnapshotSelectionCriteria.create(14, 1_030, 0, 0)),
        replyTo());
    assertThat(probe.receiveMessage().getClass().getSimpleName())
        .isEqualTo("DeleteSnapshotsSuccess");
    assertThat(load(SnapshotSelectionCriteria.create(13, Long.MAX_VALUE))).isNull();
    assertThat(load(SnapshotSelectionCriteria.create(14, Long.MAX_VALUE)).metadata().sequenceNr())
        .isEqualTo(14);
  }

  @Test
  void savingANumberAgainTakesItsPlace() {
    save(15, "again");
    assertThat(load(SnapshotSelectionCriteria.latest()).snapshot()).isEqualTo("again");
  }

  @Test
  void metadataAndStateComeBackThroughTheirSerializers() {
    saveWith(new SnapshotMetadata(id, 20, 3_000, Option.apply(new Counted(1))), new Counted(2));
    SelectedSnapshot found = load(SnapshotSelectionCriteria.latest());
    assertThat(found.snapshot()).isEqualTo(new Counted(2));
    assertThat(found.metadata().metadata().get()).isEqualTo(new Counted(1));
  }

  @Test
  void aSnapshotOverTheLimitFailsAndNamesTheLimit() {
    snapshots.tell(
        new SnapshotProtocol.SaveSnapshot(new SnapshotMetadata(id, 20, 3_000), "x".repeat(70_000)),
        replyTo());
    assertThat(probe.receiveMessage().toString())
        .contains("nucleusmem.snapshot-store.snapshot-bytes-max allows [65536]");
    assertThat(load(SnapshotSelectionCriteria.latest()).metadata().sequenceNr()).isEqualTo(15);
  }

  // ---- helpers ----

  /** Past the plugin, which stamps what it saves with its own clock. */
  private void stored(KvStore store, long number, long time, Object state) throws Exception {
    new SnapshotDao(store, new SnapshotSettings(65_536, 2))
        .save(
            id,
            new SnapshotRow(
                number, time, new Payloads(node.system()).write(state), Optional.empty()))
        .toCompletableFuture()
        .get(120, TimeUnit.SECONDS);
  }

  private void save(long number, Object state) {
    saveWith(new SnapshotMetadata(id, number, 0), state);
  }

  private void saveWith(SnapshotMetadata metadata, Object state) {
    snapshots.tell(new SnapshotProtocol.SaveSnapshot(metadata, state), replyTo());
    assertThat(probe.receiveMessage().getClass().getSimpleName()).isEqualTo("SaveSnapshotSuccess");
  }

  private void delete(SnapshotMetadata metadata) {
    snapshots.tell(new SnapshotProtocol.DeleteSnapshot(metadata), replyTo());
    assertThat(probe.receiveMessage().getClass().getSimpleName())
        .isEqualTo("DeleteSnapshotSuccess");
  }

  private SelectedSnapshot load(SnapshotSelectionCriteria criteria) {
    snapshots.tell(new SnapshotProtocol.LoadSnapshot(id, criteria, Long.MAX_VALUE), replyTo());
    return loaded();
  }

  private SelectedSnapshot loaded() {
    Object reply = probe.receiveMessage();
    assertThat(reply).isInstanceOf(SnapshotProtocol.LoadSnapshotResult.class);
    Option<SelectedSnapshot> found = ((SnapshotProtocol.LoadSnapshotResult) reply).snapshot();
    return found.isEmpty() ? null : found.get();
  }

  private ActorRef replyTo() {
    return Adapter.toClassic(probe.getRef());
  }
}
