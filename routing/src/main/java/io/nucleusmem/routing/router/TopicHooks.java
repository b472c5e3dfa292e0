package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Delivery;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.MountedTopic;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.RevisionMismatchException;
import io.nucleusmem.memspace.SubscriptionSpec;
import io.nucleusmem.routing.RoutedMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Topics whose messages are routed. Each has a durable subscription, and all nodes take from it, so
 * a message is routed by one of them; it is acknowledged when it is delivered, and comes again, to
 * any node, if the one that had it died. The same message is decided once.
 */
final class TopicHooks {
  private static final Logger LOG = LoggerFactory.getLogger(TopicHooks.class);
  private static final String SUBSCRIPTION = "router";
  private static final int TRIES_MAX = 10; // of a change of a hook that others change too
  private static final Duration PULL_WAIT = Duration.ofSeconds(20);
  private static final Duration PAUSE = Duration.ofSeconds(1); // after a failure
  private static final SubscriptionSpec SPEC =
      new SubscriptionSpec(
          new SubscriptionSpec.From.Latest(), Optional.empty(), Duration.ofMinutes(2), 1_000);

  private final MemSpaces spaces;
  private final OwnSpace routes;
  private final Deliveries deliveries;
  private final LiveView live;
  private final RoutingSettings settings;
  private final Executor later;
  private final Map<String, Consumer> consumers = new HashMap<>(); // guarded by itself
  private boolean stopped; // guarded by consumers
  private volatile RoutingService service;

  TopicHooks(
      MemSpaces spaces,
      OwnSpace routes,
      Deliveries deliveries,
      LiveView live,
      RoutingSettings settings) {
    this.spaces = spaces;
    this.routes = routes;
    this.deliveries = deliveries;
    this.live = live;
    this.settings = settings;
    this.later = CompletableFuture.delayedExecutor(PAUSE.toMillis(), TimeUnit.MILLISECONDS);
  }

  // ---- changes ----

  CompletionStage<Void> use(Principal caller, Optional<String> router) {
    return Failures.attempt(
        () -> {
          requireAdmin(caller);
          return put(
                  HookRow.ROUTER,
                  new HookRow(null, null, router.orElse(null), null),
                  OptionalLong.empty())
              .thenApply(revision -> null);
        });
  }

  CompletionStage<Void> hook(
      Principal caller, String space, String topic, Optional<String> router) {
    return Failures.attempt(
        () -> {
          requireAdmin(caller);
          if (Deliveries.toTopic(space, topic).equals(deliveries.fallback())) {
            throw MemSpaceException.invalid(
                "topic", topic, "a topic other than the one for what no route takes");
          }
          return again(
              TRIES_MAX,
              () ->
                  routes
                      .call(mounted -> mounted.get(HookRow.key(space, topic)))
                      .thenCompose(
                          found -> {
                            if (found.isEmpty()) {
                              requireRoom(live.current().hooks().size() + 1L);
                            }
                            return hook(caller, space, topic, router, found);
                          }));
        });
  }

  /** Tries again where somebody else changed the same hook meanwhile. */
  private static CompletionStage<Void> again(int tries, Supplier<CompletionStage<Void>> change) {
    return Failures.recover(
        change.get(),
        failure ->
            failure instanceof RevisionMismatchException && tries > 1
                ? again(tries - 1, change)
                : CompletableFuture.failedStage(failure));
  }

  /** The subscription stands before the call returns: what comes after that is routed. */
  private CompletionStage<Void> hook(
      Principal caller,
      String space,
      String topic,
      Optional<String> router,
      Optional<Entry> before) {
    return opened(space, topic)
        .thenCompose(
            opened -> {
              String made =
                  opened.isNew()
                      ? opened.mounted().mount().id()
                      : before.map(HookRow::read).map(HookRow::mount).orElse(null);
              HookRow row = new HookRow(space, topic, router.orElse(null), made);
              return subscribed(opened.mounted().topic(topic))
                  .thenCompose(there -> put(HookRow.key(space, topic), row, revisionOf(before)))
                  .exceptionallyCompose(
                      failure ->
                          close(opened.isNew() ? made : null)
                              .thenCompose(done -> CompletableFuture.failedStage(failure)));
            })
        .thenCompose(
            revision ->
                before.isEmpty()
                    ? within(caller, space, topic, revision)
                    : CompletableFuture.completedStage(null));
  }

