package io.nucleusmem.memspace;

import io.nucleusmem.store.Bytes;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;

/**
 * Decoded rows of state by the identity of their bytes: a mount is checked at every write and
 * changes almost never. A row has two places in an array: a look-up is a read or two, and what idle
 * spaces leave behind is bounded, however many there are.
 */
final class Decoded {
  private static final int ROWS_MAX = 8_192; // a power of two

  private record Slot(Bytes row, Object decoded) {}

  private static final AtomicReferenceArray<Slot> SLOTS = new AtomicReferenceArray<>(ROWS_MAX);

  private Decoded() {}

  static <T> T of(Bytes row, Class<T> type) {
    return type.cast(of(row, bytes -> StateJson.decode(bytes, type)));
  }

  static MountInfo mount(Bytes row, String id, String space) {
    return (MountInfo)
        of(row, bytes -> StateJson.decode(bytes, SpaceRows.Mount.class).info(id, space));
  }

  private static Object of(Bytes row, Function<Bytes, Object> decoder) {
    int at = System.identityHashCode(row) & (ROWS_MAX - 1);
    Slot first = SLOTS.get(at);
    if (first != null && first.row() == row) {
      return first.decoded();
    }
    Slot second = SLOTS.get(at ^ 1);
    if (second != null && second.row() == row) {
      return second.decoded();
    }
    Slot slot = new Slot(row, decoder.apply(row));
    SLOTS.set(first == null ? at : at ^ 1, slot);
    return slot.decoded();
  }
}
