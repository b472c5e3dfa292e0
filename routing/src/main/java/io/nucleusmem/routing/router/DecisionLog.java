package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.memspace.RevisionMismatchException;
import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.routing.RoutingDecision;
import io.nucleusmem.store.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Decisions as entries: {@code decision/ID} each, twice written, before the delivery and behind it;
 * and what they are found by: {@code request/HASH}, {@code message/MESSAGE/ID}, {@code
 * route/NAME/ID}.
 */
final class DecisionLog {
  static final String DECISION = "decision/";
  private static final String REQUEST = "request/";
  private static final String MESSAGE = "message/";
  private static final String ROUTE = "route/";

  private final OwnSpace space;

  DecisionLog(OwnSpace space) {
    this.space = space;
  }

  static EntryKey key(String id) {
    return EntryKey.of(DECISION + id);
  }

  static String byMessage(String message) {
    return MESSAGE + message + "/";
  }

  static String byRoute(String route) {
    return ROUTE + route + "/";
  }

  static RoutingDecision read(Entry entry) {
    return StateJson.decode(entry.content().value(), RoutingDecision.class);
  }

  private static Content content(RoutingDecision decision) {
    return Content.json(StateJson.encode(decision).utf8());
  }

  /**
   * The decision on a request that came before; empty if it did not. {@code IDEMPOTENCY_KEY_REUSED}
   * if its id was another message's.
   */
  CompletionStage<Optional<RoutingDecision>> ofRequest(Request request) {
    return space
        .call(mounted -> mounted.get(EntryKey.of(REQUEST + request.id())))
        .thenCompose(
            found ->
                found.isEmpty()
                    ? CompletableFuture.completedStage(Optional.empty())
                    : find(request.decision(found.get().text())));
  }

  CompletionStage<Optional<RoutingDecision>> find(String id) {
    return find(id, ReadAt.LATEST);
  }

  CompletionStage<Optional<RoutingDecision>> find(String id, ReadAt at) {
    return space
        .call(mounted -> mounted.get(key(id), at))
        .thenApply(found -> found.map(DecisionLog::read));
  }

  CompletionStage<RoutingDecision> require(Principal caller, String id) {
    if (!TimeIds.isId(id)) {
      return CompletableFuture.failedStage(notFound(id));
    }
    return find(id)
        .thenApply(
            found ->
                found.filter(decision -> isFor(caller, decision)).orElseThrow(() -> notFound(id)));
  }

  /** A decision repeats what somebody said, so it does not exist for others (G9). */
  static boolean isFor(Principal caller, RoutingDecision decision) {
    return caller.admin() || caller.name().equals(decision.sender());
  }

  private static MemSpaceException notFound(String id) {
    return new MemSpaceException(
        ErrorCode.DECISION_NOT_FOUND,
        "there is no decision [%s]".formatted(Failures.cut(id)),
        Map.of());
  }

  /**
   * Writes down what was decided, before anything is delivered.
   *
   * @param request if it has an id
   * @return the decision that counts: an earlier one if the same request was decided meanwhile
   */
  CompletionStage<RoutingDecision> decided(RoutingDecision decision, Optional<Request> request) {
    List<Operation> operations = new ArrayList<>();
    operations.add(new Operation.Put(key(decision.id()), content(decision)));
    request.ifPresent(
        asked ->
            operations.add(
                new Operation.Put(
                    EntryKey.of(REQUEST + asked.id()),
                    Content.text(asked.remembering(decision.id())),
                    OptionalLong.of(0),
                    Operation.ANY,
                    false)));
    return Failures.recover(
        space
            .call(mounted -> mounted.write(operations, WriteOptions.DEFAULT))
            .thenApply(written -> decision),
        failure ->
            failure instanceof RevisionMismatchException && request.isPresent()
                ? ofRequest(request.get()).thenApply(Optional::orElseThrow)
                : CompletableFuture.failedStage(failure));
  }

  /** Writes down what was delivered, with all that a decision is found by. */
  CompletionStage<RoutingDecision> delivered(
      RoutingDecision decision, Optional<Operation> conversation) {
    List<Operation> operations = new ArrayList<>();
    operations.add(new Operation.Put(key(decision.id()), content(decision)));
    TreeSet<String> found = new TreeSet<>();
    if (decision.source() != null) {
      found.add(byMessage(decision.source()));
    }
    if (decision.route() != null) {
      found.add(byRoute(decision.route()));
    }
    for (RoutingDecision.Delivery delivery : decision.deliveries()) {
      if (delivery.message() != null) {
        found.add(byMessage(delivery.message()));
      }
      if (delivery.route() != null) {
        found.add(byRoute(delivery.route()));
      }
    }
    Content empty = new Content(Bytes.EMPTY, Content.TEXT, Map.of());
    found.forEach(
        prefix -> operations.add(new Operation.Put(EntryKey.of(prefix + decision.id()), empty)));
    conversation.ifPresent(operations::add);
    return space
        .call(mounted -> mounted.write(operations, WriteOptions.DEFAULT))
        .thenApply(written -> decision);
  }
}
