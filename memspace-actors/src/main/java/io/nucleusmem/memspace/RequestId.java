package io.nucleusmem.memspace;

import java.security.SecureRandom;
import java.util.UUID;

/**
 * Names a write, so that sent again it is applied once. Ours are UUIDs of version 7 (RFC 9562):
 * they begin with their time of creation, so that one older than what a space remembers is refused
 * and never executed.
 */
public final class RequestId {
  private static final SecureRandom RANDOM = new SecureRandom();

  private RequestId() {}

  /** A new id, made at a time in milliseconds since 1970. */
  public static String create(long epochMillis) {
    long high = (epochMillis << 16) | 0x7000L | (RANDOM.nextLong() & 0x0FFFL);
    long low = (RANDOM.nextLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
    return new UUID(high, low).toString();
  }
}
