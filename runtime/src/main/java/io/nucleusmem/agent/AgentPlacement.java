package io.nucleusmem.agent;

import akka.actor.ActorRef;
import akka.actor.Address;
import akka.cluster.Cluster;
import akka.cluster.Member;
import akka.cluster.MemberStatus;
import akka.cluster.sharding.ShardCoordinator;
import akka.cluster.sharding.typed.ShardingEnvelope;
import akka.cluster.sharding.typed.ShardingMessageExtractor;
import akka.dispatch.Futures;
import io.nucleusmem.agent.AgentProtocol.Command;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Puts agents on the nodes that host their type, the emptiest of them first.
 *
 * <p>What a node hosts is in its roles, one for each type, so it travels with the membership.
 * Agents are one kind of entity, {@code TYPE|ID}; each type has shards of its own, {@code
 * TYPE/BUCKET}. A shard for which there is no host is asked for again by sharding itself: a type
 * becomes usable when its first host joins.
 */
final class AgentPlacement extends ShardCoordinator.AbstractShardAllocationStrategy {
  private static final String ROLE_PREFIX = "agent-type-";
  private static final int BUCKETS = 64; // per type: the most nodes over which one type spreads
  private static final int MOVES_MAX = 4; // shards under way to another node at a time

  private final Cluster cluster;

  AgentPlacement(Cluster cluster) {
    this.cluster = cluster;
  }

  /** The role of a node that hosts a type. */
  static String role(String type) {
    return ROLE_PREFIX + type;
  }

  static String entityId(String type, String id) {
    return type + "|" + id;
  }

  /** The agent's own id. */
  static String agentId(String entityId) {
    return entityId.substring(entityId.indexOf('|') + 1);
  }

  /** Shards by type. */
  static ShardingMessageExtractor<ShardingEnvelope<Command>, Command> extractor() {
    return new ShardingMessageExtractor<>() {
      @Override
      public String entityId(ShardingEnvelope<Command> envelope) {
        return envelope.entityId();
      }

      @Override
      public String shardId(String entityId) {
        // ids that differ in their last digit get neighbouring buckets, so a scaled type spreads
        int bucket = Math.floorMod(entityId.hashCode(), BUCKETS);
        return entityId.substring(0, entityId.indexOf('|')) + "/" + bucket;
      }

      @Override
      public Command unwrapMessage(ShardingEnvelope<Command> envelope) {
        return envelope.message();
      }
    };
  }

  /** The nodes that can host a new agent, by type. */
  static Map<String, Set<String>> hosts(Cluster cluster) {
    Map<String, Set<String>> hosts = new TreeMap<>();
    for (Member member : cluster.state().getMembers()) {
      if (!member.status().equals(MemberStatus.up())) {
        continue;
      }
      for (String role : member.getRoles()) {
        if (role.startsWith(ROLE_PREFIX)) {
          hosts
              .computeIfAbsent(role.substring(ROLE_PREFIX.length()), type -> new TreeSet<>())
              .add(member.address().toString());
        }
      }
    }
    return hosts;
  }

  @Override
  public Future<ActorRef> allocateShard(
      ActorRef requester, String shard, Map<ActorRef, IndexedSeq<String>> regions) {
    return emptiest(type(shard), counts(regions))
        .map(Futures::successful)
        .orElseGet(
            () ->
                Futures.failed(
                    new IllegalStateException(
                        "no node hosts agents of type [%s] now".formatted(type(shard)))));
  }

  private Optional<ActorRef> emptiest(String type, Map<ActorRef, Load> loads) {
    Set<Address> hosts = reachableHosts(type);
    return loads.keySet().stream()
        .filter(region -> hosts.contains(address(region)))
        .min(
            Comparator.comparingInt((ActorRef region) -> loads.get(region).of(type))
                .thenComparingInt(region -> loads.get(region).all())
                .thenComparing(region -> address(region).toString()));
  }

  /** Shards that a region has, by type. */
  private record Load(Map<String, Integer> byType, int all) {
    int of(String type) {
      return byType.getOrDefault(type, 0);
    }
  }

  private static Map<ActorRef, Load> counts(Map<ActorRef, IndexedSeq<String>> regions) {
    Map<ActorRef, Load> loads = new HashMap<>();
    regions.forEach(
        (region, shards) -> {
          Map<String, Integer> byType = new HashMap<>();
          CollectionConverters.asJava(shards)
              .forEach(shard -> byType.merge(type(shard), 1, Integer::sum));
          loads.put(region, new Load(byType, shards.size()));
        });
    return loads;
  }

  /** Moves shards of a type from the fullest of its hosts to the emptiest. */
  @Override
  public Future<Set<String>> rebalance(
      Map<ActorRef, IndexedSeq<String>> regions, Set<String> underWay) {
    Set<String> moves = new HashSet<>();
    Set<String> types = new TreeSet<>();
    counts(regions).values().forEach(load -> types.addAll(load.byType().keySet()));
    for (String type : types) {
      if (underWay.size() + moves.size() >= MOVES_MAX) {
        break;
      }
      fullestShard(type, regions, underWay).ifPresent(moves::add);
    }
    return Futures.successful(moves);
  }

  private Optional<String> fullestShard(
      String type, Map<ActorRef, IndexedSeq<String>> regions, Set<String> underWay) {
    Set<Address> hosts = reachableHosts(type);
    List<List<String>> shards =
        regions.entrySet().stream()
            .filter(region -> hosts.contains(address(region.getKey())))
            .map(
                region ->
                    CollectionConverters.asJava(region.getValue()).stream()
                        .filter(shard -> type(shard).equals(type))
                        .toList())
            .sorted(Comparator.comparingInt(List::size))
            .toList();
    if (shards.size() < 2 || underWay.stream().anyMatch(shard -> type(shard).equals(type))) {
      return Optional.empty();
    }
    List<String> fullest = shards.get(shards.size() - 1);
    return fullest.size() - shards.get(0).size() > 1
        ? Optional.of(fullest.get(0))
        : Optional.empty();
  }

  private Set<Address> reachableHosts(String type) {
    Set<Member> unreachable = cluster.state().getUnreachable();
    Set<Address> hosts = new HashSet<>();
    for (Member member : cluster.state().getMembers()) {
      if (member.status().equals(MemberStatus.up())
          && member.hasRole(role(type))
          && !unreachable.contains(member)) {
        hosts.add(member.address());
      }
    }
    return hosts;
  }

  /** The own node's region is known by a reference without an address. */
  private Address address(ActorRef region) {
    Address address = region.path().address();
    return address.hasLocalScope() ? cluster.selfAddress() : address;
  }

  private static String type(String shard) {
    return shard.substring(0, shard.indexOf('/'));
  }
}
