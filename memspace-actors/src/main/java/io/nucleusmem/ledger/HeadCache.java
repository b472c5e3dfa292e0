package io.nucleusmem.ledger;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Newest committed versions of the entries that commands lately needed. What a command waits for is
 * pinned; the rest is bounded in count and bytes, least recently used out first. Owned by one
 * thread.
 */
final class HeadCache {
  /** What is known of an entry: null while its read is under way. */
  static final class Slot {
    Optional<Version> version;
    int pins;
  }

  private final int entriesMax;
  private final long bytesMax;
  private final Map<EntryRef, Slot> slots = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  HeadCache(int entriesMax, long bytesMax) {
    this.entriesMax = entriesMax;
    this.bytesMax = bytesMax;
  }

  /**
   * Pins an entry. If its newest version has to be read, what the answer is for: the caller reads
   * and calls {@link #loaded}; else null.
   */
  Slot pin(EntryRef entry) {
    Slot known = slots.get(entry);
    Slot slot = known == null ? new Slot() : known;
    if (known == null) {
      slots.put(entry, slot);
    }
    slot.pins++;
    return known == null ? slot : null;
  }

  void unpin(EntryRef entry) {
    Slot slot = slots.get(entry);
    if (slot != null) { // gone if its read failed
      slot.pins--;
      trim();
    }
  }

  /** True if the newest version is known. */
  boolean known(EntryRef entry) {
    Slot slot = slots.get(entry);
    return slot != null && slot.version != null;
  }

  Optional<Version> newest(EntryRef entry) {
    return slots.get(entry).version;
  }

  /**
   * A read's answer. Ignored if a commit has said something newer since, also if that was forgotten
   * again and the entry is now being read anew.
   */
  void loaded(EntryRef entry, Slot slot, Optional<Version> version) {
    if (slots.get(entry) == slot && slot.version == null) {
      set(slot, version);
    }
  }

  /**
   * A read failed: whoever needs the entry next reads again. False if nobody waits for its answer
   * any more.
   */
  boolean failed(EntryRef entry, Slot slot) {
    boolean awaited = slots.get(entry) == slot && slot.version == null;
    if (awaited) {
      slots.remove(entry);
    }
    return awaited;
  }

  /** A commit made this the newest version. Kept where the entry is known or awaited. */
  void committed(Version version) {
    Slot slot = slots.get(version.entry());
    if (slot != null) {
      set(slot, Optional.of(version));
    }
  }

  /** Forgets what nobody waits for: it was written over. */
  void clear() {
    slots.values().removeIf(slot -> slot.pins == 0 && slot.version != null);
    bytes = 0;
    slots.values().forEach(slot -> bytes += slot.version == null ? 0 : weight(slot.version));
  }

  int size() {
    return slots.size();
  }

  private void set(Slot slot, Optional<Version> version) {
    bytes += weight(version) - (slot.version == null ? 0 : weight(slot.version));
    slot.version = version;
    trim();
  }

  private void trim() {
    if (slots.size() <= entriesMax && bytes <= bytesMax) {
      return;
    }
    Deque<EntryRef> out = new ArrayDeque<>();
    int count = slots.size();
    long left = bytes;
    for (Map.Entry<EntryRef, Slot> each : slots.entrySet()) {
      if (count <= entriesMax && left <= bytesMax) {
        break;
      }
      if (each.getValue().pins == 0 && each.getValue().version != null) {
        out.add(each.getKey());
        count--;
        left -= weight(each.getValue().version);
      }
    }
    for (EntryRef entry : out) {
      bytes -= weight(slots.remove(entry).version);
    }
  }

  private static long weight(Optional<Version> version) {
    return version.map(v -> 160L + v.body().length()).orElse(64L);
  }
}
