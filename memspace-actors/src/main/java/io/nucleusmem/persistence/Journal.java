package io.nucleusmem.persistence;

import akka.persistence.AtomicWrite;
import akka.persistence.PersistentRepr;
import akka.persistence.journal.japi.AsyncWriteJournal;
import com.typesafe.config.Config;
import io.nucleusmem.StoreExtension;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Akka's journal plugin {@code nucleusmem.journal} over {@link JournalDao}.
 *
 * <p>An event that cannot be serialized, or a group of events over the limit, is rejected; its
 * numbers stay used. Everything else that goes wrong fails the write, also a commit whose fate is
 * unknown: the persistent actor stops, and what is started in its place replays what is there.
 *
 * <p>Events are stamped with the store's time, not with the writing node's.
 */
public final class Journal extends AsyncWriteJournal {
  private final JournalSettings settings;
  private final JournalDao dao;
  private final EventCodec codec;

  /** Made by Akka. */
  public Journal(Config config) {
    var system = context().system();
    settings = JournalSettings.from(config);
    dao = new JournalDao(StoreExtension.get(system).store(), settings);
    codec = new EventCodec(new Payloads(system));
  }

  @Override
  public Future<Iterable<Optional<Exception>>> doAsyncWriteMessages(Iterable<AtomicWrite> writes) {
    Map<String, List<List<EventRow>>> groupsById = new LinkedHashMap<>();
    List<Optional<Exception>> rejections = new ArrayList<>();
    for (AtomicWrite write : writes) {
      List<List<EventRow>> groups =
          groupsById.computeIfAbsent(write.persistenceId(), id -> new ArrayList<>());
      rejections.add(addTo(groups, write));
    }
    CompletionStage<Void> written = Stages.done();
    for (var entry : groupsById.entrySet()) {
      CompletionStage<Void> ofId =
          Stages.attempt(() -> dao.write(entry.getKey(), entry.getValue()));
      written = written.thenCombine(ofId, (a, b) -> null);
    }
    return Stages.toScala(written.thenApply(ignored -> rejections));
  }

  @Override
  public Future<Void> doAsyncDeleteMessagesTo(String persistenceId, long toSequenceNr) {
    return Stages.toScala(Stages.attempt(() -> dao.deleteTo(persistenceId, toSequenceNr)));
  }

  @Override
  public Future<Void> doAsyncReplayMessages(
      String persistenceId,
      long fromSequenceNr,
      long toSequenceNr,
      long max,
      Consumer<PersistentRepr> replayCallback) {
    return Stages.toScala(
        Stages.attempt(
            () ->
                dao.replay(
                    persistenceId,
                    fromSequenceNr,
                    toSequenceNr,
                    max,
                    row -> replayCallback.accept(codec.toRepr(persistenceId, row)))));
  }

  @Override
  public Future<Long> doAsyncReadHighestSequenceNr(String persistenceId, long fromSequenceNr) {
    return Stages.toScala(Stages.attempt(() -> dao.highestSequenceNr(persistenceId)));
  }

  /** Adds the rows of one group of events: itself, or its used numbers and the rejection. */
  private Optional<Exception> addTo(List<List<EventRow>> groups, AtomicWrite write) {
    List<PersistentRepr> events = CollectionConverters.asJava(write.payload());
    try {
      groups.add(toGroup(write.persistenceId(), events));
      return Optional.empty();
    } catch (Exception rejection) {
      for (PersistentRepr event : events) {
        groups.add(List.of(EventRow.rejected(event.sequenceNr(), event.writerUuid())));
      }
      return Optional.of(rejection);
    }
  }

  private List<EventRow> toGroup(String persistenceId, List<PersistentRepr> events)
      throws Exception {
    List<EventRow> group = new ArrayList<>(events.size());
    for (PersistentRepr event : events) {
      group.add(codec.toRow(event));
    }
    long bytes = JournalDao.bytes(persistenceId, group);
    if (bytes > settings.atomicWriteBytesMax()) {
      throw new IllegalArgumentException(
          "[%d] events of [%s] from number [%d] take [%d] bytes; %s allows [%d]"
              .formatted(
                  events.size(),
                  persistenceId,
                  events.get(0).sequenceNr(),
                  bytes,
                  JournalSettings.ATOMIC_WRITE_BYTES_MAX_PATH,
                  settings.atomicWriteBytesMax()));
    }
    return group;
  }
}
