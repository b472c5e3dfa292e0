package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Row;
import java.util.Optional;

/**
 * The newest state of a durable-state actor.
 *
 * <pre>
 *  1 format (1) | 8 revision | 8 timestamp of the commit | 1 flags: 1 = state | 4+n tag
 *  4 serializer id | 4+n manifest | 4+n bytes            the state, unless it was deleted
 * </pre>
 *
 * @param timestamp of the store, see {@link io.nucleusmem.store.Timestamps}; 0 before the commit
 * @param tag may be empty
 * @param state empty if it was deleted
 */
record StateRow(long revision, long timestamp, String tag, Optional<Serialized> state) {
  private static final int FORMAT = 1;

  Bytes encode(long commitTimestamp) {
    var out =
        new RowWriter(128 + tag.length() + state.map(s -> s.bytes().length()).orElse(0))
            .int8(FORMAT)
            .int64(revision)
            .int64(commitTimestamp)
            .int8(state.isPresent() ? 1 : 0)
            .text(tag);
    state.ifPresent(out::serialized);
    return out.toBytes();
  }

  static StateRow decode(Row row) {
    return RowReader.decode(
        row,
        FORMAT,
        in -> {
          long revision = in.int64();
          long timestamp = in.int64();
          boolean hasState = in.int8() == 1;
          String tag = in.text();
          return new StateRow(
              revision, timestamp, tag, hasState ? Optional.of(in.serialized()) : Optional.empty());
        });
  }
}
