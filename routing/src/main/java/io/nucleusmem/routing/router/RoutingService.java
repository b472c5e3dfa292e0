package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.routing.Candidate;
import io.nucleusmem.routing.Recipients;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.RoutedMessage;
import io.nucleusmem.routing.Router;
import io.nucleusmem.routing.Router.Answer;
import io.nucleusmem.routing.Router.Query;
import io.nucleusmem.routing.Routes;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.routing.RoutingDecision;
import io.nucleusmem.routing.RoutingDecision.Delivery;
import io.nucleusmem.routing.RoutingDecision.HandOver;
import io.nucleusmem.routing.Stage;
import io.nucleusmem.routing.Target;
import io.nucleusmem.routing.router.Conversations.Place;
import io.nucleusmem.routing.router.Decider.Decided;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What {@link Routing} promises, put together from its parts. */
final class RoutingService implements Routing {
  private static final Logger LOG = LoggerFactory.getLogger(RoutingService.class);
  private static final int CANDIDATES_KEPT = 5; // in a decision
  private static final int CANDIDATES_MAX = 32;
  private static final int CONVERSATION_CHARS_MAX = 128;

  private final RoutingParts parts;
  private final RoutingSettings settings;
  private final Recipients recipients;
  private final InstantSource clock;
  private final TimeIds ids;

  RoutingService(RoutingParts parts, TimeIds ids) {
    this.parts = parts;
    this.settings = parts.settings();
    this.recipients = parts.recipients();
    this.clock = parts.clock();
    this.ids = ids;
  }

  @Override
  public Routes routes() {
    return parts.routes();
  }

  // ---- a message ----

  /**
   * A message of a topic that has a router.
   *
   * @param message its id
   */
  record Source(String space, String message) {}

  @Override
  public CompletionStage<Routed> route(RoutedMessage message) {
    return route(message, Optional.empty(), Optional.empty());
  }

  /**
   * The same for a message of a topic that has a router.
   *
   * @param source where it comes from
   * @param hook the topic's own router
   */
  CompletionStage<Routed> route(
      RoutedMessage message, Optional<Source> source, Optional<String> hook) {
    return Failures.attempt(
        () -> {
          requireEnabled();
          message.conversation().ifPresent(RoutingService::checkConversation);
          parts.limits().check(message.content());
          Optional<Request> request = message.requestId().map(id -> Request.of(message, id));
          Texts text = Texts.of(message.content(), settings.textCharsMax());
          CompletionStage<Optional<RoutingDecision>> before =
              request
                  .map(parts.log()::ofRequest)
                  .orElseGet(() -> CompletableFuture.completedStage(Optional.empty()));
          return before
              .thenCompose(
                  found ->
                      found.isPresent()
                          ? CompletableFuture.completedStage(found.get())
                          : first(message, text, source, hook)
                              .thenCompose(decision -> writeDown(decision, request)))
              .thenCompose(decision -> parts.courier().deliver(decision, message.content()));
        });
  }

  private void requireEnabled() {
    if (!settings.enabled()) {
      throw new MemSpaceException(
          ErrorCode.UNAVAILABLE,
          "this node routes nothing: %s.enabled is off; send to an agent or publish to a topic"
              .formatted(RoutingSettings.PATH));
    }
  }

  private static void checkConversation(String conversation) {
    if (!isConversation(conversation)) {
      throw MemSpaceException.invalid(
          "conversation",
          Failures.cut(conversation),
          "1 to " + CONVERSATION_CHARS_MAX + " characters");
    }
  }

  static boolean isConversation(String conversation) {
    return !conversation.isBlank() && conversation.length() <= CONVERSATION_CHARS_MAX;
  }

  private CompletionStage<RoutingDecision> first(
      RoutedMessage message, Texts text, Optional<Source> source, Optional<String> hook) {
    message.requestId().ifPresent(id -> parts.limits().checkAge(id, clock.instant()));
    return decide(message, text, source, hook);
  }

  /** A decision that cannot be written down is carried out all the same. */
  private CompletionStage<RoutingDecision> writeDown(
      RoutingDecision decision, Optional<Request> request) {
    return Failures.recover(
        parts.log().decided(decision, request),
        failure -> {
          boolean again =
              failure instanceof MemSpaceException refused && refused.code().retryable();
          if (again) {
            return CompletableFuture.failedStage(failure);
          }
          LOG.error("decision [{}] cannot be written down", decision.id(), failure);
          return CompletableFuture.completedStage(decision);
        });
  }

