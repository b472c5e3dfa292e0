package io.nucleusmem.memspace;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * How far a durable subscription is. Owned by its topic's thread.
 *
 * <p>A message beyond the floor is <em>new</em>, <em>pending</em> (delivered, until its deadline),
 * <em>ready</em> (given back or overdue) or <em>done</em> (acknowledged, dead, or not for this
 * subscription). New ones come from the log in order.
 */
final class Subscription {
  static final int PENDING_MAX = 1_000;
  private static final long NEVER_NANOS = 3_600_000_000_000L;

  private final String name;
  private final SubscriptionSpec spec;
  private final TreeSet<Long> done = new TreeSet<>();
  private final TreeSet<Long> ready = new TreeSet<>();
  private final TreeMap<Long, Long> pending = new TreeMap<>(); // revision -> deadline in nanoTime
  private final TreeSet<Long> dying = new TreeSet<>(); // on their way to the dead letters
  private final Map<Long, Integer> deliveries = new HashMap<>();
  private long floor;
  private long next; // first revision that was not looked at yet
  private long dead;

  Subscription(String name, TopicRows.SubscriptionRow row) {
    this.name = name;
    this.spec = row.spec();
    this.floor = row.floor();
    this.next = row.floor() + 1;
    this.done.addAll(row.acked());
    this.deliveries.putAll(row.deliveries());
    this.dead = row.dead();
  }

  String name() {
    return name;
  }

  SubscriptionSpec spec() {
    return spec;
  }

  TopicRows.SubscriptionRow row() {
    Map<Long, Integer> repeated = new HashMap<>();
    deliveries.forEach(
        (revision, count) -> {
          if (count > 1) {
            repeated.put(revision, count);
          }
        });
    return new TopicRows.SubscriptionRow(
        spec.to().orElse(null),
        spec.redeliverAfter().toMillis(),
        spec.deliveriesMax(),
        floor,
        List.copyOf(done),
        repeated,
        dead);
  }

  SubscriptionInfo info(boolean created) {
    return new SubscriptionInfo(name, floor, pending.size(), dead, created);
  }

  long next() {
    return next;
  }

  /** Room for more unacknowledged messages. */
  int room() {
    return PENDING_MAX - pending.size();
  }

  boolean hasPending() {
    return !pending.isEmpty();
  }

  /** Messages that are to come again, oldest first. */
  List<Long> takeReady(int max) {
    List<Long> taken = new ArrayList<>();
    while (taken.size() < max && !ready.isEmpty()) {
      taken.add(ready.pollFirst());
    }
    return taken;
  }

  boolean hasReady() {
    return !ready.isEmpty();
  }

  /** Puts back what could not be delivered after all. */
  void putBack(List<Long> revisions) {
    ready.addAll(revisions);
  }

  /** True if the next delivery of a message would be one too many. */
  boolean isExhausted(long revision) {
    return deliveries.getOrDefault(revision, 0) >= spec.deliveriesMax();
  }

  /** A message is on its way, for the n-th time. */
  int delivering(long revision, long now) {
    pending.put(revision, now + spec.redeliverAfter().toNanos());
    return deliveries.merge(revision, 1, Integer::sum);
  }

  /** The log was looked at up to here; what is not for this subscription is done. */
  void lookedAt(long upTo) {
    next = Math.max(next, upTo + 1);
    moveFloor();
  }

  boolean isDone(long revision) {
    return revision <= floor || done.contains(revision);
  }

  /**
   * True if something changed that has to be remembered. A message that was not looked at yet may
   * have been delivered by an owner before this one.
   *
   * @param newest revision that there is
   */
  boolean ack(List<Long> revisions, long newest) {
    boolean changed = false;
    for (long revision : revisions) {
      boolean known =
          pending.remove(revision) != null | ready.remove(revision)
              || revision >= next && revision <= newest && done.size() < PENDING_MAX;
      if (known && done.add(revision)) {
        deliveries.remove(revision);
        changed = true;
      }
    }
    while (done.contains(next)) {
      next++;
    }
    moveFloor();
    return changed;
  }

  void nack(List<Long> revisions) {
    for (long revision : revisions) {
      if (pending.remove(revision) != null) {
        ready.add(revision);
      }
    }
  }

  /** A message had its last chance. False if it is on its way to the dead letters already. */
  boolean dying(long revision) {
    return dying.add(revision);
  }

  /** It could not be buried yet. */
  void notBuried(long revision) {
    dying.remove(revision);
    ready.add(revision);
  }

  boolean hasDying() {
    return !dying.isEmpty();
  }

  /** When the next pending message is overdue, in nanoTime; never if there is none. */
  long nextDeadline(long now) {
    return pending.values().stream().mapToLong(Long::longValue).min().orElse(now + NEVER_NANOS);
  }

  /** It is buried. */
  void died(long revision) {
    dying.remove(revision);
    dead++;
    done.add(revision);
    deliveries.remove(revision);
    moveFloor();
  }

  /** Messages whose time is over come again. True if there were any. */
  boolean expire(long now) {
    List<Long> overdue = new ArrayList<>();
    pending.forEach(
        (revision, deadline) -> {
          if (deadline - now <= 0) {
            overdue.add(revision);
          }
        });
    nack(overdue);
    return !overdue.isEmpty();
  }

  /** The floor is behind everything that is neither pending, ready, dying nor new. */
  private void moveFloor() {
    long limit = next - 1;
    if (!pending.isEmpty()) {
      limit = Math.min(limit, pending.firstKey() - 1);
    }
    if (!ready.isEmpty()) {
      limit = Math.min(limit, ready.first() - 1);
    }
    if (!dying.isEmpty()) {
      limit = Math.min(limit, dying.first() - 1);
    }
    floor = Math.max(floor, limit);
    done.headSet(floor, true).clear();
  }
}
