package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Row;
import java.util.Optional;

/**
 * One snapshot.
 *
 * <pre>
 *  1 format (1) | 8 timestamp | 1 flags: 1 = metadata
 *  4 serializer id | 4+n manifest | 4+n bytes            the state
 *  4 serializer id | 4+n manifest | 4+n bytes            the metadata, if there is one
 * </pre>
 *
 * @param timestamp milliseconds since 1970, as Akka gave it
 */
record SnapshotRow(
    long sequenceNr, long timestamp, Serialized state, Optional<Serialized> metadata) {

  private static final int FORMAT = 1;

  Bytes encode() {
    var out =
        new RowWriter(64 + state.manifest().length() + state.bytes().length())
            .int8(FORMAT)
            .int64(timestamp)
            .int8(metadata.isPresent() ? 1 : 0)
            .serialized(state);
    metadata.ifPresent(out::serialized);
    return out.toBytes();
  }

  static SnapshotRow decode(Row row) {
    return RowReader.decode(
        row,
        FORMAT,
        in -> {
          long timestamp = in.int64();
          boolean hasMetadata = in.int8() == 1;
          return new SnapshotRow(
              PersistenceKeys.numberOf(row.key()),
              timestamp,
              in.serialized(),
              hasMetadata ? Optional.of(in.serialized()) : Optional.empty());
        });
  }
}
