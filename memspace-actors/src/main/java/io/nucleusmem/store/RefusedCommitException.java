package io.nucleusmem.store;

import java.util.Optional;

/**
 * A condition of the batch did not hold and nothing was written. Final for this batch, unless the
 * row that is there is the batch's own, written by an earlier sending of it.
 */
public final class RefusedCommitException extends StoreException {
  private static final long serialVersionUID = 1L;

  private final transient Bytes key;
  private final transient Bytes found;

  private RefusedCommitException(String message, Bytes key, Bytes found) {
    super(message);
    this.key = key;
    this.found = found;
  }

  /** An {@code insert} met a row. */
  public static RefusedCommitException exists(Bytes key, Bytes found) {
    return new RefusedCommitException("insert of [" + key + "] found the row there", key, found);
  }

  /** A {@code require} met none. */
  public static RefusedCommitException missing(Bytes key) {
    return new RefusedCommitException("required row [" + key + "] is not there", key, null);
  }

  /** The row whose condition failed. */
  public Bytes key() {
    return key;
  }

  /** What is stored there; empty if a required row was missing. */
  public Optional<Bytes> found() {
    return Optional.ofNullable(found);
  }
}
