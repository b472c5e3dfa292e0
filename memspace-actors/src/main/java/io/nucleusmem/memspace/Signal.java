package io.nucleusmem.memspace;

import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.Optional;

/**
 * "This key changed at this revision", without the value unless a small one was asked for.
 *
 * @param key for a message of a topic: region {@code comm}, the name is its revision in 20 digits
 * @param deleted true for a deletion
 * @param to the agent that a message is directed to; empty for everybody
 * @param content the very version that a pull of (key, revision) gives; empty unless asked for and
 *     small
 */
public record Signal(
    EntryKey key,
    long revision,
    long timestamp,
    String author,
    boolean deleted,
    Optional<String> to,
    Optional<Content> content) {

  /** The millisecond of the change. */
  public Instant at() {
    return Timestamps.instant(timestamp);
  }
}
