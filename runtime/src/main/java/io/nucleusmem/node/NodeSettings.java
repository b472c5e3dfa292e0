package io.nucleusmem.node;

import akka.actor.Address;
import akka.actor.AddressFromURIString;
import com.typesafe.config.Config;
import java.time.Duration;
import java.util.List;
import scala.Option;

/**
 * The block {@code nucleusmem.node}, checked.
 *
 * @param seedNodes addresses of nodes to join; empty: the node joins itself
 * @param joinTimeout longest time to become a member
 * @param storeTimeout longest time for the store's answer to a ping
 * @param lifeline whether a member whose port refuses connections is downed at once
 */
public record NodeSettings(
    List<String> seedNodes, Duration joinTimeout, Duration storeTimeout, boolean lifeline) {
  private static final String PATH = "nucleusmem.node";

  public NodeSettings {
    seedNodes = List.copyOf(seedNodes);
    seedNodes.forEach(NodeSettings::address);
    positive("join-timeout", joinTimeout);
    positive("store-timeout", storeTimeout);
  }

  /** Reads the block. */
  public static NodeSettings from(Config config) {
    Config node = config.getConfig(PATH);
    return new NodeSettings(
        node.getStringList("seed-nodes"),
        node.getDuration("join-timeout"),
        node.getDuration("store-timeout"),
        node.getBoolean("lifeline"));
  }

  private static void address(String seedNode) {
    Option<Address> found = AddressFromURIString.unapply(seedNode);
    if (found.isEmpty() || !found.get().hasGlobalScope()) {
      throw new IllegalArgumentException(
          "%s.seed-nodes has [%s]; each must be an address such as akka://nucleusmem@10.0.0.1:25520"
              .formatted(PATH, seedNode));
    }
  }

  private static void positive(String key, Duration found) {
    if (found.isNegative() || found.isZero()) {
      throw new IllegalArgumentException(
          "%s.%s is [%s]; it must be longer than 0s".formatted(PATH, key, found));
    }
  }
}
