package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Delivery;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MessageRange;
import io.nucleusmem.memspace.MountedTopic;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.SubscriptionInfo;
import io.nucleusmem.memspace.SubscriptionSpec;
import io.nucleusmem.memspace.Watch;
import io.nucleusmem.memspace.WatchHandler;
import io.nucleusmem.memspace.WriteOptions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;

/** A topic as an agent gets it. */
final class RecordedTopic implements MountedTopic {
  private final RecordedSpace space;
  private final MountedTopic topic;

  RecordedTopic(RecordedSpace space, MountedTopic topic) {
    this.space = space;
    this.topic = topic;
  }

  @Override
  public String name() {
    return topic.name();
  }

  @Override
  public CompletionStage<Published> publish(
      Content content, Optional<String> to, WriteOptions options) {
    return space
        .life()
        .effect(
            () -> topic.publish(content, to, options),
            (published, failure) ->
                space.effect(
                    "publish",
                    Hashes.of(name(), to, content),
                    published == null
                        ? List.of()
                        : List.of(SeenVersion.message(name(), published.revision()))));
  }

  @Override
  public CompletionStage<Optional<Message>> message(long revision) {
    return space.seen(
        How.READ,
        "message",
        Requests.message(name(), revision),
        topic.message(revision),
        found -> 0L,
        found -> List.of(SeenVersion.message(name(), found.map(Message::revision).orElse(0L))));
  }

  private List<SeenVersion> versions(List<Message> messages) {
    return messages.stream().map(m -> SeenVersion.message(name(), m.revision())).toList();
  }

  @Override
  public CompletionStage<Paged<Message>> fetch(MessageRange range) {
    return space.page(
        How.SCAN, "fetch", Requests.fetch(name(), range), topic.fetch(range), this::versions);
  }

  @Override
  public CompletionStage<Watch> watch(
      OptionalLong from, Optional<String> to, boolean values, WatchHandler handler) {
    return topic.watch(
        from,
        to,
        values,
        space.recorded(
            How.MESSAGE,
            Requests.watch(name(), to, values),
            signals ->
                signals.stream()
                    .map(signal -> SeenVersion.message(name(), signal.revision()))
                    .toList(),
            handler));
  }

  // ---- durable subscriptions: taking, acknowledging and giving back are effects ----

  @Override
  public CompletionStage<SubscriptionInfo> subscribe(String name, SubscriptionSpec spec) {
    return space.fact(
        "subscribe",
        Requests.subscription(name(), name, Optional.of(spec)),
        space.life().effect(() -> topic.subscribe(name, spec)));
  }

  @Override
  public CompletionStage<List<Delivery>> pull(String subscription, int max, Duration wait) {
    return space.seen(
        How.MESSAGE,
        "pull",
        Requests.pull(name(), subscription, max),
        space.life().effect(() -> topic.pull(subscription, max, wait)),
        deliveries -> 0L,
        deliveries -> versions(deliveries.stream().map(Delivery::message).toList()));
  }

  @Override
  public CompletionStage<Void> ack(String subscription, List<Long> revisions) {
    return space.unlessRefused(
        "ack",
        Requests.ack(name(), subscription, revisions),
        space.life().effect(() -> topic.ack(subscription, revisions)));
  }

  @Override
  public CompletionStage<Void> nack(String subscription, List<Long> revisions) {
    return space.unlessRefused(
        "nack",
        Requests.ack(name(), subscription, revisions),
        space.life().effect(() -> topic.nack(subscription, revisions)));
  }

  @Override
  public CompletionStage<SubscriptionInfo> subscription(String name) {
    return space.fact(
        "subscription",
        Requests.subscription(name(), name, Optional.empty()),
        topic.subscription(name));
  }

  @Override
  public CompletionStage<List<SubscriptionInfo>> subscriptions() {
    return space
        .fact(
            "subscriptions",
            Requests.topic(name()),
            topic.subscriptions().thenApply(Facts.Subscriptions::new))
        .thenApply(Facts.Subscriptions::items);
  }

  @Override
  public CompletionStage<Void> unsubscribe(String name) {
    return space.unlessRefused(
        "unsubscribe",
        Requests.subscription(name(), name, Optional.empty()),
        space.life().effect(() -> topic.unsubscribe(name)));
  }
}
