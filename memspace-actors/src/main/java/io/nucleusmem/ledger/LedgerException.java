package io.nucleusmem.ledger;

/** The ledger could not take or settle a command. The reason says what the sender may do. */
public final class LedgerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What the sender may do. */
  public enum Reason {
    /** Nothing was done: the queue is full. Try again later. */
    BUSY,
    /** Nothing was done: this owner has ended. Try again, another will answer. */
    ENDED,
    /** Not known to be done: try again with the same request id. */
    UNKNOWN,
    /** Never executed: the id is older than what is remembered. */
    REQUEST_TOO_OLD,
    /** Refused: the id was used for another request. */
    REQUEST_REUSED,
    /** The ledger does not exist. */
    ABSENT,
    /** More than a commit may hold. */
    TOO_LARGE
  }

  private final Reason reason;

  public LedgerException(Reason reason, String message) {
    this(reason, message, null);
  }

  public LedgerException(Reason reason, String message, Throwable cause) {
    super(message, cause, true, cause != null);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