  private CompletionStage<RoutingDecision> decide(
      RoutedMessage message, Texts text, Optional<Source> source, Optional<String> hook) {
    CompletionStage<Optional<Place>> place =
        Failures.recover(
            parts.conversations().find(message.conversation()),
            failure -> CompletableFuture.completedStage(Optional.empty()));
    return place.thenCompose(
        where ->
            parts
                .live()
                .fresh(settings.decisionTimeout())
                .thenCompose(view -> decide(message, text, where, view, hook))
                .thenCompose(chosen -> plan(message, text, source, where, chosen)));
  }

  /** An answer, the routes that it rests on, and the agent that it names itself, if it does. */
  private record Chosen(Decided decided, LiveRoutes view, Optional<String> agent) {}

  private CompletionStage<Chosen> decide(
      RoutedMessage message,
      Texts text,
      Optional<Place> place,
      LiveRoutes view,
      Optional<String> hook) {
    if (Envelope.hops(message.content()) >= settings.hopsMax()) {
      return nowhere(
          view,
          "the message has been through the router [%d] times; routers feed each other"
              .formatted(Envelope.hops(message.content())));
    }
    Optional<Place> handed = place.filter(each -> each.handedBy() != null);
    if (handed.isPresent()) {
      return recipients
          .exists(handed.get().agent())
          .thenCompose(
              there ->
                  there
                      ? CompletableFuture.completedStage(stays(handed.get(), view))
                      : decide(message, text, Optional.empty(), view, hook));
    }
    Optional<String> previous = place.map(Place::route);
    if (text.isBlank()) {
      Optional<String> still = previous.filter(route -> view.find(route).isPresent());
      return still.isPresent()
          ? withoutModel(
              view,
              Answer.to(
                  still.get(),
                  0,
                  Stage.STICKY,
                  List.of(),
                  "the message has no text to go by; the conversation stays with [%s]"
                      .formatted(still.get())))
          : nowhere(view, "the message has no text to go by");
    }
    Query query =
        new Query(
            text.text(),
            message.sender(),
            message.conversation(),
            previous,
            view.routes(),
            CANDIDATES_KEPT);
    return parts
        .decider()
        .decide(query, view, parts.decider().nameOf(hook, view))
        .handle(
            (decided, failure) -> {
              Throwable cause = failure == null ? null : Failures.unwrap(failure);
              if (cause instanceof MemSpaceException busy && busy.code() == ErrorCode.BUSY) {
                throw busy;
              }
              return cause == null
                  ? CompletableFuture.completedStage(new Chosen(decided, view, Optional.empty()))
                  : nowhere(view, "no decision: " + Failures.reason(cause));
            })
        .thenCompose(chosen -> chosen);
  }

  private static CompletionStage<Chosen> nowhere(LiveRoutes view, String reason) {
    return withoutModel(view, Answer.nowhere(List.of(), reason));
  }

  private static CompletionStage<Chosen> withoutModel(LiveRoutes view, Answer answer) {
    return CompletableFuture.completedStage(
        new Chosen(new Decided(answer, Routers.STANDARD, 0), view, Optional.empty()));
  }

  private static Chosen stays(Place place, LiveRoutes view) {
    Answer answer =
        new Answer(
            List.of(),
            0,
            Stage.STICKY,
            List.of(),
            "agent [%s] handed the conversation to [%s]".formatted(place.handedBy(), place.agent()),
            Optional.empty());
    return new Chosen(
        new Decided(answer, Replays.HANDED_OVER, 0), view, Optional.of(place.agent()));
  }

  // ---- from an answer to deliveries ----

