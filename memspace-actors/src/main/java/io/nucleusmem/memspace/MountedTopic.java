package io.nucleusmem.memspace;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;

/** A topic as one mount shows it. No call blocks. Stages fail with {@link MemSpaceException}. */
public interface MountedTopic {
  /** The topic's name. */
  String name();

  /**
   * Publishes a message.
   *
   * @param to the agent it is for; empty: everybody. Addressing is not privacy: who may read the
   *     topic may read it
   */
  CompletionStage<Published> publish(Content content, Optional<String> to, WriteOptions options);

  /** Publishes to everybody. */
  default CompletionStage<Published> publish(Content content) {
    return publish(content, Optional.empty(), WriteOptions.DEFAULT);
  }

  /** Publishes to one agent. */
  default CompletionStage<Published> publishTo(String to, Content content) {
    return publish(content, Optional.of(to), WriteOptions.DEFAULT);
  }

  /** One message; empty if there is none. */
  CompletionStage<Optional<Message>> message(long revision);

  /** A page of messages. */
  CompletionStage<Paged<Message>> fetch(MessageRange range);

  /**
   * Watches without a subscription: nothing is remembered.
   *
   * @param from first revision wanted; empty: what comes after the call
   * @param to only messages for this agent and for everybody; empty: all
   * @param values whether small contents travel with the signal
   */
  CompletionStage<Watch> watch(
      OptionalLong from, Optional<String> to, boolean values, WatchHandler handler);

  /** Makes a durable subscription; answers the one that is there if the name is taken. */
  CompletionStage<SubscriptionInfo> subscribe(String name, SubscriptionSpec spec);

  /**
   * Takes messages of a subscription, oldest first.
   *
   * @param max 1 to 1,000
   * @param wait how long to wait for the first one; zero: not at all; at most 60 s
   */
  CompletionStage<List<Delivery>> pull(String subscription, int max, Duration wait);

  /**
   * Acknowledges messages: they come no more. Revisions that the topic does not have are ignored.
   */
  CompletionStage<Void> ack(String subscription, List<Long> revisions);

  /**
   * Gives messages back: they come again at once, or go to the dead letters if that was the last
   * time.
   */
  CompletionStage<Void> nack(String subscription, List<Long> revisions);

  /** How far a subscription is. */
  CompletionStage<SubscriptionInfo> subscription(String name);

  /** Names and state of all durable subscriptions: who is subscribed. */
  CompletionStage<List<SubscriptionInfo>> subscriptions();

  /** Ends a subscription. */
  CompletionStage<Void> unsubscribe(String name);
}
