package io.nucleusmem.memspace;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.nucleusmem.store.Bytes;

/**
 * Decoded rows of state by the identity of their bytes: a mount is checked at every write and
 * changes almost never.
 */
final class Decoded {
  // Bounded by the rows that owners hold. No policy but that: it would cost each read.
  private static final Cache<Bytes, Object> ROWS = Caffeine.newBuilder().weakKeys().build();

  private Decoded() {}

  static <T> T of(Bytes row, Class<T> type) {
    return type.cast(ROWS.get(row, bytes -> StateJson.decode(bytes, type)));
  }

  static MountInfo mount(Bytes row, String id, String space) {
    return (MountInfo)
        ROWS.get(row, bytes -> StateJson.decode(bytes, SpaceRows.Mount.class).info(id, space));
  }
}
