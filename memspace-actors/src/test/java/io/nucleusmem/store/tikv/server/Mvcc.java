package io.nucleusmem.store.tikv.server;

import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * The rows of the whole cluster. Not thread-safe: requests take turns, see {@link StoreService}.
 */
final class Mvcc {
  private final NavigableMap<ByteString, KeyHistory> keys =
      new TreeMap<>(ByteString.unsignedLexicographicalComparator());

  private static final KeyHistory NOTHING = new KeyHistory();

  private boolean written;

  /** Whether anything was taken for writing since the last call. */
  boolean takeWritten() {
    boolean was = written;
    written = false;
    return was;
  }

  /** For reading only. */
  KeyHistory peek(ByteString key) {
    return keys.getOrDefault(key, NOTHING);
  }

  /** For writing. */
  KeyHistory at(ByteString key) {
    written = true;
    return keys.computeIfAbsent(key, k -> new KeyHistory());
  }

  /**
   * The keys of a range, in order.
   *
   * @param to exclusive; empty: no bound
   */
  NavigableMap<ByteString, KeyHistory> range(ByteString from, ByteString to) {
    if (to.isEmpty()) {
      return keys.tailMap(from, true);
    }
    boolean isEmpty = ByteString.unsignedLexicographicalComparator().compare(from, to) >= 0;
    return isEmpty ? new TreeMap<>(keys.comparator()) : keys.subMap(from, true, to, false);
  }

  void forEach(BiConsumer<ByteString, KeyHistory> visitor) {
    keys.forEach(visitor);
  }

  void collectGarbage(long safePoint) {
    keys.values().removeIf(history -> history.collectGarbage(safePoint));
  }
}
