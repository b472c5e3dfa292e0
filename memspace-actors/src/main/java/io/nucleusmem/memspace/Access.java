package io.nucleusmem.memspace;

import java.util.Locale;

/** What a mount lets its holder do. */
public enum Access {
  READ_ONLY,
  READ_WRITE,
  /** Reads, appends and publishes; changes and deletes nothing that is there. */
  APPEND_ONLY;

  /** True for appends and publications. */
  public boolean mayAppend() {
    return this != READ_ONLY;
  }

  /** True for every write. */
  public boolean mayWrite() {
    return this == READ_WRITE;
  }

  /** The name in JSON. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The access of a label. */
  public static Access ofLabel(String label) {
    for (Access access : values()) {
      if (access.label().equals(label)) {
        return access;
      }
    }
    throw MemSpaceException.invalid("access", label, "read_only, read_write or append_only");
  }
}