  private CompletionStage<RoutingDecision> plan(
      RoutedMessage message,
      Texts text,
      Optional<Source> source,
      Optional<Place> place,
      Chosen chosen) {
    CompletionStage<Plan> plan =
        CompletableFuture.completedStage(new Plan(new ArrayList<>(), new ArrayList<>()));
    for (String name : chosen.decided().answer().routes()) {
      RegisteredRoute route = chosen.view().find(name).orElseThrow();
      plan =
          plan.thenCompose(
              soFar ->
                  Failures.recover(
                          address(route, message.conversation(), place),
                          failure -> {
                            soFar.missing().add(Failures.reason(failure));
                            return CompletableFuture.completedStage(Optional.empty());
                          })
                      .thenApply(
                          to -> {
                            to.ifPresent(
                                found ->
                                    soFar.deliveries().add(new Delivery(name, found, null, 0)));
                            return soFar;
                          }));
    }
    return plan.thenApply(
        found -> {
          chosen
              .agent()
              .ifPresent(
                  agent ->
                      found
                          .deliveries()
                          .add(new Delivery(null, Deliveries.toAgent(agent), null, 0)));
          return decision(message, text, source, place, chosen, found);
        });
  }

  /** Addresses, and why some could not be found. */
  private record Plan(List<Delivery> deliveries, List<String> missing) {}

  private CompletionStage<Optional<String>> address(
      RegisteredRoute route, Optional<String> conversation, Optional<Place> place) {
    Target target = route.route().target();
    if (target instanceof Target.Agent agent) {
      return CompletableFuture.completedStage(Optional.of(Deliveries.toAgent(agent.id())));
    }
    if (target instanceof Target.Topic topic) {
      return CompletableFuture.completedStage(
          Optional.of(Deliveries.toTopic(topic.space(), topic.topic())));
    }
    String type = ((Target.AgentType) target).type();
    Optional<String> before =
        place.filter(each -> route.route().name().equals(each.route())).map(Place::agent);
    return pick(type, conversation, before)
        .thenApply(
            agent ->
                Optional.of(
                    Deliveries.toAgent(
                        agent.orElseThrow(
                            () ->
                                new MemSpaceException(
                                    ErrorCode.AGENT_NOT_FOUND,
                                    "there is no agent of type [%s] now".formatted(type))))));
  }

  /** An agent of a type that is there: who stopped just now may still be in the list. */
  private CompletionStage<Optional<String>> pick(
      String type, Optional<String> conversation, Optional<String> before) {
    return parts
        .instances()
        .pick(type, conversation, before)
        .thenCompose(
            agent -> {
              if (agent.isEmpty()) {
                return CompletableFuture.completedStage(agent);
              }
              return recipients
                  .exists(agent.get())
                  .thenCompose(
                      there -> {
                        if (there) {
                          return CompletableFuture.completedStage(agent);
                        }
                        parts.instances().changed(type);
                        return parts.instances().pick(type, conversation, Optional.empty());
                      });
            });
  }

  private RoutingDecision decision(
      RoutedMessage message,
      Texts text,
      Optional<Source> source,
      Optional<Place> place,
      Chosen chosen,
      Plan plan) {
    Answer answer = chosen.decided().answer();
    boolean falls = plan.deliveries().isEmpty();
    String reason =
        plan.missing().isEmpty()
            ? answer.reason()
            : answer.reason() + "; " + String.join("; ", plan.missing());
    List<Delivery> deliveries =
        falls
            ? List.of(new Delivery(null, parts.deliveries().fallback(), null, 0))
            : plan.deliveries();
    Instant now = clock.instant();
    return new RoutingDecision(
        ids.next(now),
        now.toEpochMilli(),
        source.map(Source::message).orElse(null),
        source.map(Source::space).orElse(null),
        message.sender(),
        message.conversation().orElse(null),
        text.text(),
        text.cut(),
        chosen.decided().router(),
        chosen.view().revision(),
        place.map(Place::route).orElse(null),
        answer.route().orElse(null),
        answer.score(),
        falls ? Stage.FALLBACK : answer.stage(),
        answer.candidates().stream().limit(CANDIDATES_KEPT).toList(),
        reason,
        answer.model().orElse(null),
        chosen.decided().latencyMs(),
        deliveries,
        chosen
            .agent()
            .map(agent -> new HandOver(place.orElseThrow().handedBy(), agent, List.of()))
            .orElse(null));
  }

  // ---- questions ----

