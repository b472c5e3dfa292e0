package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One number of a persistence id's journal: an event, or the number of one that was rejected.
 *
 * <pre>
 *  1 format (1) | 8 timestamp of the commit | 1 flags: 1 = event, 2 = metadata
 *  4+n writer uuid | 4+n event manifest (of the event adapter) | 4 number of tags, each 4+n
 *  event:    4 serializer id | 4+n manifest | 4+n bytes
 *  metadata: 4 serializer id | 4+n manifest | 4+n bytes
 * </pre>
 *
 * <p>A rejected event keeps its number as a row without event. So numbers have no gaps, and each
 * write can require the row before it.
 *
 * @param timestamp of the store, see {@link io.nucleusmem.store.Timestamps}; 0 before the commit
 * @param event empty if it was rejected
 */
record EventRow(
    long sequenceNr,
    long timestamp,
    String writerUuid,
    String eventManifest,
    List<String> tags,
    Optional<Serialized> event,
    Optional<Serialized> metadata) {

  static final int OVERHEAD_BYTES = 64; // of a row without texts and payloads, key suffix included

  private static final int FORMAT = 1;
  private static final int HAS_EVENT = 1;
  private static final int HAS_METADATA = 2;

  EventRow {
    tags = List.copyOf(tags);
  }

  /** The number of an event that was rejected. */
  static EventRow rejected(long sequenceNr, String writerUuid) {
    return new EventRow(
        sequenceNr, 0, writerUuid, "", List.of(), Optional.empty(), Optional.empty());
  }

  /** Bytes of key suffix and value, at most. */
  long bytes() {
    long sum = OVERHEAD_BYTES + 3L * writerUuid.length() + 3L * eventManifest.length();
    for (String tag : tags) {
      sum += Integer.BYTES + 3L * tag.length();
    }
    return sum + bytesOf(event) + bytesOf(metadata);
  }

  Bytes encode(long commitTimestamp) {
    var out =
        new RowWriter((int) bytes())
            .int8(FORMAT)
            .int64(commitTimestamp)
            .int8((event.isPresent() ? HAS_EVENT : 0) | (metadata.isPresent() ? HAS_METADATA : 0))
            .text(writerUuid)
            .text(eventManifest)
            .int32(tags.size());
    tags.forEach(out::text);
    event.ifPresent(out::serialized);
    metadata.ifPresent(out::serialized);
    return out.toBytes();
  }

  static EventRow decode(Row row) {
    return RowReader.decode(
        row,
        FORMAT,
        in -> {
          long timestamp = in.int64();
          int flags = in.int8();
          String writerUuid = in.text();
          String eventManifest = in.text();
          var tags = new ArrayList<String>();
          for (int left = in.int32(); left > 0; left--) {
            tags.add(in.text());
          }
          return new EventRow(
              PersistenceKeys.numberOf(row.key()),
              timestamp,
              writerUuid,
              eventManifest,
              tags,
              (flags & HAS_EVENT) != 0 ? Optional.of(in.serialized()) : Optional.empty(),
              (flags & HAS_METADATA) != 0 ? Optional.of(in.serialized()) : Optional.empty());
        });
  }

  private static long bytesOf(Optional<Serialized> part) {
    return part.map(s -> 12L + 3L * s.manifest().length() + s.bytes().length()).orElse(0L);
  }
}