  private static OptionalLong revisionOf(Optional<Entry> before) {
    return OptionalLong.of(before.map(Entry::revision).orElse(0L));
  }

  private void requireRoom(long hooks) {
    if (hooks > settings.hooksMax()) {
      throw MemSpaceException.tooLarge("hooks", hooks, settings.hooksMax(), "topics");
    }
  }

  /** As with routes: of hooks that are set at the same time the one that is too many goes again. */
  private CompletionStage<Void> within(
      Principal caller, String space, String topic, long revision) {
    return routes
        .count(HookRow.PREFIX, revision)
        .thenCompose(
            hooks ->
                hooks <= settings.hooksMax()
                    ? CompletableFuture.completedStage(null)
                    : unhook(caller, space, topic).thenAccept(gone -> requireRoom(hooks)));
  }

  CompletionStage<Void> unhook(Principal caller, String space, String topic) {
    return Failures.attempt(
        () -> {
          requireAdmin(caller);
          return again(
              TRIES_MAX,
              () ->
                  routes
                      .call(mounted -> mounted.get(HookRow.key(space, topic)))
                      .thenCompose(found -> unhook(space, topic, found)));
        });
  }

  private CompletionStage<Void> unhook(String space, String topic, Optional<Entry> found) {
    Operation gone =
        new Operation.Delete(
            HookRow.key(space, topic),
            found.map(entry -> OptionalLong.of(entry.revision())).orElse(OptionalLong.empty()),
            Operation.ANY);
    return routes
        .call(mounted -> mounted.write(gone))
        .thenCompose(
            written -> {
              live.written(written.revision());
              return ended(space, topic);
            })
        .thenCompose(done -> close(found.map(HookRow::read).map(HookRow::mount).orElse(null)));
  }

  /** Ends the subscription, where the router can still reach it. */
  private CompletionStage<Void> ended(String space, String topic) {
    return unlessGone(
        existing(space, topic)
            .thenCompose(
                own ->
                    own.isPresent()
                        ? own.get().topic(topic).unsubscribe(SUBSCRIPTION)
                        : CompletableFuture.completedStage(null)));
  }

  /** Takes back a mount that was made for a hook, if there is one and it is still there. */
  private CompletionStage<Void> close(String mount) {
    return mount == null
        ? CompletableFuture.completedStage(null)
        : unlessGone(spaces.unmount(RouterSpace.SYSTEM, mount));
  }

  private static CompletionStage<Void> unlessGone(CompletionStage<Void> ending) {
    return Failures.recover(
        ending,
        failure ->
            failure instanceof MemSpaceException refused && Openings.GONE.contains(refused.code())
                ? CompletableFuture.completedStage(null)
                : CompletableFuture.failedStage(failure));
  }

  private CompletionStage<Long> put(EntryKey key, HookRow row, OptionalLong expected) {
    return routes
        .call(
            mounted ->
                mounted.write(
                    new Operation.Put(key, row.toContent(), expected, Operation.ANY, false)))
        .thenApply(
            written -> {
              live.written(written.revision());
              return written.revision();
            });
  }

  private static void requireAdmin(Principal caller) {
    if (!caller.admin()) {
      throw new MemSpaceException(
          ErrorCode.FORBIDDEN,
          "[%s] is no administrator; routers are theirs to set".formatted(caller.name()));
    }
  }

  /** A mount that lets the router read, subscribe and acknowledge, if it has one. */
  private CompletionStage<Optional<MountedSpace>> existing(String space, String topic) {
    return RouterSpace.existing(
        spaces, space, mount -> mount.access().mayWrite() && mount.coversTopic(topic));
  }

  private record Opened(MountedSpace mounted, boolean isNew) {}

  /** Such a mount, made if need be. */
  private CompletionStage<Opened> opened(String space, String topic) {
    return existing(space, topic)
        .thenCompose(
            own ->
                own.isPresent()
                    ? CompletableFuture.completedStage(new Opened(own.get(), false))
                    : spaces
                        .mount(RouterSpace.SYSTEM, space, RouterSpace.consuming(topic))
                        .thenApply(made -> new Opened(made, true)));
  }

