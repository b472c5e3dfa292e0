package io.nucleusmem.http;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** What a node says about itself and its cluster. */
public interface NodeStatus {
  /** Why the node is not alive; empty if it is. */
  Optional<String> unhealthy();

  /** Why the node cannot serve; empty if it can. Asks the store, so it says what is true now. */
  CompletionStage<Optional<String>> unready();

  /** The cluster as this node sees it. */
  CompletionStage<ClusterView> cluster();

  /**
   * Asks a member to leave: what it owns is handed over, then it ends.
   *
   * @param member its address; {@code INVALID_ARGUMENT} if there is no such member
   */
  CompletionStage<MemberView> leave(String member);

  /**
   * Declares a member dead that cannot be asked any more. One that lives then ends by itself; what
   * it had not committed is refused by the store.
   */
  CompletionStage<MemberView> down(String member);

  /**
   * The cluster.
   *
   * @param self this node's address
   * @param state {@code up}, or what keeps it from being so
   * @param shards of each entity type: number of shards by node; no nodes while the coordinator
   *     does not answer
   */
  record ClusterView(
      String self,
      String state,
      Optional<String> leader,
      List<MemberView> members,
      Map<String, Map<String, Integer>> shards) {}

  /** A member of the cluster. */
  record MemberView(String address, String state, List<String> roles, boolean reachable) {}
}
