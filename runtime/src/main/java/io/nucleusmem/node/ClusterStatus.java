package io.nucleusmem.node;

import akka.actor.ActorRef;
import akka.actor.Address;
import akka.actor.CoordinatedShutdown;
import akka.actor.typed.ActorSystem;
import akka.cluster.Cluster;
import akka.cluster.ClusterEvent.CurrentClusterState;
import akka.cluster.Member;
import akka.cluster.MemberStatus;
import akka.cluster.sharding.ClusterSharding;
import akka.cluster.sharding.ShardRegion;
import akka.pattern.Patterns;
import io.nucleusmem.http.NodeStatus;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.store.KvStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import scala.jdk.javaapi.DurationConverters;

/** What a node knows of itself, its store and its cluster. */
final class ClusterStatus implements NodeStatus {
  private static final Duration SHARDS_TIMEOUT = Duration.ofSeconds(3);

  private final ActorSystem<?> system;
  private final Cluster cluster;
  private final KvStore store;
  private final Duration storeTimeout;

  ClusterStatus(ActorSystem<?> system, KvStore store, Duration storeTimeout) {
    this.system = system;
    this.cluster = Cluster.get(system);
    this.store = store;
    this.storeTimeout = storeTimeout;
  }

  @Override
  public Optional<String> unhealthy() {
    return cluster.isTerminated()
        ? Optional.of("the node has left its cluster; start it again")
        : Optional.empty();
  }

  @Override
  public CompletionStage<Optional<String>> unready() {
    Optional<String> reason = state();
    if (reason.isPresent()) {
      return CompletableFuture.completedStage(reason);
    }
    return store
        .now()
        .toCompletableFuture()
        .copy() // the time limit is ours, not the store's
        .orTimeout(storeTimeout.toMillis(), TimeUnit.MILLISECONDS)
        .handle(
            (now, failure) ->
                failure == null
                    ? Optional.empty()
                    : Optional.of("the store does not answer: " + failure.getMessage()));
  }

  private Optional<String> state() {
    if (CoordinatedShutdown.get(system).getShutdownReason().isPresent()) {
      return Optional.of("the node is stopping");
    }
    MemberStatus status = cluster.selfMember().status();
    return status.equals(MemberStatus.up())
        ? Optional.empty()
        : Optional.of("the node is [%s] in its cluster, not up".formatted(label(status)));
  }

  @Override
  public CompletionStage<ClusterView> cluster() {
    CurrentClusterState state = cluster.state();
    List<MemberView> members = members(state).map(member -> view(state, member)).toList();
    return shards()
        .thenApply(
            shards ->
                new ClusterView(
                    cluster.selfAddress().toString(),
                    state().orElse("up"),
                    Optional.ofNullable(state.getLeader()).map(Address::toString),
                    members,
                    shards));
  }

  private static Stream<Member> members(CurrentClusterState state) {
    return StreamSupport.stream(state.getMembers().spliterator(), false);
  }

  private static MemberView view(CurrentClusterState state, Member member) {
    return new MemberView(
        member.address().toString(),
        label(member.status()),
        member.getRoles().stream().sorted().toList(),
        !state.getUnreachable().contains(member));
  }

  @Override
  public CompletionStage<MemberView> leave(String member) {
    return told(member, cluster::leave);
  }

  @Override
  public CompletionStage<MemberView> down(String member) {
    return told(member, cluster::down);
  }

  private CompletionStage<MemberView> told(String address, Consumer<Address> order) {
    CurrentClusterState state = cluster.state();
    Optional<Member> found =
        members(state).filter(member -> member.address().toString().equals(address)).findFirst();
    if (found.isEmpty()) {
      return CompletableFuture.failedStage(
          MemSpaceException.invalid(
              "member",
              address,
              "one of " + members(state).map(member -> member.address().toString()).toList()));
    }
    order.accept(found.get().address());
    return CompletableFuture.completedStage(view(state, found.get()));
  }

  private CompletionStage<Map<String, Map<String, Integer>>> shards() {
    ClusterSharding sharding = ClusterSharding.get(system);
    Map<String, CompletionStage<Map<String, Integer>>> asked = new TreeMap<>();
    for (String type : sharding.getShardTypeNames()) {
      asked.put(type, shardsOf(sharding.shardRegion(type)));
    }
    CompletionStage<Map<String, Map<String, Integer>>> all =
        CompletableFuture.completedStage(new TreeMap<>());
    for (Map.Entry<String, CompletionStage<Map<String, Integer>>> type :
        new ArrayList<>(asked.entrySet())) {
      all =
          all.thenCombine(
              type.getValue(),
              (map, shards) -> {
                map.put(type.getKey(), shards);
                return map;
              });
    }
    return all;
  }

  private CompletionStage<Map<String, Integer>> shardsOf(ActorRef region) {
    return Patterns.ask(
            region,
            new ShardRegion.GetClusterShardingStats(DurationConverters.toScala(SHARDS_TIMEOUT)),
            SHARDS_TIMEOUT.plusSeconds(1))
        .thenApply(
            answer -> {
              Map<String, Integer> byNode = new TreeMap<>();
              ((ShardRegion.ClusterShardingStats) answer)
                  .getRegions()
                  .forEach(
                      (address, stats) -> byNode.put(address.toString(), stats.getStats().size()));
              return byNode;
            })
        .exceptionally(unknown -> Map.of()); // the node that knows does not answer now
  }

  private static String label(MemberStatus status) {
    return status.toString().toLowerCase(Locale.ROOT);
  }
}