  /** A hook whose mount was revoked routes nothing until it is set again. */
  private CompletionStage<MountedTopic> hooked(String space, String topic) {
    return existing(space, topic)
        .thenApply(
            own ->
                own.orElseThrow(
                        () ->
                            new MemSpaceException(
                                ErrorCode.MOUNT_REQUIRED,
                                "the router has no mount any more that lets it take from the topic; hooking it again gives it one"))
                    .topic(topic));
  }

  private static CompletionStage<MountedTopic> subscribed(MountedTopic topic) {
    return topic.subscribe(SUBSCRIPTION, SPEC).thenApply(there -> topic);
  }

  // ---- routing ----

  /** Begins to route; later hooks as they come. */
  void start(RoutingService router) {
    service = router;
    live.listen(this::accept);
  }

  void stop() {
    synchronized (consumers) {
      stopped = true;
      consumers.clear();
    }
  }

  private void accept(LiveRoutes view) {
    List<Consumer> begun = new ArrayList<>();
    synchronized (consumers) {
      if (stopped) {
        return;
      }
      Map<String, Consumer> wanted = new HashMap<>();
      for (HookRow hook : view.hooks()) {
        Consumer running = consumers.get(keyOf(hook));
        if (running == null || !running.hook.equals(hook)) {
          running = new Consumer(hook);
          begun.add(running);
        }
        wanted.put(keyOf(hook), running);
      }
      consumers.clear();
      consumers.putAll(wanted);
    }
    begun.forEach(Consumer::begin);
  }

  private static String keyOf(HookRow hook) {
    return hook.space() + "/" + hook.topic();
  }

  /** Takes messages of one topic until its hook is another one. */
  private final class Consumer {
    private final HookRow hook;

    Consumer(HookRow hook) {
      this.hook = hook;
    }

    private boolean isOver() {
      synchronized (consumers) {
        return stopped || consumers.get(keyOf(hook)) != this;
      }
    }

    void begin() {
      if (isOver()) {
        return;
      }
      Failures.attempt(() -> hooked(hook.space(), hook.topic()))
          .thenCompose(TopicHooks::subscribed)
          .thenCompose(this::round)
          .whenComplete(
              (done, failure) -> {
                if (failure != null && !isOver()) {
                  LOG.warn(
                      "topic [{}] of space [{}] is not routed, trying again: {}",
                      hook.topic(),
                      hook.space(),
                      Failures.reason(failure));
                }
                later.execute(this::begin);
              });
    }

    private CompletionStage<Void> round(MountedTopic topic) {
      if (isOver()) {
        return CompletableFuture.completedStage(null);
      }
      return topic
          .pull(SUBSCRIPTION, settings.hookBatch(), PULL_WAIT)
          .thenCompose(messages -> all(topic, messages))
          .thenComposeAsync(done -> round(topic));
    }

    private CompletionStage<Void> all(MountedTopic topic, List<Delivery> messages) {
      CompletionStage<Void> done = CompletableFuture.completedStage(null);
      for (Delivery delivery : messages) {
        done = done.thenCompose(before -> one(topic, delivery.message()));
      }
      return done;
    }

    private CompletionStage<Void> one(MountedTopic topic, Message message) {
      CompletionStage<?> routed =
          message.to().isPresent()
              ? CompletableFuture.completedStage(null) // it has its agent
              : service.route(
                  new RoutedMessage(
                      message.sender(),
                      message.content(),
                      Optional.ofNullable(
                              message.content().metadata().get(RoutedMessage.CONVERSATION))
                          .filter(RoutingService::isConversation),
                      Optional.of(
                          "hook/" + hook.space() + "/" + hook.topic() + "/" + message.revision())),
                  Optional.of(new RoutingService.Source(hook.space(), message.id())),
                  hook.named());
      return routed
          .handle(
              (done, failure) -> {
                List<Long> revision = List.of(message.revision());
                if (failure == null) {
                  return topic.ack(SUBSCRIPTION, revision);
                }
                LOG.warn("message [{}] comes again: {}", message.id(), Failures.reason(failure));
                return topic.nack(SUBSCRIPTION, revision);
              })
          .thenCompose(settled -> settled);
    }
  }
}
