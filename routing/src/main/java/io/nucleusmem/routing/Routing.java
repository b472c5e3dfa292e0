package io.nucleusmem.routing;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.ReadAt;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * The semantic router of a cluster, as one node offers it: every node decides by itself over the
 * same routes. No call blocks. Stages fail with {@link io.nucleusmem.memspace.MemSpaceException};
 * {@code BUSY} where {@code nucleusmem.routing.queue-max} messages wait.
 */
public interface Routing {
  /** The routes. */
  Routes routes();

  /**
   * Decides and delivers. Whatever goes wrong with the decision, the message is delivered: in the
   * worst case to the fallback topic, with the reason in its metadata. A stage that fails has
   * delivered nothing, or does not know; send it again under the same request id.
   */
  CompletionStage<Routed> route(RoutedMessage message);

  /**
   * Decides and delivers nothing.
   *
   * @param at the routes as they are, or were
   * @param limit of candidates, 1 to 32
   */
  CompletionStage<DryRun> dryRun(Principal caller, String text, ReadAt at, int limit);

  /**
   * A decision: {@code DECISION_NOT_FOUND}. It holds a message's text, so there are for a caller
   * only those on what he sent himself, and for administrators all.
   */
  CompletionStage<RoutingDecision> decision(Principal caller, String id);

  /**
   * A page of the decisions that there are for the caller, oldest first; a page may be empty and
   * not be the last.
   */
  CompletionStage<Paged<RoutingDecision>> decisions(Principal caller, DecisionQuery query);

  /**
   * Decides past messages again, with today's routes, and delivers nothing. Of the decisions that
   * there are for the caller.
   *
   * @return those that would go elsewhere; a page may be empty and not be the last
   */
  CompletionStage<Paged<Differs>> replay(
      Principal caller,
      Optional<Instant> from,
      Optional<Instant> until,
      int limit,
      Optional<String> cursor);

  /**
   * An agent hands its conversation over: from now on the conversation's messages go to the other
   * one, who is told by a message. The mounts it needs are given before, by the caller.
   *
   * @param to an agent
   * @param mounts what the other one was given, for the record: {@code SPACE (ACCESS)}
   * @param note the message
   */
  CompletionStage<Routed> handOver(
      String from, String to, String conversation, List<String> mounts, Content note);

  /** Makes a router of this node known by a name, for {@link #use} and {@link #hook}. */
  void define(String name, Router router);

  /**
   * Replaces the router for all messages, on all nodes. For administrators.
   *
   * @param router a name that was defined, or a class; empty: the one of the configuration
   */
  CompletionStage<Void> use(Principal caller, Optional<String> router);

  /**
   * Routes what is published to a topic from now on, to everybody. For administrators.
   *
   * @param router as for {@link #use}; empty: the one for all messages
   */
  CompletionStage<Void> hook(Principal caller, String space, String topic, Optional<String> router);

  /** Ends that. Messages that came before may still be routed. */
  CompletionStage<Void> unhook(Principal caller, String space, String topic);

  /** What became of a message: what was delivered first, and why. */
  record Routed(Published published, RoutingDecision decision) {}

  /** What would become of a text. */
  record DryRun(Router.Answer answer, long latencyMs) {}

  /**
   * Which decisions.
   *
   * @param message id of a message that was delivered, or that came by a topic with a router
   * @param from the first millisecond
   * @param until the last one
   */
  record DecisionQuery(
      Optional<String> message,
      Optional<String> route,
      Optional<Instant> from,
      Optional<Instant> until,
      int limit,
      Optional<String> cursor) {}

  /**
   * A message that would go elsewhere.
   *
   * @param message id of what was delivered then
   * @param then the route, or null
   * @param now the route, or null
   */
  record Differs(
      String message, RoutingDecision decision, String then, String now, Router.Answer answer) {}
}
