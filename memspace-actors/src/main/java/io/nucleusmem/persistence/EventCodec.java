package io.nucleusmem.persistence;

import akka.actor.ActorRef;
import akka.persistence.PersistentRepr;
import akka.persistence.journal.Tagged;
import io.nucleusmem.store.Timestamps;
import java.util.List;
import java.util.Optional;
import scala.jdk.javaapi.CollectionConverters;

/** Turns Akka's events into rows and back. */
final class EventCodec {
  private final Payloads payloads;

  EventCodec(Payloads payloads) {
    this.payloads = payloads;
  }

  /** Serializes an event; throws what its serializer throws. */
  EventRow toRow(PersistentRepr repr) throws Exception {
    Object event = repr.payload();
    List<String> tags = List.of();
    if (event instanceof Tagged tagged) {
      event = tagged.payload();
      tags = List.copyOf(CollectionConverters.asJava(tagged.tags()));
    }
    return new EventRow(
        repr.sequenceNr(),
        0,
        repr.writerUuid(),
        repr.manifest(),
        tags,
        Optional.of(payloads.write(event)),
        payloads.writeIfAny(repr.metadata()));
  }

  /** Reads back an event; its time is that of the commit, by the store's clock. */
  PersistentRepr toRepr(String persistenceId, EventRow row) {
    var repr =
        PersistentRepr.apply(
                payloads.read(row.event().orElseThrow()),
                row.sequenceNr(),
                persistenceId,
                row.eventManifest(),
                false,
                ActorRef.noSender(),
                row.writerUuid())
            .withTimestamp(Timestamps.millis(row.timestamp()));
    return row.metadata().isEmpty() ? repr : repr.withMetadata(payloads.read(row.metadata().get()));
  }
}
