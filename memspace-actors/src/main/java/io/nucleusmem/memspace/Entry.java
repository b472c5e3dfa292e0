package io.nucleusmem.memspace;

import io.nucleusmem.store.Timestamps;
import java.time.Instant;

/**
 * One version of an entry.
 *
 * @param revision the write's place in its space's order, from 1
 * @param timestamp the store's time of the write, see {@link Timestamps}
 * @param author principal or agent that wrote it
 * @param content empty where {@code deleted}, or where a scan was asked for no values
 * @param size bytes of the value, also where it was not asked for
 * @param deleted true for the version that a deletion made; only a history shows these
 */
public record Entry(
    EntryKey key,
    long revision,
    long timestamp,
    String author,
    Content content,
    int size,
    boolean deleted) {

  /** The millisecond of the write. */
  public Instant at() {
    return Timestamps.instant(timestamp);
  }

  /** The value read as UTF-8. */
  public String text() {
    return content.text();
  }
}
