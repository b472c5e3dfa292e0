package io.nucleusmem.memspace;

import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.Optional;

/**
 * A message of a topic, as it was published; it is never changed.
 *
 * @param id {@code TOPIC/INSTANT/SENDER}; the instant carries a counter, so an id is unique
 * @param revision its place in its topic, from 1
 * @param to the agent it is directed to; empty for everybody
 */
public record Message(
    String id,
    String topic,
    long revision,
    long timestamp,
    String sender,
    Optional<String> to,
    Content content) {

  /** The id of a message: {@code TOPIC/2026-11-23T14:03:07.123Z.COUNTER/SENDER}. */
  public static String id(String topic, long timestamp, String sender) {
    return topic + "/" + stamp(timestamp) + "/" + sender;
  }

  private static String stamp(long timestamp) {
    return Timestamps.instant(timestamp) + "." + Timestamps.counter(timestamp);
  }

  /** The millisecond of the publication. */
  public Instant at() {
    return Timestamps.instant(timestamp);
  }
}
