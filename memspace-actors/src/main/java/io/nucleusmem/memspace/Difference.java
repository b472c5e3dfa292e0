package io.nucleusmem.memspace;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A key that is not the same on both sides of a comparison.
 *
 * @param before empty where the key was added
 * @param after empty where it was removed
 * @param authors who wrote it since both sides were one, newest first; of sides that never were,
 *     who wrote what is there now
 */
public record Difference(
    EntryKey key, Kind kind, Optional<Entry> before, Optional<Entry> after, List<String> authors) {

  /** What happened to the key. */
  public enum Kind {
    ADDED,
    CHANGED,
    REMOVED;

    /** The name in JSON. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Difference {
    authors = List.copyOf(authors);
  }
}
