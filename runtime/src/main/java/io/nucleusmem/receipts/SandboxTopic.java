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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** A topic as a rerun gets it. */
final class SandboxTopic implements MountedTopic {
  private final SandboxSpace space;
  private final String name;

  SandboxTopic(SandboxSpace space, String name) {
    this.space = space;
    this.name = name;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public CompletionStage<Published> publish(
      Content content, Optional<String> to, WriteOptions options) {
    Optional<Tape.Done> then =
        space.tape().effect("publish", space.mount().space(), Hashes.of(name, to, content));
    if (then.isPresent() && !then.get().done()) {
      return CompletableFuture.failedStage(then.get().why(getClass().getClassLoader()));
    }
    CompletionStage<Published> published =
        space.inOrder(
            () ->
                space.scratch().isPresent()
                    ? space.scratch().get().topic(name).publish(content, to, WriteOptions.DEFAULT)
                    : CompletableFuture.completedStage(new Published("", 0, 0, false)));
    if (then.isEmpty()) {
      return published;
    }
    SeenVersion version = then.get().versions().get(0);
    return published.thenCombine(
        space.versions().readable(space.versions().message(then.get().mount(), version)),
        (made, message) ->
            new Published(
                message.map(Message::id).orElse(made.id()),
                version.revision(),
                message.map(Message::timestamp).orElse(made.timestamp()),
                false));
  }

  @Override
  public CompletionStage<Optional<Message>> message(long revision) {
    return read(
            "message",
            Requests.message(name, revision),
            () ->
                past().message(revision).thenApply(found -> found.map(List::of).orElse(List.of())))
        .thenApply(found -> found.items().stream().findFirst());
  }

  private MountedTopic past() {
    return space.versions().space(space.mount().id()).topic(name);
  }

  /** Messages as they were; where that is not on record, those that were there by then. */
  private CompletionStage<Paged<Message>> read(
      String via, long request, Supplier<CompletionStage<List<Message>>> otherwise) {
    Optional<Tape.Read> then = space.readThen(via, request);
    if (then.isEmpty()) {
      return otherwise.get().thenApply(found -> new Paged<>(kept(found), 0, Optional.empty()));
    }
    return SandboxSpace.<Paged<Message>>failed(then)
        .orElseGet(
            () ->
                messages(then.get())
                    .thenApply(found -> new Paged<>(found, then.get().at(), then.get().next())));
  }

  private List<Message> kept(List<Message> found) {
    return found.stream()
        .filter(each -> !each.at().isAfter(space.tape().now()))
        .filter(each -> !isWithout(SeenVersion.message(name, each.revision())))
        .toList();
  }

  private boolean isWithout(SeenVersion version) {
    return space.tape().isWithout(space.mount().space(), version);
  }

  private CompletionStage<List<Message>> messages(Tape.Read then) {
    CompletionStage<List<Message>> all = CompletableFuture.completedStage(new ArrayList<>());
    for (SeenVersion version : then.versions()) {
      if (version.revision() == 0 || isWithout(version)) {
        continue;
      }
      all =
          all.thenCombine(
              space.versions().message(then.mount(), version),
              (list, message) -> {
                message.ifPresent(list::add);
                return list;
              });
    }
    return all;
  }

  @Override
  public CompletionStage<Paged<Message>> fetch(MessageRange range) {
    return read(
        "fetch", Requests.fetch(name, range), () -> past().fetch(range).thenApply(Paged::items));
  }

  @Override
  public CompletionStage<Watch> watch(
      OptionalLong from, Optional<String> to, boolean values, WatchHandler handler) {
    return space.watch(Requests.watch(name, to, values), values, handler);
  }

  @Override
  public CompletionStage<List<Delivery>> pull(String subscription, int max, Duration wait) {
    return read(
            "pull",
            Requests.pull(name, subscription, max),
            () -> CompletableFuture.completedStage(List.of()))
        .thenApply(
            found -> found.items().stream().map(message -> new Delivery(message, 1)).toList());
  }

  // ---- subscriptions: nothing of them is touched ----

  private CompletionStage<SubscriptionInfo> subscription(
      String via, String subscription, Optional<SubscriptionSpec> spec) {
    return space.fact(
        via,
        Requests.subscription(name, subscription, spec),
        SubscriptionInfo.class,
        () -> new SubscriptionInfo(subscription, 0, 0, 0, false));
  }

  @Override
  public CompletionStage<SubscriptionInfo> subscribe(String subscription, SubscriptionSpec spec) {
    return subscription("subscribe", subscription, Optional.of(spec));
  }

  @Override
  public CompletionStage<SubscriptionInfo> subscription(String subscription) {
    return subscription("subscription", subscription, Optional.empty());
  }

  @Override
  public CompletionStage<List<SubscriptionInfo>> subscriptions() {
    return space
        .fact(
            "subscriptions",
            Requests.topic(name),
            Facts.Subscriptions.class,
            () -> new Facts.Subscriptions(List.of()))
        .thenApply(Facts.Subscriptions::items);
  }

  @Override
  public CompletionStage<Void> ack(String subscription, List<Long> revisions) {
    return space.unlessRefused("ack", Requests.ack(name, subscription, revisions), null);
  }

  @Override
  public CompletionStage<Void> nack(String subscription, List<Long> revisions) {
    return space.unlessRefused("nack", Requests.ack(name, subscription, revisions), null);
  }

  @Override
  public CompletionStage<Void> unsubscribe(String subscription) {
    return space.unlessRefused(
        "unsubscribe", Requests.subscription(name, subscription, Optional.empty()), null);
  }
}
