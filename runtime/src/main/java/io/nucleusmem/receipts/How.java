package io.nucleusmem.receipts;

import java.util.Locale;

/** How a version came to an agent. The code stands for it in stored rows: never reused. */
public enum How {
  /** A signal of a watch. */
  SIGNAL(1),
  /** A read of one key: get, pull, history, or the entry of a claim. */
  READ(2),
  /** A scan. */
  SCAN(3),
  /** A message of a topic. */
  MESSAGE(4),
  /** A result of a search. */
  SEARCH(5);

  private final byte code;

  How(int code) {
    this.code = (byte) code;
  }

  byte code() {
    return code;
  }

  /** The name in JSON. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  static How ofCode(int code) {
    for (How how : values()) {
      if (how.code == code) {
        return how;
      }
    }
    throw new IllegalArgumentException("no delivery has the code [" + code + "]; it is 1 to 5");
  }
}
