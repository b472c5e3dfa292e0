package io.nucleusmem.agent;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Where {@link AgentContext#route} sends: the semantic router, or what a test puts in its place,
 * which may leave out all but the first method.
 */
@FunctionalInterface
public interface RouterHook {
  /** Routes a message that an agent sends. */
  CompletionStage<Published> route(String sender, Content content);

  /**
   * Registers a route of an agent's own.
   *
   * @param owner {@code agent/ID}, or {@code agent-type/TYPE} for all of them
   */
  default CompletionStage<RegisteredRoute> offer(String owner, Route route, Set<String> senders) {
    return CompletableFuture.failedFuture(without());
  }

  /**
   * Withdraws one.
   *
   * @param owners the names under which the agent may have offered it
   */
  default CompletionStage<Void> withdraw(List<String> owners, String route) {
    return CompletableFuture.failedFuture(without());
  }

  /**
   * Hands a conversation to another agent.
   *
   * @param held what the agent has mounted itself
   */
  default CompletionStage<Published> handOver(
      String agent, List<MountInfo> held, HandOver handOver) {
    return CompletableFuture.failedFuture(without());
  }

  private static MemSpaceException without() {
    return new MemSpaceException(
        ErrorCode.UNAVAILABLE, "the router of this node knows neither offers nor hand-overs");
  }
}
