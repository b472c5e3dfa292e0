package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Region;

/**
 * A version in its space.
 *
 * @param topic true for a message: then {@code key} is the topic's name, the region is {@code
 *     comm}, and the revision is one of the topic
 * @param revision 0 where a read found nothing
 */
public record SeenVersion(boolean topic, Region region, String key, long revision) {
  private static final int TOPIC_BIT = 0x80;

  /** A version of an entry. */
  public static SeenVersion entry(Region region, String key, long revision) {
    return new SeenVersion(false, region, key, revision);
  }

  /** A message of a topic. */
  public static SeenVersion message(String topic, long revision) {
    return new SeenVersion(true, Region.COMM, topic, revision);
  }

  int code() {
    return region.code() | (topic ? TOPIC_BIT : 0);
  }

  static SeenVersion ofCode(int code, String key, long revision) {
    return new SeenVersion(
        (code & TOPIC_BIT) != 0, Region.ofCode((byte) (code & ~TOPIC_BIT)), key, revision);
  }
}
