package io.nucleusmem.memspace;

import java.util.Locale;

/**
 * A part of a space with its own rules. The code is the byte that stands for it in stored keys:
 * never reused.
 */
public enum Region {
  MEMORY(1),
  TASK(2),
  SUMMARY(3),
  TOOL(4),
  COMM(5);

  private final byte code;

  Region(int code) {
    this.code = (byte) code;
  }

  /** The byte that stands for the region in stored keys. */
  public byte code() {
    return code;
  }

  /** The name used in JSON and in configuration: lower case. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The region of a label.
   *
   * @throws MemSpaceException {@link ErrorCode#INVALID_REQUEST} if there is none
   */
  public static Region ofLabel(String label) {
    for (Region region : values()) {
      if (region.label().equals(label)) {
        return region;
      }
    }
    throw MemSpaceException.invalid("region", label, "memory, task, summary, tool or comm");
  }

  /** The region of a stored byte. */
  public static Region ofCode(byte code) {
    for (Region region : values()) {
      if (region.code == code) {
        return region;
      }
    }
    throw new IllegalArgumentException("no region has the code [" + code + "]; it is 1 to 5");
  }
}
