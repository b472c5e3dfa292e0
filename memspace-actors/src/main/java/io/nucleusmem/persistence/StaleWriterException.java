package io.nucleusmem.persistence;

/**
 * A write was refused because another incarnation of the same persistence id has written since, or
 * deleted what this one would follow. Nothing was written. Never retried: the actor stops, and what
 * is started in its place recovers what is there.
 */
public final class StaleWriterException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  private final String persistenceId;
  private final long number;

  StaleWriterException(String persistenceId, long number, Throwable cause) {
    super(
        ("[%s] cannot write [%d]: the number is taken, or the one before it is not there; "
                + "another incarnation has written or deleted since")
            .formatted(persistenceId, number),
        cause);
    this.persistenceId = persistenceId;
    this.number = number;
  }

  /** Whose write was refused. */
  public String persistenceId() {
    return persistenceId;
  }

  /** The first sequence number of the refused write, or the revision of a durable state. */
  public long number() {
    return number;
  }
}
