package io.nucleusmem.routing;

import io.nucleusmem.memspace.Content;
import java.util.Optional;
import java.util.Set;

/**
 * A message that is addressed by what it means.
 *
 * @param sender principal, or {@code agent/ID}
 * @param conversation 1 to 128 characters; the messages of one stay with their agent
 * @param requestId 16 to 128 characters; the same message under the same id is routed once
 */
public record RoutedMessage(
    String sender, Content content, Optional<String> conversation, Optional<String> requestId) {

  /** Metadata that a message carries: its conversation. */
  public static final String CONVERSATION = "conversation";

  /** Metadata that the router adds: the id of its decision. */
  public static final String DECISION = "decision";

  /** Metadata that the router adds: the route that was taken. */
  public static final String ROUTE = "route";

  /** Metadata that the router adds where the target is a topic: whose message it is. */
  public static final String SENDER = "sender";

  /** Metadata that the router adds in the fallback topic: why no route was taken. */
  public static final String REASON = "routing-reason";

  /** Metadata that the router adds: how often the message has been through one. */
  public static final String HOPS = "routing-hops";

  /** Metadata that the router adds where the message's own had to give way to it. */
  public static final String DROPPED = "metadata-dropped";

  /** All that the router adds: who sends from outside may not. */
  public static final Set<String> ROUTERS = Set.of(DECISION, ROUTE, SENDER, REASON, HOPS, DROPPED);

  /** A message; its conversation is what its metadata names, if anything. */
  public static RoutedMessage of(String sender, Content content) {
    return new RoutedMessage(
        sender,
        content,
        Optional.ofNullable(content.metadata().get(CONVERSATION)),
        Optional.empty());
  }
}
