package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.routing.Recipients;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Brings messages to agents and topics. */
final class Deliveries {
  private static final String AGENT = "agent/";
  private static final String TOPIC = "topic/";

  private final MemSpaces spaces;
  private final Recipients recipients;
  private final RoutingSettings settings;
  // one mount per topic that is a target; bounded by the routes that there were
  private final Map<String, CompletableFuture<MountedSpace>> mounts = new ConcurrentHashMap<>();

  Deliveries(MemSpaces spaces, Recipients recipients, RoutingSettings settings) {
    this.spaces = spaces;
    this.recipients = recipients;
    this.settings = settings;
  }

  static String toAgent(String id) {
    return AGENT + id;
  }

  static String toTopic(String space, String topic) {
    return TOPIC + space + "/" + topic;
  }

  /** The agent of an address; empty if it is a topic's. */
  static Optional<String> agent(String to) {
    return to.startsWith(AGENT) ? Optional.of(to.substring(AGENT.length())) : Optional.empty();
  }

  String fallback() {
    return toTopic(settings.fallbackSpace(), settings.fallbackTopic());
  }

  /**
   * Delivers.
   *
   * @param to an address that {@link #toAgent} or {@link #toTopic} made
   * @param options with a request id: the same delivery again is none
   */
  CompletionStage<Published> deliver(
      String sender, String to, Content content, WriteOptions options) {
    CompletionStage<Published> delivery =
        Failures.attempt(
            () ->
                agent(to)
                    .map(agent -> recipients.send(sender, agent, content, options))
                    .orElseGet(() -> publish(to, content, options)));
    return delivery
        .toCompletableFuture()
        .copy() // the time-out is ours alone
        .orTimeout(settings.deliveryTimeout().toMillis(), TimeUnit.MILLISECONDS);
  }

  private CompletionStage<Published> publish(String to, Content content, WriteOptions options) {
    boolean known = mounts.containsKey(to);
    return Failures.recover(
        publishOnce(to, content, options),
        failure ->
            known
                    && failure instanceof MemSpaceException refused
                    && OwnSpace.STALE.contains(refused.code())
                ? publishOnce(to, content, options) // by a mount that was made since
                : CompletableFuture.failedStage(failure));
  }

  private CompletionStage<Published> publishOnce(String to, Content content, WriteOptions options) {
    String[] names = to.substring(TOPIC.length()).split("/", 2);
    CompletableFuture<MountedSpace> mount =
        mounts.computeIfAbsent(to, key -> open(to, names[0], names[1]).toCompletableFuture());
    return mount
        .thenCompose(mounted -> mounted.topic(names[1]).publish(content, Optional.empty(), options))
        .whenComplete(
            (published, failure) -> {
              if (failure != null) {
                mounts.remove(to, mount); // revoked, deleted or made again: looked up anew
              }
            });
  }

  private CompletionStage<MountedSpace> open(String to, String space, String topic) {
    CompletionStage<Void> there =
        to.equals(fallback())
            ? RouterSpace.make(spaces, space)
            : CompletableFuture.completedStage(null);
    return there
        .thenCompose(made -> RouterSpace.publisher(spaces, space, topic))
        .thenCompose(
            own -> {
              if (own.isPresent()) {
                return CompletableFuture.completedStage(own.get());
              }
              if (to.equals(fallback())) {
                return spaces.mount(RouterSpace.SYSTEM, space, RouterSpace.publishing(topic));
              }
              return CompletableFuture.failedStage(
                  new MemSpaceException(
                      ErrorCode.MOUNT_REQUIRED,
                      "the router has no mount of topic [%s] in space [%s] any more; registering the route again gives it one"
                          .formatted(topic, space)));
            });
  }
}
