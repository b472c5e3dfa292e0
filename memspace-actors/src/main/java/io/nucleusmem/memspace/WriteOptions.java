package io.nucleusmem.memspace;

import java.util.Optional;

/**
 * How a write is sent.
 *
 * @param requestId 16 to 128 characters; the same id with the same request gives the first answer
 *     again, with another request {@link ErrorCode#IDEMPOTENCY_KEY_REUSED}. Empty: the client makes
 *     one of its own, for its own retries
 */
public record WriteOptions(Optional<String> requestId) {
  public static final WriteOptions DEFAULT = new WriteOptions(Optional.empty());

  /** A write under an id of the caller's. */
  public static WriteOptions id(String requestId) {
    return new WriteOptions(Optional.of(requestId));
  }
}
