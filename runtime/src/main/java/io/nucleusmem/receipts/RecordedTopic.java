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
import io.nucleusmem.memspace.WatchEvent;
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
    LifeLog.Mark during = space.life().current();
    return topic
        .message(revision)
        .thenApply(
            found -> {
              saw(
                  "message",
                  during,
                  Requests.message(name(), revision),
                  List.of(SeenVersion.message(name(), found.map(Message::revision).orElse(0L))));
              return found;
            });
  }

  private void saw(String via, LifeLog.Mark during, long request, List<SeenVersion> versions) {
    space.saw(How.READ, via, during, request, 0, versions);
  }

  private List<SeenVersion> versions(List<Message> messages) {
    return messages.stream().map(m -> SeenVersion.message(name(), m.revision())).toList();
  }

  @Override
  public CompletionStage<Paged<Message>> fetch(MessageRange range) {
    LifeLog.Mark during = space.life().current();
    return topic
        .fetch(range)
        .thenApply(
            page -> {
              space.saw(
                  How.SCAN,
                  "fetch",
                  during,
                  Requests.fetch(name(), range),
                  page.revision(),
                  versions(page.items()));
              return page;
            });
  }

  @Override
  public CompletionStage<Watch> watch(
      OptionalLong from, Optional<String> to, boolean values, WatchHandler handler) {
    if (!space.receipts()) {
      return topic.watch(from, to, values, handler);
    }
    return topic.watch(
        from,
        to,
        values,
        event ->
            event instanceof WatchEvent.Signals some
                ? space
                    .life()
                    .input(
                        How.MESSAGE,
                        false,
                        space.mount().space(),
                        space.mount().id(),
                        "watch",
                        some.signals().stream()
                            .map(signal -> SeenVersion.message(name(), signal.revision()))
                            .toList())
                    .thenCompose(first -> handler.on(event))
                : handler.on(event));
  }

  // ---- durable subscriptions: taking, acknowledging and giving back are effects ----

  @Override
  public CompletionStage<SubscriptionInfo> subscribe(String name, SubscriptionSpec spec) {
    return space.life().effect(() -> topic.subscribe(name, spec));
  }

  @Override
  public CompletionStage<List<Delivery>> pull(String subscription, int max, Duration wait) {
    LifeLog.Mark during = space.life().current();
    return space
        .life()
        .effect(() -> topic.pull(subscription, max, wait))
        .thenApply(
            deliveries -> {
              space.saw(
                  How.MESSAGE,
                  "pull",
                  during,
                  Requests.pull(name(), subscription, max),
                  0,
                  versions(deliveries.stream().map(Delivery::message).toList()));
              return deliveries;
            });
  }

  @Override
  public CompletionStage<Void> ack(String subscription, List<Long> revisions) {
    return space.life().effect(() -> topic.ack(subscription, revisions));
  }

  @Override
  public CompletionStage<Void> nack(String subscription, List<Long> revisions) {
    return space.life().effect(() -> topic.nack(subscription, revisions));
  }

  @Override
  public CompletionStage<SubscriptionInfo> subscription(String name) {
    return topic.subscription(name);
  }

  @Override
  public CompletionStage<List<SubscriptionInfo>> subscriptions() {
    return topic.subscriptions();
  }

  @Override
  public CompletionStage<Void> unsubscribe(String name) {
    return space.life().effect(() -> topic.unsubscribe(name));
  }
}
