package io.nucleusmem.memspace;

import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.time.format.DateTimeParseException;
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

  /**
   * The timestamp in the id of a message.
   *
   * @throws IllegalArgumentException if it is no such id
   */
  public static long timestampOf(String id) {
    String[] parts = id.split("/", 3);
    int counter = parts.length < 3 ? -1 : parts[1].lastIndexOf('.');
    try {
      if (counter > 0) {
        return Timestamps.firstOf(Instant.parse(parts[1].substring(0, counter)).toEpochMilli())
            + Long.parseLong(parts[1].substring(counter + 1));
      }
    } catch (DateTimeParseException | NumberFormatException e) {
      // refused below
    }
    throw new IllegalArgumentException("[" + id + "] is no id of a message");
  }

  private static String stamp(long timestamp) {
    return Timestamps.instant(timestamp) + "." + Timestamps.counter(timestamp);
  }

  /** The millisecond of the publication. */
  public Instant at() {
    return Timestamps.instant(timestamp);
  }
}
