package io.nucleusmem.receipts;

import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.store.Bytes;

/**
 * What a model, tool, clock, router, source of random numbers or blocking work had given, as a
 * record has it.
 *
 * @param failed then the reply is the failure
 * @param tokens that a model counted; 0: unknown
 */
public record Answer(State state, boolean failed, Bytes reply, long tokens) {
  /** What is known of an answer. */
  public enum State {
    /** It is there. */
    GIVEN,
    /** It was asked for, and the life ended first. */
    NEVER,
    /** It was given and could not be kept; the reply is why. */
    LOST,
    /** Nothing of it is on record. */
    UNKNOWN
  }

  static Answer of(State state) {
    return new Answer(state, false, Bytes.EMPTY, 0);
  }

  static Answer lost(String why) {
    return new Answer(State.LOST, true, Bytes.utf8(why), 0);
  }

  /** True if it is there. */
  public boolean isGiven() {
    return state == State.GIVEN;
  }

  /** The reply as text. */
  public String text() {
    return reply.utf8();
  }

  /**
   * The failure.
   *
   * @param loader that knows the agent's classes
   */
  public Throwable failure(ClassLoader loader) {
    return Failures.decode(reply, loader);
  }

  /**
   * The result of blocking work.
   *
   * @param loader that knows the agent's classes
   * @throws MemSpaceException {@code UNAVAILABLE} where its class has changed or is gone
   */
  public Object value(ClassLoader loader) {
    try {
      return PlainValues.decode(reply, loader);
    } catch (PlainValues.NotPlain gone) {
      throw new MemSpaceException(
          ErrorCode.UNAVAILABLE,
          "what blocking work had given can't be made again: " + gone.getMessage());
    }
  }
}
