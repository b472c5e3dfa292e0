package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import io.nucleusmem.agent.Agents;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.routing.RoutedMessage;
import io.nucleusmem.routing.Routing;
import io.nucleusmem.routing.Routing.Routed;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Messages to whom the caller names, or to whom the router picks: section 8 of the contract. */
final class MessageRoutes {
  private static final String ROUTER = "router";
  private static final String AGENT = "agent/";
  private static final String TOPIC = "topic/";
  private static final String ACCEPTED = "router, agent/ID or topic/SPACE/TOPIC";

  private final Agents agents;
  private final Routing routing;
  private final Callers callers;

  MessageRoutes(Agents agents, Routing routing, Callers callers) {
    this.agents = agents;
    this.routing = routing;
    this.callers = callers;
  }

  /** A message; exactly one of text and value_base64 is there. */
  record MessageJson(String to, String text, String valueBase64, String conversation) {
    Content toContent(Map<String, String> given) {
      if ((text == null) == (valueBase64 == null)) {
        throw MemSpaceException.invalid(
            "text",
            text == null ? "absent" : "given beside value_base64",
            "either text or value_base64");
      }
      Map<String, String> metadata = new HashMap<>(given);
      if (conversation != null) {
        metadata.put(RoutedMessage.CONVERSATION, conversation);
      }
      return (text != null ? Content.text(text) : bytes()).withMetadata(metadata);
    }

    private Content bytes() {
      try {
        return Content.bytes(Base64.getDecoder().decode(valueBase64));
      } catch (IllegalArgumentException e) {
        throw MemSpaceException.invalid("value_base64", "no base64", "base64");
      }
    }
  }

  /**
   * What became of a message.
   *
   * @param id of what was delivered, and revision in its topic
   * @param decision null where the caller named whom it is for
   */
  record SentJson(String id, long revision, Instant at, String decision) {}

  void addTo(RouteTable table) {
    table.add("POST", "/v1/messages", this::send);
  }

  private CompletionStage<HttpResponse> send(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              MessageJson message = Json.read("body", body, MessageJson.class);
              String to = Required.text("to", message.to());
              Content content =
                  message.toContent(
                      to.startsWith(TOPIC)
                          ? ReservedMetadata.ofTopic(call)
                          : ReservedMetadata.ofMessage(call));
              return send(call, to, content, message);
            });
  }

  private CompletionStage<HttpResponse> send(
      Call call, String to, Content content, MessageJson message) {
    if (to.equals(ROUTER)) {
      return routing
          .route(
              new RoutedMessage(
                  call.principal().name(),
                  content,
                  Optional.ofNullable(message.conversation()),
                  call.idempotencyKey()))
          .thenApply(MessageRoutes::routed);
    }
    if (to.startsWith(AGENT)) {
      return agents
          .send(call.principal(), to.substring(AGENT.length()), content, call.writeOptions())
          .thenApply(MessageRoutes::sent);
    }
    String[] names = to.startsWith(TOPIC) ? to.substring(TOPIC.length()).split("/", 2) : null;
    if (names == null || names.length < 2) {
      throw MemSpaceException.invalid("to", to, ACCEPTED);
    }
    return callers
        .withMount(
            call,
            names[0],
            mounted ->
                mounted.topic(names[1]).publish(content, Optional.empty(), call.writeOptions()))
        .thenApply(MessageRoutes::sent);
  }

  private static HttpResponse routed(Routed routed) {
    return answer(routed.published(), routed.decision().id());
  }

  private static HttpResponse sent(Published published) {
    return answer(published, null);
  }

  private static HttpResponse answer(Published published, String decision) {
    return Answers.replayed(
        Answers.json(
            202,
            new SentJson(
                published.id(),
                published.revision(),
                Timestamps.instant(published.timestamp()),
                decision)),
        published.replayed());
  }
}
