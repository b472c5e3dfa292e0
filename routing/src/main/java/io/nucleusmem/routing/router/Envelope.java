package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.routing.RoutedMessage;
import io.nucleusmem.routing.RoutingDecision;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** What the router writes on the messages that it delivers. */
final class Envelope {
  private Envelope() {}

  /** How often a message has been through the router. */
  static int hops(Content content) {
    String hops = content.metadata().get(RoutedMessage.HOPS);
    try {
      return hops == null ? 0 : Math.max(0, Integer.parseInt(hops));
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /**
   * A message as it is delivered. Where its own metadata leave no room for the router's, they give
   * way: the message itself is not lost.
   *
   * @param delivery the target
   * @param reason why it goes to the fallback topic; null elsewhere
   */
  static Content of(
      Content content,
      RoutingDecision decision,
      RoutingDecision.Delivery delivery,
      String reason,
      int metadataBytesMax) {
    Map<String, String> ours = new HashMap<>();
    ours.put(RoutedMessage.DECISION, decision.id());
    ours.put(RoutedMessage.HOPS, Integer.toString(hops(content) + 1));
    if (decision.conversation() != null) {
      ours.put(RoutedMessage.CONVERSATION, decision.conversation());
    }
    if (delivery.route() != null) {
      ours.put(RoutedMessage.ROUTE, delivery.route());
    }
    if (Deliveries.agent(delivery.to()).isEmpty()) {
      ours.put(RoutedMessage.SENDER, decision.sender());
    }
    if (reason != null) {
      ours.put(RoutedMessage.REASON, Failures.cut(reason));
    }
    Map<String, String> all = new HashMap<>(content.metadata());
    all.keySet().remove(RoutedMessage.ROUTE);
    all.keySet().remove(RoutedMessage.SENDER);
    all.keySet().remove(RoutedMessage.REASON);
    all.putAll(ours);
    if (bytes(all) > metadataBytesMax) {
      ours.put(RoutedMessage.DROPPED, "true");
      return content.withMetadata(ours);
    }
    return content.withMetadata(all);
  }

  private static int bytes(Map<String, String> metadata) {
    int bytes = 0;
    for (Map.Entry<String, String> each : metadata.entrySet()) {
      bytes += each.getKey().getBytes(StandardCharsets.UTF_8).length;
      bytes += each.getValue().getBytes(StandardCharsets.UTF_8).length;
    }
    return bytes;
  }
}
