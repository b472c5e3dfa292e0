package io.nucleusmem.examples.desk;

/** Why the desk cannot work, in one line that tells its user what to change. */
final class DeskFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DeskFailure(String message) {
    super(message);
  }

  DeskFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
