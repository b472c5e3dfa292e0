package io.nucleusmem.memspace;

import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The rows of state that a topic keeps in its ledger, and the keys of its messages. */
final class TopicRows {
  static final byte SUBSCRIPTIONS = 2;

  static final StateKey MANIFEST_KEY = SpaceRows.MANIFEST_KEY; // owners look for it

  private static final int DIGITS = 20;

  private TopicRows() {}

  /** What a topic is: its name and its space's name and ledger. */
  record Manifest(String spaceId, String space, String name) {}

  /**
   * A durable subscription.
   *
   * @param floor every message up to here is acknowledged, dead or not for this subscription
   * @param acked acknowledged beyond the floor
   * @param deliveries of messages beyond the floor, where there was more than one
   * @param dead messages that went to the dead letters
   */
  record SubscriptionRow(
      String to,
      long redeliverMillis,
      int deliveriesMax,
      long floor,
      List<Long> acked,
      Map<Long, Integer> deliveries,
      long dead) {

    static SubscriptionRow of(SubscriptionSpec spec, long floor) {
      return new SubscriptionRow(
          spec.to().orElse(null),
          spec.redeliverAfter().toMillis(),
          spec.deliveriesMax(),
          floor,
          List.of(),
          Map.of(),
          0);
    }

    SubscriptionSpec spec() {
      return new SubscriptionSpec(
          new SubscriptionSpec.From.Revision(floor + 1),
          Optional.ofNullable(to),
          Duration.ofMillis(redeliverMillis),
          deliveriesMax);
    }
  }

  static StateKey subscriptionKey(String name) {
    return new StateKey(SUBSCRIPTIONS, Bytes.utf8(name));
  }

  /** The entry that a message is: its revision in 20 digits, so that names sort as revisions do. */
  static EntryRef message(long revision) {
    String digits = Long.toString(revision);
    return new EntryRef(
        Region.COMM.code(), Bytes.utf8("0".repeat(DIGITS - digits.length()) + digits));
  }
}
