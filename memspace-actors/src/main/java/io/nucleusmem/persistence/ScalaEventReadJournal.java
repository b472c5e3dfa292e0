package io.nucleusmem.persistence;

import akka.NotUsed;
import akka.persistence.query.EventEnvelope;
import akka.persistence.query.scaladsl.CurrentEventsByPersistenceIdQuery;
import akka.persistence.query.scaladsl.CurrentPersistenceIdsQuery;
import akka.persistence.query.scaladsl.EventsByPersistenceIdQuery;
import akka.persistence.query.scaladsl.PagedPersistenceIdsQuery;
import akka.persistence.query.scaladsl.PersistenceIdsQuery;
import akka.persistence.query.scaladsl.ReadJournal;
import akka.stream.scaladsl.Source;
import scala.Option;
import scala.jdk.javaapi.OptionConverters;

/** {@link EventReadJournal} as Scala sees it. */
final class ScalaEventReadJournal
    implements ReadJournal,
        CurrentPersistenceIdsQuery,
        PagedPersistenceIdsQuery,
        PersistenceIdsQuery,
        CurrentEventsByPersistenceIdQuery,
        EventsByPersistenceIdQuery {
  private final EventReadJournal journal;

  ScalaEventReadJournal(EventReadJournal journal) {
    this.journal = journal;
  }

  @Override
  public Source<String, NotUsed> currentPersistenceIds() {
    return journal.currentPersistenceIds().asScala();
  }

  @Override
  public Source<String, NotUsed> currentPersistenceIds(Option<String> afterId, long limit) {
    return journal.currentPersistenceIds(OptionConverters.toJava(afterId), limit).asScala();
  }

  @Override
  public Source<String, NotUsed> persistenceIds() {
    return journal.persistenceIds().asScala();
  }

  @Override
  public Source<EventEnvelope, NotUsed> currentEventsByPersistenceId(
      String persistenceId, long fromSequenceNr, long toSequenceNr) {
    return journal
        .currentEventsByPersistenceId(persistenceId, fromSequenceNr, toSequenceNr)
        .asScala();
  }

  @Override
  public Source<EventEnvelope, NotUsed> eventsByPersistenceId(
      String persistenceId, long fromSequenceNr, long toSequenceNr) {
    return journal.eventsByPersistenceId(persistenceId, fromSequenceNr, toSequenceNr).asScala();
  }
}
