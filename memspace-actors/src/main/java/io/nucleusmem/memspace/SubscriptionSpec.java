package io.nucleusmem.memspace;

import java.time.Duration;
import java.util.Optional;

/**
 * A durable subscription: one name, shared by competing consumers.
 *
 * @param from where it begins
 * @param to only messages directed to this agent, and those for everybody
 * @param redeliverAfter how long a delivered message may stay unacknowledged; 1 ms to 24 h
 * @param deliveriesMax after so many deliveries a message goes to the topic {@code NAME.dead}; 1 to
 *     1,000
 */
public record SubscriptionSpec(
    From from, Optional<String> to, Duration redeliverAfter, int deliveriesMax) {
  /** Where a subscription begins. */
  public sealed interface From {
    /** With what comes. */
    record Latest() implements From {}

    /** With the first message that is kept. */
    record Earliest() implements From {}

    /** With a revision. */
    record Revision(long revision) implements From {}
  }

  /** From the first message on, redelivered after 30 s, five times. */
  public static SubscriptionSpec earliest() {
    return new SubscriptionSpec(new From.Earliest(), Optional.empty(), Duration.ofSeconds(30), 5);
  }

  /** What comes, redelivered after 30 s, five times. */
  public static SubscriptionSpec latest() {
    return new SubscriptionSpec(new From.Latest(), Optional.empty(), Duration.ofSeconds(30), 5);
  }
}
