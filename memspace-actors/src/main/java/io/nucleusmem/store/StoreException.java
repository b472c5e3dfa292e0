package io.nucleusmem.store;

/**
 * A failure of the store that a retry does not mend: bad configuration, damaged files, a full disk,
 * a closed store. Its subclasses say what else may be done.
 */
public class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public StoreException(String message) {
    super(message);
  }

  public StoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
