package io.nucleusmem.ledger;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A request's id and what it asked, so that the same request is applied once and another under its
 * id is refused.
 *
 * @param high upper 64 bits of the id
 * @param low lower 64 bits of the id
 * @param hash of what was asked
 */
public record RequestStamp(long high, long low, long hash) {
  private static final AtomicLong COUNTER = new AtomicLong();
  private static final AtomicLong NEWEST = new AtomicLong(); // time of an id; never goes back
  private static final long PROCESS = new SecureRandom().nextLong() & 0xFF_FFFF_FFFFL; // 40 bits

  /** The creation time of an id that does not tell it. */
  public static final long NO_TIME = -1;

  /**
   * A stamp under a new id of this process: a UUID of version 7, made now, as far as this process
   * knows the store's time.
   */
  public static RequestStamp fresh(long hash) {
    long n = COUNTER.getAndIncrement();
    notBefore(System.currentTimeMillis());
    long high = NEWEST.get() << 16 | 0x7000L | n & 0xFFF;
    return new RequestStamp(
        high, 0x8000_0000_0000_0000L | PROCESS << 22 | n >>> 12 & 0x3F_FFFF, hash);
  }

  /**
   * From here on new ids are made no earlier than this. The store's time never goes back; if the
   * machine's does, ids by the machine's would be refused as too old until it has caught up.
   */
  public static void notBefore(long millis) {
    if (NEWEST.get() < millis) {
      NEWEST.accumulateAndGet(millis, Math::max);
    }
  }

  /**
   * The stamp of an id as a caller gave it: a UUID as it is, anything else by the first 16 bytes of
   * its SHA-256.
   */
  public static RequestStamp of(String id, long hash) {
    if (id.length() == 36) {
      try {
        UUID uuid = UUID.fromString(id);
        if (uuid.version() != 8) { // 8 is what the others become, see below
          return new RequestStamp(
              uuid.getMostSignificantBits(), uuid.getLeastSignificantBits(), hash);
        }
      } catch (IllegalArgumentException e) {
        // not a UUID: hashed like any other text
      }
    }
    try {
      ByteBuffer digest =
          ByteBuffer.wrap(
              MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8)));
      long high =
          digest.getLong() & ~0xF000L
              | 0x8000L; // version 8 (RFC 9562: custom), so that it is not taken for a time
      return new RequestStamp(high, digest.getLong(), hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** Milliseconds since 1970 at which a UUID of version 7 was made; {@link #NO_TIME} for others. */
  public long createdAt() {
    return (high >>> 12 & 0xF) == 7 ? high >>> 16 : NO_TIME;
  }

  /** True if the ids are the same, whatever was asked. */
  public boolean sameId(RequestStamp other) {
    return high == other.high && low == other.low;
  }
}