  @Override
  public CompletionStage<DryRun> dryRun(Principal caller, String text, ReadAt at, int limit) {
    return Failures.attempt(
        () -> {
          requireEnabled();
          Texts read = Texts.of(text, settings.textCharsMax());
          if (read.isBlank()) {
            throw MemSpaceException.invalid("text", text, "a text that is not blank");
          }
          if (limit < 1 || limit > CANDIDATES_MAX) {
            throw MemSpaceException.invalid("limit", limit, "1 to " + CANDIDATES_MAX);
          }
          CompletionStage<LiveRoutes> view =
              at.equals(ReadAt.LATEST)
                  ? parts.live().fresh(settings.decisionTimeout())
                  : parts.past().at(at);
          return view.thenCompose(
              routes ->
                  parts
                      .decider()
                      .decide(
                          new Query(
                              read.text(),
                              caller.name(),
                              Optional.empty(),
                              Optional.empty(),
                              routes.routes(),
                              limit),
                          routes,
                          parts.decider().nameOf(Optional.empty(), routes))
                      .thenApply(made -> new DryRun(made.answer(), made.latencyMs())));
        });
  }

  @Override
  public CompletionStage<RoutingDecision> decision(Principal caller, String id) {
    return parts.log().require(caller, id);
  }

  @Override
  public CompletionStage<Paged<RoutingDecision>> decisions(Principal caller, DecisionQuery query) {
    return parts.pages().page(caller, query);
  }

  @Override
  public CompletionStage<Paged<Differs>> replay(
      Principal caller,
      Optional<Instant> from,
      Optional<Instant> until,
      int limit,
      Optional<String> cursor) {
    return Failures.attempt(
        () -> {
          requireEnabled();
          return parts.replays().page(caller, from, until, limit, cursor);
        });
  }

  // ---- hand-over ----

  @Override
  public CompletionStage<Routed> handOver(
      String from, String to, String conversation, List<String> mounts, Content note) {
    return Failures.attempt(
        () -> {
          checkConversation(conversation);
          return parts
              .conversations()
              .find(Optional.of(conversation))
              .thenCombine(
                  recipients.exists(to),
                  (place, there) -> {
                    requireHandOver(from, to, conversation, place, there);
                    return handedOver(from, to, conversation, mounts, note, place);
                  })
              .thenCompose(decision -> parts.log().decided(decision, Optional.empty()))
              .thenCompose(decision -> parts.courier().deliver(decision, note));
        });
  }

  private static void requireHandOver(
      String from, String to, String conversation, Optional<Place> place, boolean there) {
    if (!there) {
      throw new MemSpaceException(
          ErrorCode.AGENT_NOT_FOUND,
          "conversation [%s] cannot be handed to [%s]: there is no such agent"
              .formatted(conversation, to));
    }
    Optional<String> holder = place.map(Place::agent);
    if (holder.isPresent() && !holder.get().equals(from)) {
      throw new MemSpaceException(
          ErrorCode.FORBIDDEN,
          "conversation [%s] is with agent [%s]; [%s] cannot hand it over"
              .formatted(conversation, holder.get(), from));
    }
  }

  private RoutingDecision handedOver(
      String from,
      String to,
      String conversation,
      List<String> mounts,
      Content note,
      Optional<Place> place) {
    Texts text = Texts.of(note, settings.textCharsMax());
    Instant now = clock.instant();
    return new RoutingDecision(
        ids.next(now),
        now.toEpochMilli(),
        null,
        null,
        "agent/" + from,
        conversation,
        text.text(),
        text.cut(),
        Replays.HANDED_OVER,
        parts.live().current().revision(),
        place.map(Place::route).orElse(null),
        null,
        0,
        Stage.HAND_OVER,
        List.<Candidate>of(),
        "agent [%s] hands the conversation to [%s]".formatted(from, to),
        null,
        0,
        List.of(new Delivery(null, Deliveries.toAgent(to), null, 0)),
        new HandOver(from, to, mounts));
  }

  // ---- routers of users ----

  @Override
  public void define(String name, Router router) {
    parts.routers().define(name, router);
  }

  @Override
  public CompletionStage<Void> use(Principal caller, Optional<String> router) {
    return parts.hooks().use(caller, router);
  }

  @Override
  public CompletionStage<Void> hook(
      Principal caller, String space, String topic, Optional<String> router) {
    return parts.hooks().hook(caller, space, topic, router);
  }

  @Override
  public CompletionStage<Void> unhook(Principal caller, String space, String topic) {
    return parts.hooks().unhook(caller, space, topic);
  }
}
