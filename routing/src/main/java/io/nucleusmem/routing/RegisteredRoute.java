package io.nucleusmem.routing;

import java.time.Instant;
import java.util.Set;

/**
 * A route as it is registered, with its access rule.
 *
 * @param owner who registered it: a principal, or {@code agent/ID}. Only he and administrators may
 *     change or withdraw it
 * @param senders who may be routed here; empty: everybody
 * @param revision of this version in the space of routes
 * @param created true in the answer to the registration of a route that was not there
 */
public record RegisteredRoute(
    Route route, String owner, Set<String> senders, long revision, Instant at, boolean created) {

  public RegisteredRoute {
    senders = Set.copyOf(senders);
  }

  /** True if the access rule lets a sender's messages through. */
  public boolean admits(String sender) {
    return senders.isEmpty() || senders.contains(sender);
  }
}
