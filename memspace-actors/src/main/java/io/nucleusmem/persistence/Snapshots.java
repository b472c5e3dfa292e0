package io.nucleusmem.persistence;

import akka.persistence.SelectedSnapshot;
import akka.persistence.SnapshotMetadata;
import akka.persistence.SnapshotSelectionCriteria;
import akka.persistence.snapshot.japi.SnapshotStore;
import com.typesafe.config.Config;
import io.nucleusmem.StoreExtension;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import scala.Option;
import scala.concurrent.Future;

/**
 * Akka's snapshot store plugin {@code nucleusmem.snapshot-store} over {@link SnapshotDao}.
 *
 * <p>A snapshot over the limit fails to be saved; the actor goes on with the events it has.
 */
public final class Snapshots extends SnapshotStore {
  private final SnapshotDao dao;
  private final Payloads payloads;

  /** Made by Akka. */
  public Snapshots(Config config) {
    var system = context().system();
    dao = new SnapshotDao(StoreExtension.get(system).store(), SnapshotSettings.from(config));
    payloads = new Payloads(system);
  }

  @Override
  public Future<Optional<SelectedSnapshot>> doLoadAsync(
      String persistenceId, SnapshotSelectionCriteria criteria) {
    return Stages.toScala(
        Stages.attempt(() -> dao.load(persistenceId, bounds(criteria)))
            .thenApply(found -> found.map(row -> selected(persistenceId, row))));
  }

  @Override
  public Future<Void> doSaveAsync(SnapshotMetadata metadata, Object snapshot) {
    return Stages.toScala(Stages.attempt(() -> save(metadata, snapshot)));
  }

  @Override
  public Future<Void> doDeleteAsync(SnapshotMetadata metadata) {
    long number = metadata.sequenceNr();
    boolean anyTime = metadata.timestamp() == 0; // Akka's sign for "whatever its time"
    var bounds =
        new SnapshotDao.Bounds(
            number,
            number,
            anyTime ? Long.MIN_VALUE : metadata.timestamp(),
            anyTime ? Long.MAX_VALUE : metadata.timestamp());
    return Stages.toScala(Stages.attempt(() -> dao.delete(metadata.persistenceId(), bounds)));
  }

  @Override
  public Future<Void> doDeleteAsync(String persistenceId, SnapshotSelectionCriteria criteria) {
    return Stages.toScala(Stages.attempt(() -> dao.delete(persistenceId, bounds(criteria))));
  }

  private CompletionStage<Void> save(SnapshotMetadata metadata, Object snapshot) {
    try {
      return dao.save(
          metadata.persistenceId(),
          new SnapshotRow(
              metadata.sequenceNr(),
              metadata.timestamp(),
              payloads.write(snapshot),
              payloads.writeIfAny(metadata.metadata())));
    } catch (Exception e) {
      return CompletableFuture.failedStage(e);
    }
  }

  private SelectedSnapshot selected(String persistenceId, SnapshotRow row) {
    Option<Object> metadata = payloads.readIfAny(row.metadata());
    return SelectedSnapshot.create(
        new SnapshotMetadata(persistenceId, row.sequenceNr(), row.timestamp(), metadata),
        payloads.read(row.state()));
  }

  private static SnapshotDao.Bounds bounds(SnapshotSelectionCriteria criteria) {
    return new SnapshotDao.Bounds(
        criteria.minSequenceNr(),
        criteria.maxSequenceNr(),
        criteria.minTimestamp(),
        criteria.maxTimestamp());
  }
}
