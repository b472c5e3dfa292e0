package io.nucleusmem.node;

/**
 * A node could not start, for a reason that its operator can remove: the message names it in one
 * line. Nothing of the node is left running.
 */
public final class NodeStartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public NodeStartException(String message, Throwable cause) {
    super(message, cause);
  }
}
