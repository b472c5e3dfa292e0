package io.nucleusmem.routing.router;

import com.typesafe.config.Config;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;

/**
 * What spaces refuse anyway, asked before anything is decided: else a message that no topic takes
 * would leave a decision and be called undelivered.
 *
 * @param requestWindow how long the ids of requests are remembered
 */
record MemoryLimits(long valueBytesMax, int metadataBytesMax, Duration requestWindow) {
  private static final String PATH = "nucleusmem.memspace";
  private static final int UUID_CHARS = 36;
  private static final int WITH_TIME = 7; // the version of UUID that begins with its time

  static MemoryLimits from(Config root) {
    Config config = root.getConfig(PATH);
    return new MemoryLimits(
        config.getBytes("value-bytes-max"),
        config.getBytes("metadata-bytes-max").intValue(),
        config.getDuration("request-window"));
  }

  void check(Content content) {
    if (content.value().length() > valueBytesMax) {
      throw MemSpaceException.tooLarge("value", content.value().length(), valueBytesMax, "bytes");
    }
  }

  /** Refuses an id that tells its time where that is too long ago: it may have been forgotten. */
  void checkAge(String requestId, Instant now) {
    if (requestId.length() != UUID_CHARS) {
      return;
    }
    UUID id;
    try {
      id = UUID.fromString(requestId);
    } catch (IllegalArgumentException e) {
      return; // any other text
    }
    long madeAt = id.getMostSignificantBits() >>> 16;
    if (id.version() == WITH_TIME && madeAt < now.minus(requestWindow).toEpochMilli()) {
      throw new MemSpaceException(
          ErrorCode.REQUEST_TOO_OLD,
          "the request was made at [%s]; ids are remembered for [%s], so it may have been done already"
              .formatted(Instant.ofEpochMilli(madeAt), requestWindow));
    }
  }
}
