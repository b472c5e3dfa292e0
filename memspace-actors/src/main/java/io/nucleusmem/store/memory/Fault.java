package io.nucleusmem.store.memory;

/** What becomes of one commit. */
public enum Fault {
  /** Nothing special: written and answered at once. */
  NONE,

  /** Not written; fails with {@code TransientStoreException}. */
  TRANSIENT,

  /** Written; fails with {@code UndeterminedCommitException}. */
  LOST_ANSWER,

  /**
   * Fails with {@code UndeterminedCommitException} now; the request is {@linkplain
   * MemoryStore#held() held} and written when it is released, if its conditions hold then.
   */
  LATE,

  /** Held whole: written and answered when it is released. */
  SLOW,

  /** Written and visible now; the answer is held until it is released. */
  SLOW_ANSWER
}
