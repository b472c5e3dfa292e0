package io.nucleusmem.store;

/**
 * Whether the batch was, or will yet be, written is not known. A row that is there settles it; one
 * that is absent proves nothing, the request may still land. Send the identical batch again.
 */
public final class UndeterminedCommitException extends StoreException {
  private static final long serialVersionUID = 1L;

  public UndeterminedCommitException(String message) {
    super(message);
  }

  public UndeterminedCommitException(String message, Throwable cause) {
    super(message, cause);
  }
}
