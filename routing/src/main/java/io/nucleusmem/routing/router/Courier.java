package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.routing.Routing.Routed;
import io.nucleusmem.routing.RoutingDecision;
import io.nucleusmem.routing.RoutingDecision.Delivery;
import io.nucleusmem.routing.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries a decision out: each delivery under a request id of its own, so that whoever finishes one
 * that was cut short delivers nothing twice. What cannot be delivered goes to the fallback topic.
 */
final class Courier {
  private static final Logger LOG = LoggerFactory.getLogger(Courier.class);
  private static final int ATTEMPTS_MAX = 3; // of a delivery that may succeed when sent again

  private final Deliveries deliveries;
  private final DecisionLog log;
  private final Conversations conversations;
  private final int metadataBytesMax;

  Courier(
      Deliveries deliveries, DecisionLog log, Conversations conversations, int metadataBytesMax) {
    this.deliveries = deliveries;
    this.log = log;
    this.conversations = conversations;
    this.metadataBytesMax = metadataBytesMax;
  }

  /**
   * Delivers.
   *
   * @return fails if nothing could be delivered, not even to the fallback topic
   */
  CompletionStage<Routed> deliver(RoutingDecision decision, Content content) {
    Optional<Delivery> done = decision.delivered();
    if (done.isPresent()) {
      // carried out and written down: topics forget request ids, and conversations have moved on
      return CompletableFuture.completedStage(new Routed(published(done.get()), decision));
    }
    CompletionStage<Outcome> outcome =
        CompletableFuture.completedStage(new Outcome(List.of(), null, null));
    for (int i = 0; i < decision.deliveries().size(); i++) {
      Delivery delivery = decision.deliveries().get(i);
      String request = "routing-" + decision.id() + "-" + i;
      outcome =
          outcome.thenCompose(
              before ->
                  one(decision, content, delivery, request)
                      .handle((published, failure) -> before.and(delivery, published, failure)));
    }
    return outcome
        .thenCompose(all -> all.failure() == null ? ok(all) : kept(decision, content, all))
        .thenCompose(all -> written(decision, all));
  }

  private static Published published(Delivery delivery) {
    return new Published(
        delivery.message(), delivery.revision(), Message.timestampOf(delivery.message()), true);
  }

  private static CompletionStage<Outcome> ok(Outcome outcome) {
    return CompletableFuture.completedStage(outcome);
  }

  /**
   * What has been delivered so far.
   *
   * @param first what was published first, or null
   * @param failure of a delivery, or null
   */
  private record Outcome(List<Delivery> deliveries, Published first, Throwable failure) {
    Outcome and(Delivery delivery, Published published, Throwable failed) {
      List<Delivery> all = new ArrayList<>(deliveries);
      if (published == null) {
        all.add(delivery);
        return new Outcome(all, first, failed);
      }
      all.add(new Delivery(delivery.route(), delivery.to(), published.id(), published.revision()));
      return new Outcome(all, first == null ? published : first, failure);
    }
  }

  private CompletionStage<Published> one(
      RoutingDecision decision, Content content, Delivery delivery, String request) {
    boolean falls = delivery.route() == null && delivery.to().equals(deliveries.fallback());
    Content sent =
        Envelope.of(
            content, decision, delivery, falls ? decision.reason() : null, metadataBytesMax);
    return attempt(decision, delivery, sent, request, 1);
  }

  private CompletionStage<Published> attempt(
      RoutingDecision decision, Delivery delivery, Content content, String request, int attempt) {
    return Failures.recover(
        deliveries.deliver(decision.sender(), delivery.to(), content, WriteOptions.id(request)),
        failure ->
            attempt < ATTEMPTS_MAX && mayPass(failure)
                ? attempt(decision, delivery, content, request, attempt + 1)
                : CompletableFuture.failedStage(failure));
  }

  private static boolean mayPass(Throwable failure) {
    return failure instanceof TimeoutException
        || failure instanceof MemSpaceException refused && refused.code().retryable();
  }

  /** The fallback for targets that could not be reached. */
  private CompletionStage<Outcome> kept(
      RoutingDecision decision, Content content, Outcome outcome) {
    Delivery fallback = new Delivery(null, deliveries.fallback(), null, 0);
    boolean tried = decision.deliveries().stream().anyMatch(each -> each.equals(fallback));
    if (tried) {
      return CompletableFuture.failedStage(undelivered(decision, outcome.failure()));
    }
    String lost =
        outcome.deliveries().stream()
            .filter(each -> each.message() == null)
            .map(each -> "[%s] by route [%s]".formatted(each.to(), each.route()))
            .reduce((a, b) -> a + ", " + b)
            .orElse("");
    String reason = "not delivered to %s: %s".formatted(lost, Failures.reason(outcome.failure()));
    LOG.warn("message of [{}] goes to the fallback topic: {}", decision.sender(), reason);
    Content sent = Envelope.of(content, decision, fallback, reason, metadataBytesMax);
    return attempt(decision, fallback, sent, "routing-" + decision.id() + "-fallback", 1)
        .handle(
            (published, failure) -> {
              if (published == null && outcome.first() == null) {
                throw undelivered(decision, failure);
              }
              return outcome.and(fallback, published, Failures.unwrap(outcome.failure()));
            });
  }

  private MemSpaceException undelivered(RoutingDecision decision, Throwable failure) {
    return new MemSpaceException(
        ErrorCode.UNAVAILABLE,
        "the message was delivered nowhere, not even to the fallback topic [%s]: %s; send it again"
            .formatted(deliveries.fallback(), Failures.reason(failure)),
        java.util.Map.of("decision", decision.id()),
        failure);
  }

  private CompletionStage<Routed> written(RoutingDecision decision, Outcome outcome) {
    boolean fell =
        outcome.deliveries().stream()
            .filter(each -> each.message() != null)
            .allMatch(each -> each.route() == null && each.to().equals(deliveries.fallback()));
    String reason =
        outcome.failure() == null
            ? decision.reason()
            : decision.reason() + "; not delivered: " + Failures.reason(outcome.failure());
    RoutingDecision done =
        new RoutingDecision(
            decision.id(),
            decision.at(),
            decision.source(),
            decision.sourceSpace(),
            decision.sender(),
            decision.conversation(),
            decision.text(),
            decision.textCut(),
            decision.router(),
            decision.routesRevision(),
            decision.previous(),
            decision.route(),
            decision.score(),
            fell ? Stage.FALLBACK : decision.stage(),
            decision.candidates(),
            reason,
            decision.model(),
            decision.latencyMs(),
            outcome.deliveries(),
            decision.handOver());
    Optional<Operation> place = fell ? Optional.empty() : place(done);
    Routed routed = new Routed(outcome.first(), done);
    return log.delivered(done, place)
        .handle(
            (logged, failure) -> {
              if (failure != null) {
                // delivered it is: who sent it must not send it again for the record's sake
                LOG.warn(
                    "decision [{}] was carried out and is not written down: {}",
                    done.id(),
                    Failures.reason(failure));
              }
              return routed;
            });
  }

  /** Where the decision leaves its conversation. */
  private Optional<Operation> place(RoutingDecision decision) {
    if (decision.conversation() == null) {
      return Optional.empty();
    }
    if (decision.handOver() != null) {
      return Optional.of(
          conversations.place(
              decision.conversation(), null, decision.handOver().to(), decision.handOver().from()));
    }
    return decision
        .delivered()
        .filter(first -> first.route() != null)
        .map(
            first ->
                conversations.place(
                    decision.conversation(),
                    first.route(),
                    Deliveries.agent(first.to()).orElse(null),
                    null));
  }
}
