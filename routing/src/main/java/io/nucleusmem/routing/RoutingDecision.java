package io.nucleusmem.routing;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Why a message went where it went: an entry of its own, written before the message is delivered
 * and again behind that.
 *
 * @param id sorts by time
 * @param at milliseconds since 1970
 * @param source id of the message, where it came by a topic that has a router; else null
 * @param sourceSpace the space of that topic; null where there is none, and in old decisions
 * @param conversation null if it belongs to none
 * @param text what the router looked at
 * @param textCut true if the message is longer than that
 * @param router name of the one that decided: {@code standard}, or what users plugged in
 * @param routesRevision of the routes that it knew
 * @param previous the route that the conversation had before, or null
 * @param route the first route, or null: none
 * @param model null if none was asked
 * @param latencyMs from the question to the decision
 * @param deliveries what was to be delivered, and what was
 * @param handOver null unless an agent handed the conversation over, by this or before
 */
public record RoutingDecision(
    String id,
    long at,
    String source,
    String sourceSpace,
    String sender,
    String conversation,
    String text,
    boolean textCut,
    String router,
    long routesRevision,
    String previous,
    String route,
    double score,
    Stage stage,
    List<Candidate> candidates,
    String reason,
    ModelCall model,
    long latencyMs,
    List<Delivery> deliveries,
    HandOver handOver) {

  public RoutingDecision {
    candidates = List.copyOf(candidates);
    deliveries = List.copyOf(deliveries);
  }

  /**
   * One target of a message.
   *
   * @param route null in the fallback topic
   * @param to {@code agent/ID} or {@code topic/SPACE/TOPIC}
   * @param message id of what was delivered; null until it is
   * @param revision of it in its topic; 0 until it is
   */
  public record Delivery(String route, String to, String message, long revision) {}

  /**
   * A conversation that changed hands.
   *
   * @param mounts that the receiving agent was to have: {@code SPACE (ACCESS)}
   */
  public record HandOver(String from, String to, List<String> mounts) {
    public HandOver {
      mounts = List.copyOf(mounts);
    }
  }

  /** When it was made. */
  public Instant instant() {
    return Instant.ofEpochMilli(at);
  }

  /** The first delivery that was done. */
  public Optional<Delivery> delivered() {
    return deliveries.stream().filter(each -> each.message() != null).findFirst();
  }
}
