package io.nucleusmem.routing;

import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.ReadAt;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * The registered routes of a cluster: entries of a space, so they have a history. A change is live
 * on the node that made it when its stage completes, and on all others moments later. No call
 * blocks. Stages fail with {@link io.nucleusmem.memspace.MemSpaceException}.
 *
 * <p>Who may do what: everybody may register a route under a free name to an agent, to a type of
 * agents, or to a topic that he could publish to himself; a route is changed and withdrawn by its
 * owner and by administrators. The owner of an agent's offer is the agent.
 */
public interface Routes {
  /**
   * Registers a route, or changes the one of this name.
   *
   * @param senders who may be routed here; empty: everybody
   * @return fails with {@code UNKNOWN_TARGET}, {@code NOT_OWNER}, {@code INVALID_REQUEST}, {@code
   *     TOO_LARGE}
   */
  CompletionStage<RegisteredRoute> put(Principal caller, Route route, Set<String> senders);

  /** One route; fails with {@code ROUTE_NOT_FOUND} if there was none then. */
  CompletionStage<RegisteredRoute> get(String name, ReadAt at);

  /** A page of the routes, by name. */
  CompletionStage<Paged<RegisteredRoute>> list(ReadAt at, int limit, Optional<String> cursor);

  /** Withdraws a route: {@code ROUTE_NOT_FOUND}, {@code NOT_OWNER}. */
  CompletionStage<Void> withdraw(Principal caller, String name);
}
