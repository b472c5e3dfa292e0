package io.nucleusmem.memspace;

import java.util.Locale;

/**
 * Why a call was refused; the same names, in lower case, that HTTP answers as {@code code}.
 *
 * <p>Each says whether the same request may succeed when sent again unchanged.
 */
public enum ErrorCode {
  INVALID_REQUEST(400, false),
  AS_OF_IN_FUTURE(400, false),
  UNAUTHENTICATED(401, false),
  FORBIDDEN(403, false),
  MOUNT_REQUIRED(403, false),
  MOUNT_REVOKED(403, false),
  NOT_OWNER(403, false),
  SPACE_NOT_FOUND(404, false),
  ENTRY_NOT_FOUND(404, false),
  MOUNT_NOT_FOUND(404, false),
  TOPIC_NOT_FOUND(404, false),
  MESSAGE_NOT_FOUND(404, false),
  BOOKMARK_NOT_FOUND(404, false),
  SUBSCRIPTION_NOT_FOUND(404, false),
  AGENT_NOT_FOUND(404, false),
  UNKNOWN_AGENT_TYPE(404, false),
  UNKNOWN_TARGET(404, false),
  ROUTE_NOT_FOUND(404, false),
  DECISION_NOT_FOUND(404, false),
  OPERATION_NOT_FOUND(404, false),
  NOT_FOUND(404, false),
  METHOD_NOT_ALLOWED(405, false),
  SPACE_EXISTS(409, false),
  SPACE_ARCHIVED(409, false),
  SPACE_PINNED(409, false),
  /** A fork of a fork of … has reached the longest chain. */
  FORKS_TOO_DEEP(409, false),
  /** The base has changed what the fork changed too; nothing was merged. */
  MERGE_CONFLICT(409, false),
  AGENT_EXISTS(409, false),
  NOT_JSON(409, false),
  NOT_A_NUMBER(409, false),
  CLAIMED(409, false),
  CLAIM_LOST(409, false),
  REQUEST_TOO_OLD(409, false),
  COMPACTED(410, false),
  ERASED(410, false),
  /** The space of then is not there any more. */
  SPACE_DELETED(410, false),
  REVISION_MISMATCH(412, false),
  TOO_LARGE(413, false),
  UNSUPPORTED_MEDIA_TYPE(415, false),
  IDEMPOTENCY_KEY_REUSED(422, false),
  DAMAGED_FILE(422, false),
  /** A queue is full: nothing was done; wait {@code retry_after_ms}. */
  BUSY(429, true),
  QUARANTINED(451, false),
  INTERNAL(500, false),
  /** Not done, or not known to be done: retry with the same request id. */
  UNAVAILABLE(503, true);

  private final int status;
  private final boolean retryable;

  ErrorCode(int status, boolean retryable) {
    this.status = status;
    this.retryable = retryable;
  }

  /** The HTTP status that goes with the code. */
  public int status() {
    return status;
  }

  /** True if the same request, sent again with the same request id, may succeed. */
  public boolean retryable() {
    return retryable;
  }

  /** The name in JSON. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
