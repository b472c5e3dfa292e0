package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Delivery;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
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
      return SandboxSpace.failedThen();
    }
    CompletionStage<Published> published =
        space.scratch().isPresent()
            ? space.scratch().get().topic(name).publish(content, to, WriteOptions.DEFAULT)
            : CompletableFuture.completedStage(new Published("", 0, 0, false));
    return published.thenApply(
        made ->
            then.isPresent()
                ? new Published(
                    made.id(), then.get().versions().get(0).revision(), made.timestamp(), false)
                : made);
  }

  @Override
  public CompletionStage<Optional<Message>> message(long revision) {
    return read("message", Requests.message(name, revision))
        .thenApply(found -> found.stream().findFirst());
  }

  private CompletionStage<List<Message>> read(String via, long request) {
    Optional<Tape.Read> then = space.tape().read(via, space.mount().space(), request);
    CompletionStage<List<Message>> all = CompletableFuture.completedStage(new ArrayList<>());
    if (then.isPresent()) {
      for (SeenVersion version : then.get().versions()) {
        if (version.revision() == 0 || space.tape().isWithout(space.mount().space(), version)) {
          continue;
        }
        all =
            all.thenCombine(
                space.versions().message(then.get().mount(), version),
                (list, message) -> {
                  message.ifPresent(list::add);
                  return list;
                });
      }
    }
    return all;
  }

  @Override
  public CompletionStage<Paged<Message>> fetch(MessageRange range) {
    return read("fetch", Requests.fetch(name, range))
        .thenApply(found -> new Paged<>(found, 0, Optional.empty()));
  }

  @Override
  public CompletionStage<Watch> watch(
      OptionalLong from, Optional<String> to, boolean values, WatchHandler handler) {
    space.tape().diverged("it watches a topic by itself; a rerun feeds what the context watches");
    return SandboxSpace.failedThen();
  }

  @Override
  public CompletionStage<List<Delivery>> pull(String subscription, int max, Duration wait) {
    return read("pull", Requests.pull(name, subscription, max))
        .thenApply(found -> found.stream().map(message -> new Delivery(message, 1)).toList());
  }

  // ---- subscriptions: nothing of them is touched ----

  @Override
  public CompletionStage<SubscriptionInfo> subscribe(String subscription, SubscriptionSpec spec) {
    return none(subscription);
  }

  private static <T> CompletionStage<T> none(String subscription) {
    return CompletableFuture.failedStage(
        new MemSpaceException(
            ErrorCode.SUBSCRIPTION_NOT_FOUND,
            "a rerun has no subscriptions; [%s] is not touched".formatted(subscription)));
  }

  @Override
  public CompletionStage<Void> ack(String subscription, List<Long> revisions) {
    return CompletableFuture.completedStage(null);
  }

  @Override
  public CompletionStage<Void> nack(String subscription, List<Long> revisions) {
    return CompletableFuture.completedStage(null);
  }

  @Override
  public CompletionStage<SubscriptionInfo> subscription(String subscription) {
    return none(subscription);
  }

  @Override
  public CompletionStage<List<SubscriptionInfo>> subscriptions() {
    return CompletableFuture.completedStage(List.of());
  }

  @Override
  public CompletionStage<Void> unsubscribe(String subscription) {
    return CompletableFuture.completedStage(null);
  }
}
