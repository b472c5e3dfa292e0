package io.nucleusmem.memspace;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A call on a space, topic, mount or agent was refused. The message says what was tried, what was
 * found and what would be accepted; {@link #code()} is what a program acts on, {@link #details()}
 * are the values involved.
 */
public class MemSpaceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final transient Map<String, Object> details;

  public MemSpaceException(ErrorCode code, String message) {
    this(code, message, Map.of(), null);
  }

  public MemSpaceException(ErrorCode code, String message, Map<String, Object> details) {
    this(code, message, details, null);
  }

  public MemSpaceException(
      ErrorCode code, String message, Map<String, Object> details, Throwable cause) {
    super(
        message,
        cause,
        true,
        code.status() >= 500); // a refusal is an answer: it needs no stack trace
    this.code = code;
    this.details = new LinkedHashMap<>(details);
  }

  /** A field that is not as it must be. */
  public static MemSpaceException invalid(String field, Object found, String accepted) {
    return new MemSpaceException(
        ErrorCode.INVALID_REQUEST,
        "%s is [%s]; accepted: %s".formatted(field, found, accepted),
        Map.of("field", field, "value", String.valueOf(found), "accepted", accepted));
  }

  /** Something larger than its limit. */
  public static MemSpaceException tooLarge(String what, long found, long max, String unit) {
    return new MemSpaceException(
        ErrorCode.TOO_LARGE,
        "%s has [%d] %s; at most [%d] fit".formatted(what, found, unit, max),
        Map.of("field", what, "value", found, "accepted", "at most " + max + " " + unit));
  }

  /** Why. */
  public ErrorCode code() {
    return code;
  }

  /** Values by the names that HTTP uses, such as {@code current_revision}. */
  public Map<String, Object> details() {
    return details == null ? Map.of() : details;
  }
}
