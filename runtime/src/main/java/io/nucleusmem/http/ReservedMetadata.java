package io.nucleusmem.http;

import io.nucleusmem.agent.Agents;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.routing.RoutedMessage;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Names of metadata by which the node's own parts talk to each other, and which callers may not
 * give to messages. Entries may have any: nobody reads them there.
 */
final class ReservedMetadata {
  private static final Set<String> OF_MESSAGES = new TreeSet<>(RoutedMessage.ROUTERS);
  // in a topic the others are a user's to give: who reads there is told the author
  private static final Set<String> OF_TOPICS = Set.of(RoutedMessage.HOPS);

  static {
    OF_MESSAGES.addAll(Agents.RESERVED_METADATA);
  }

  private ReservedMetadata() {}

  /** The caller's metadata of a message to an agent or to the router. */
  static Map<String, String> ofMessage(Call call) {
    return checked(call.metadata(), OF_MESSAGES);
  }

  /** The same of a message to a topic, which may have a router. */
  static Map<String, String> ofTopic(Call call) {
    return checked(call.metadata(), OF_TOPICS);
  }

  private static Map<String, String> checked(Map<String, String> metadata, Set<String> reserved) {
    for (String name : metadata.keySet()) {
      if (reserved.contains(name)) {
        throw MemSpaceException.invalid(
            Headers.METADATA, name, "any names but the node's own: " + String.join(", ", reserved));
      }
    }
    return metadata;
  }
}
