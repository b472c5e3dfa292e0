package io.nucleusmem.memspace;

import java.util.Locale;

/** What a merge does with a key that both the base and the fork have changed. */
public enum MergePolicy {
  /** Nothing is merged; the conflicts are told. */
  FAIL,
  /** The base keeps what it has: ours is the space that is merged into, as with Git. */
  OURS,
  /** The base gets what the fork has. */
  THEIRS;

  /** The name in JSON. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The policy of a label. */
  public static MergePolicy ofLabel(String field, String label) {
    for (MergePolicy policy : values()) {
      if (policy.label().equals(label)) {
        return policy;
      }
    }
    throw MemSpaceException.invalid(field, label, "fail, ours or theirs");
  }
}
