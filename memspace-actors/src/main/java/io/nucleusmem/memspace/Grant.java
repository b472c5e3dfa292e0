package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerId;

/**
 * A mount as this node knows it, good for reading until its lease has run out. A revocation sets
 * {@code ended} before it is confirmed to whoever asked for it; a read looks before it begins and
 * again before it hands over.
 */
final class Grant {
  private final LedgerId space;
  private final MountInfo mount;
  private volatile long leaseUntil; // System.nanoTime
  private volatile long usedAt;
  private volatile boolean archived;
  private volatile MemSpaceException ended;
  private volatile ReadRules rules = ReadRules.NONE;

  Grant(LedgerId space, MountInfo mount) {
    this.space = space;
    this.mount = mount;
  }

  LedgerId space() {
    return space;
  }

  MountInfo mount() {
    return mount;
  }

  /** True if a read may begin or be handed over now. */
  boolean isValid(long now) {
    usedAt = now;
    return ended == null && leaseUntil - now > 0;
  }

  /** Fails if the mount has ended. */
  void verify() {
    MemSpaceException why = ended;
    if (why != null) {
      throw why;
    }
  }

  /** What the space does not show. */
  ReadRules rules() {
    return rules;
  }

  void rules(ReadRules now) {
    rules = now;
  }

  /** What is known of the space is not what it shows any more: the owner must be asked. */
  void stale() {
    leaseUntil = System.nanoTime();
  }

  boolean archived() {
    return archived;
  }

  void archived(boolean value) {
    archived = value;
  }

  void renewed(long until) {
    leaseUntil = until;
  }

  void end(MemSpaceException why) {
    ended = why;
  }

  boolean hasEnded() {
    return ended != null;
  }

  long usedAt() {
    return usedAt;
  }

  long leaseUntil() {
    return leaseUntil;
  }
}
