package io.nucleusmem.persistence;

import akka.NotUsed;
import akka.actor.ExtendedActorSystem;
import akka.japi.Pair;
import akka.pattern.Patterns;
import akka.persistence.Persistence;
import akka.persistence.PersistentRepr;
import akka.persistence.journal.EventAdapters;
import akka.persistence.query.EventEnvelope;
import akka.persistence.query.Offset;
import akka.persistence.query.javadsl.CurrentEventsByPersistenceIdQuery;
import akka.persistence.query.javadsl.CurrentPersistenceIdsQuery;
import akka.persistence.query.javadsl.EventsByPersistenceIdQuery;
import akka.persistence.query.javadsl.PagedPersistenceIdsQuery;
import akka.persistence.query.javadsl.PersistenceIdsQuery;
import akka.persistence.query.javadsl.ReadJournal;
import akka.stream.javadsl.Source;
import io.nucleusmem.StoreExtension;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The queries of {@code nucleusmem.query}: persistence ids, and the events of one of them.
 *
 * <p>Queries read the store itself, page by page as their consumer asks, so they work on every node
 * and see what any of them committed. The live ones look again at an interval when they have come
 * to the end. An event's offset is its sequence number. Deleted events are left out.
 */
public final class EventReadJournal
    implements ReadJournal,
        CurrentPersistenceIdsQuery,
        PagedPersistenceIdsQuery,
        PersistenceIdsQuery,
        CurrentEventsByPersistenceIdQuery,
        EventsByPersistenceIdQuery {

  /** Names this read journal to {@code PersistenceQuery.getReadJournalFor}. */
  public static final String IDENTIFIER = QuerySettings.PATH;

  private final ExtendedActorSystem system;
  private final QuerySettings settings;
  private final JournalDao dao;
  private final EventCodec codec;
  private final EventAdapters adapters;

  EventReadJournal(ExtendedActorSystem system, QuerySettings settings) {
    this.system = system;
    this.settings = settings;
    String plugin = settings.journalPlugin();
    dao =
        new JournalDao(
            StoreExtension.get(system).store(),
            JournalSettings.from(system.settings().config().getConfig(plugin)));
    codec = new EventCodec(new Payloads(system));
    adapters = Persistence.get(system).adaptersFor(plugin);
  }

  /** The ids that have written an event until now, in the order of their bytes. */
  @Override
  public Source<String, NotUsed> currentPersistenceIds() {
    return Source.unfoldAsync(Optional.of(Optional.<String>empty()), this::nextIds)
        .mapConcat(ids -> ids);
  }

  @Override
  public Source<String, NotUsed> currentPersistenceIds(Optional<String> afterId, long limit) {
    return Source.unfoldAsync(Optional.of(afterId), this::nextIds)
        .mapConcat(ids -> ids)
        .take(limit);
  }

  /**
   * The ids that have written an event, then those that do so for the first time. Keeps the ids
   * seen in memory and reads all of them at each interval: for consoles, not for projections.
   */
  @Override
  public Source<String, NotUsed> persistenceIds() {
    Source<String, NotUsed> rounds =
        currentPersistenceIds()
            .concat(
                Source.tick(settings.idsRefreshInterval(), settings.idsRefreshInterval(), "")
                    .flatMapConcat(tick -> currentPersistenceIds()));
    return rounds.statefulMapConcat(
        () -> {
          var seen = new HashSet<String>();
          return id -> seen.add(id) ? List.of(id) : List.of();
        });
  }

  @Override
  public Source<EventEnvelope, NotUsed> currentEventsByPersistenceId(
      String persistenceId, long fromSequenceNr, long toSequenceNr) {
    return Source.completionStage(dao.highestSequenceNr(persistenceId))
        .flatMapConcat(
            highest ->
                events(
                    new Cursor(persistenceId, fromSequenceNr, Math.min(toSequenceNr, highest)),
                    Optional.empty()))
        .mapMaterializedValue(ignored -> NotUsed.getInstance());
  }

  @Override
  public Source<EventEnvelope, NotUsed> eventsByPersistenceId(
      String persistenceId, long fromSequenceNr, long toSequenceNr) {
    return events(
        new Cursor(persistenceId, fromSequenceNr, toSequenceNr),
        Optional.of(settings.refreshInterval()));
  }

  /** The numbers in [from, to] that are still to be read. */
  private record Cursor(String persistenceId, long from, long to) {
    boolean atEnd() {
      return from > to;
    }

    Cursor movedTo(long next) {
      return new Cursor(persistenceId, next, to);
    }
  }

  private Source<EventEnvelope, NotUsed> events(Cursor start, Optional<Duration> refresh) {
    return Source.unfoldAsync(Optional.of(start), cursor -> nextEvents(cursor, refresh))
        .mapConcat(rows -> rows)
        .mapConcat(row -> envelopes(start.persistenceId(), row));
  }

  /**
   * Reads a page; without a refresh interval, the page that is not followed by more is the last.
   */
  private CompletionStage<Optional<Pair<Optional<Cursor>, List<EventRow>>>> nextEvents(
      Optional<Cursor> place, Optional<Duration> refresh) {
    if (place.isEmpty() || place.get().atEnd()) {
      return Stages.value(Optional.empty());
    }
    Cursor cursor = place.get();
    return Stages.attempt(
            () ->
                dao.page(
                    cursor.persistenceId(), cursor.from(), cursor.to(), settings.pageRowsMax()))
        .thenCompose(
            page -> {
              List<EventRow> rows = page.rows();
              Optional<Cursor> next = page.next().map(cursor::movedTo);
              if (next.isPresent() || refresh.isEmpty()) {
                return Stages.value(Optional.of(Pair.create(next, rows)));
              }
              Cursor onward =
                  rows.isEmpty()
                      ? cursor
                      : cursor.movedTo(rows.get(rows.size() - 1).sequenceNr() + 1);
              var found = Optional.of(Pair.create(Optional.of(onward), rows));
              return rows.isEmpty() ? later(refresh.get(), found) : Stages.value(found);
            });
  }

  private CompletionStage<Optional<Pair<Optional<Optional<String>>, List<String>>>> nextIds(
      Optional<Optional<String>> after) {
    if (after.isEmpty()) {
      return Stages.value(Optional.empty());
    }
    return Stages.attempt(() -> dao.idsAfter(after.get(), settings.pageRowsMax()))
        .thenApply(
            ids -> {
              boolean more = ids.size() == settings.pageRowsMax();
              return Optional.of(
                  Pair.create(
                      more ? Optional.of(Optional.of(ids.get(ids.size() - 1))) : Optional.empty(),
                      ids));
            });
  }

  private <T> CompletionStage<T> later(Duration delay, T value) {
    return Patterns.after(
        delay, system.scheduler(), system.dispatcher(), () -> Stages.value(value));
  }

  /**
   * An event as the journal's adapters show it: usually one, but an adapter may make none or more.
   */
  private List<EventEnvelope> envelopes(String persistenceId, EventRow row) {
    PersistentRepr repr = codec.toRepr(persistenceId, row);
    var adapted =
        adapters.get(repr.payload().getClass()).fromJournal(repr.payload(), repr.manifest());
    return CollectionConverters.asJava(adapted.events()).stream()
        .map(
            event ->
                new EventEnvelope(
                    Offset.sequence(row.sequenceNr()),
                    persistenceId,
                    row.sequenceNr(),
                    event,
                    repr.timestamp(),
                    repr.metadata()))
        .toList();
  }
}
