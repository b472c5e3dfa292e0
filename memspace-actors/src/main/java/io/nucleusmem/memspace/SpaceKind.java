package io.nucleusmem.memspace;

import java.util.Locale;

/** Whom a space is for. */
public enum SpaceKind {
  /** Mounted only for its owner. */
  PRIVATE,
  /** A blackboard: mounted for whoever its owner lets. */
  SHARED;

  /** The name in JSON. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The kind of a label. */
  public static SpaceKind ofLabel(String label) {
    for (SpaceKind kind : values()) {
      if (kind.label().equals(label)) {
        return kind;
      }
    }
    throw MemSpaceException.invalid("kind", label, "private or shared");
  }
}
