package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Delivery;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Message;
import io.nucleusmem.memspace.MessageRange;
import io.nucleusmem.memspace.MountedTopic;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.memspace.SubscriptionInfo;
import io.nucleusmem.memspace.SubscriptionSpec;
import io.nucleusmem.memspace.TopicInfo;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Topics: section 6 of the contract. */
final class TopicRoutes {
  private static final String TOPICS = "/v1/spaces/{space}/topics";
  private static final String TOPIC = TOPICS + "/{topic}";
  private static final String SUBSCRIPTION = TOPIC + "/subscriptions/{name}";
  private static final int PULL_MAX = 1_000;
  private static final int PULL_DEFAULT = 100;
  private static final long REDELIVER_MS_DEFAULT = 30_000;
  private static final long REDELIVER_MS_MAX = Duration.ofHours(24).toMillis();
  private static final long DELIVERIES_DEFAULT = 5;
  private static final long DELIVERIES_MAX = 1_000;

  private final Callers callers;
  private final Replays replays;
  private final EventStreams streams;
  private final Duration pullWaitMax;
  private final Waits waits;

  /**
   * @param waits pulls that wait for a message
   */
  TopicRoutes(
      Callers callers, Replays replays, EventStreams streams, Duration pullWaitMax, Waits waits) {
    this.callers = callers;
    this.replays = replays;
    this.streams = streams;
    this.pullWaitMax = pullWaitMax;
    this.waits = waits;
  }

  record TopicJson(String name, long revision, int subscriptions) {
    static TopicJson of(TopicInfo topic) {
      return new TopicJson(topic.name(), topic.revision(), topic.subscriptions());
    }
  }

  record CreateJson(String name) {}

  record PublishedJson(String id, long revision, Instant at) {
    static PublishedJson of(Published published) {
      return new PublishedJson(
          published.id(), published.revision(), Timestamps.instant(published.timestamp()));
    }
  }

  record MessageJson(
      String id,
      long revision,
      String sender,
      @JsonInclude(JsonInclude.Include.NON_NULL) String to,
      Instant at,
      String contentType,
      Map<String, String> metadata,
      @JsonUnwrapped ValueJson value) {
    static MessageJson of(Message message, boolean values) {
      return new MessageJson(
          message.id(),
          message.revision(),
          message.sender(),
          message.to().orElse(null),
          message.at(),
          message.content().contentType(),
          message.content().metadata(),
          values ? ValueJson.of(message.content()) : null);
    }
  }

  record DeliveryJson(
      long revision,
      String id,
      String sender,
      @JsonInclude(JsonInclude.Include.NON_NULL) String to,
      Instant at,
      int delivery,
      String contentType,
      Map<String, String> metadata,
      @JsonUnwrapped ValueJson value) {
    static DeliveryJson of(Delivery delivered) {
      Message message = delivered.message();
      return new DeliveryJson(
          message.revision(),
          message.id(),
          message.sender(),
          message.to().orElse(null),
          message.at(),
          delivered.delivery(),
          message.content().contentType(),
          message.content().metadata(),
          ValueJson.of(message.content()));
    }
  }

  record DeliveriesJson(List<DeliveryJson> messages) {}

  /**
   * A subscription to be made.
   *
   * @param from {@code latest} (the default), {@code earliest} or a revision
   */
  record SubscribeJson(JsonNode from, String to, Long redeliverAfterMs, Long deliveriesMax) {
    SubscriptionSpec toSpec() {
      return new SubscriptionSpec(
          fromOf(from),
          Optional.ofNullable(to),
          Duration.ofMillis(
              within(
                  "redeliver_after_ms", redeliverAfterMs, REDELIVER_MS_DEFAULT, REDELIVER_MS_MAX)),
          (int) within("deliveries_max", deliveriesMax, DELIVERIES_DEFAULT, DELIVERIES_MAX));
    }

    private static SubscriptionSpec.From fromOf(JsonNode from) {
      if (from == null || from.isNull() || from.isTextual() && from.textValue().equals("latest")) {
        return new SubscriptionSpec.From.Latest();
      }
      if (from.isTextual() && from.textValue().equals("earliest")) {
        return new SubscriptionSpec.From.Earliest();
      }
      if (from.isTextual() && Call.isDigits(from.textValue())) {
        return new SubscriptionSpec.From.Revision(Call.parseRevision("from", from.textValue()));
      }
      if (from.canConvertToExactIntegral() && from.canConvertToLong() && from.longValue() >= 1) {
        return new SubscriptionSpec.From.Revision(from.longValue());
      }
      throw MemSpaceException.invalid("from", from, "latest, earliest or a revision");
    }

    private static long within(String field, Long found, long byDefault, long max) {
      long value = found == null ? byDefault : found;
      if (value < 1 || value > max) {
        throw MemSpaceException.invalid(field, value, "1 to " + max);
      }
      return value;
    }
  }

  record SubscriptionJson(String name, long cursor, int pending, long dead) {
    static SubscriptionJson of(SubscriptionInfo subscription) {
      return new SubscriptionJson(
          subscription.name(), subscription.cursor(), subscription.pending(), subscription.dead());
    }
  }

  record PullJson(Long max, Long waitMs) {}

  record RevisionsJson(List<Long> revisions) {}

  void addTo(RouteTable table) {
    table
        .add("POST", TOPICS, this::create)
        .add("GET", TOPICS, Set.of("limit", "cursor"), this::list)
        .add("POST", TOPIC + "/messages", Set.of("to"), this::publish)
        .add(
            "GET",
            TOPIC + "/messages",
            Set.of("from", "until", "order", "values", "limit", "cursor"),
            this::fetch)
        .add("GET", TOPIC + "/messages/{revision}", this::message)
        .add("GET", TOPIC + "/watch", Set.of("from", "to", "values"), this::watch)
        .add("GET", TOPIC + "/subscriptions", this::subscriptions)
        .add("PUT", SUBSCRIPTION, this::subscribe)
        .add("GET", SUBSCRIPTION, this::subscription)
        .add("DELETE", SUBSCRIPTION, this::unsubscribe)
        .add("POST", SUBSCRIPTION + "/pull", this::pull)
        .add("POST", SUBSCRIPTION + "/ack", call -> settle(call, true))
        .add("POST", SUBSCRIPTION + "/nack", call -> settle(call, false));
  }

  // ---- topics and messages ----

  private CompletionStage<HttpResponse> create(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              String name = Required.text("name", Json.read("body", body, CreateJson.class).name());
              return replays.once(
                  call,
                  body,
                  () ->
                      callers
                          .withMount(call, mounted -> mounted.createTopic(name))
                          .thenApply(topic -> created(call, topic)));
            });
  }

  private static HttpResponse created(Call call, TopicInfo topic) {
    return Answers.created(
        "/v1/spaces/%s/topics/%s".formatted(call.path("space"), Percent.encodePath(topic.name())),
        TopicJson.of(topic));
  }

  private CompletionStage<HttpResponse> list(Call call) {
    return callers
        .withMount(call, mounted -> mounted.topics(call.limit(), call.cursor()))
        .thenApply(page -> Answers.page(page, TopicJson::of));
  }

  private CompletionStage<HttpResponse> publish(Call call) {
    WriteOptions options = call.writeOptions();
    Map<String, String> metadata = ReservedMetadata.ofTopic(call);
    return call.raw()
        .thenCompose(
            value -> {
              Content content = new Content(value, call.contentType(), metadata);
              return withTopic(call, topic -> topic.publish(content, call.query("to"), options));
            })
        .thenApply(
            published ->
                Answers.replayed(
                    Answers.json(201, PublishedJson.of(published))
                        .addHeader(
                            Headers.of(
                                Headers.LOCATION,
                                "/v1/spaces/%s/topics/%s/messages/%d"
                                    .formatted(
                                        call.path("space"),
                                        Percent.encodePath(call.path("topic")),
                                        published.revision()))),
                    published.replayed()));
  }

  private CompletionStage<HttpResponse> fetch(Call call) {
    boolean values = call.flag("values");
    MessageRange range =
        new MessageRange(
            bound(call, "from"),
            bound(call, "until"),
            EntryRoutes.order(call),
            values,
            call.limit(),
            call.cursor());
    return withTopic(call, topic -> topic.fetch(range))
        .thenApply(page -> Answers.page(page, message -> MessageJson.of(message, values)));
  }

  private static Optional<MessageRange.Bound> bound(Call call, String name) {
    return call.query(name)
        .map(
            text ->
                Call.isDigits(text)
                    ? new MessageRange.Bound.Revision(Call.parseRevision(name, text))
                    : new MessageRange.Bound.Time(Call.instant(name, text)));
  }

  private CompletionStage<HttpResponse> message(Call call) {
    long revision = Call.parseRevision("revision", call.path("revision"));
    return withTopic(call, topic -> topic.message(revision))
        .thenApply(
            found ->
                found
                    .map(TopicRoutes::raw)
                    .orElseThrow(
                        () ->
                            new MemSpaceException(
                                ErrorCode.MESSAGE_NOT_FOUND,
                                "topic [%s] has no message [%d]"
                                    .formatted(call.path("topic"), revision))));
  }

  private static HttpResponse raw(Message message) {
    Content content = message.content();
    HttpResponse response =
        HttpResponse.create()
            .withEntity(EntryRoutes.entity(content))
            .addHeader(Headers.etag(message.revision()))
            .addHeader(Headers.of(Headers.MESSAGE_ID, message.id()))
            .addHeader(Headers.of(Headers.REVISION, Long.toString(message.revision())))
            .addHeader(Headers.of(Headers.AT, Json.format(message.at())))
            .addHeader(Headers.of(Headers.AUTHOR, message.sender()));
    return content.metadata().isEmpty()
        ? response
        : response.addHeader(Headers.of(Headers.METADATA, Json.line(content.metadata())));
  }

  private CompletionStage<HttpResponse> watch(Call call) {
    OptionalLong from = WatchRoutes.from(call);
    Optional<String> to = call.query("to");
    boolean values = call.flag("values");
    return withTopic(
        call, topic -> streams.stream(handler -> topic.watch(from, to, values, handler)));
  }

  // ---- durable subscriptions ----

  private CompletionStage<HttpResponse> subscribe(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              SubscriptionSpec spec =
                  (body.isEmpty()
                          ? new SubscribeJson(null, null, null, null)
                          : Json.read("body", body, SubscribeJson.class))
                      .toSpec();
              return replays.once(
                  call,
                  body,
                  () ->
                      withTopic(call, topic -> topic.subscribe(call.path("name"), spec))
                          .thenApply(
                              made ->
                                  Answers.json(
                                      made.created() ? 201 : 200, SubscriptionJson.of(made))));
            });
  }

  private CompletionStage<HttpResponse> subscriptions(Call call) {
    return withTopic(call, MountedTopic::subscriptions)
        .thenApply(
            all ->
                Answers.ok(
                    new Answers.PageJson(all.stream().map(SubscriptionJson::of).toList(), null)));
  }

  private CompletionStage<HttpResponse> subscription(Call call) {
    return withTopic(call, topic -> topic.subscription(call.path("name")))
        .thenApply(found -> Answers.ok(SubscriptionJson.of(found)));
  }

  private CompletionStage<HttpResponse> unsubscribe(Call call) {
    return replays.once(
        call,
        Bytes.EMPTY,
        () ->
            withTopic(call, topic -> topic.unsubscribe(call.path("name")))
                .thenApply(done -> Answers.noContent()));
  }

  private CompletionStage<HttpResponse> pull(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              PullJson request =
                  body.isEmpty()
                      ? new PullJson(null, null)
                      : Json.read("body", body, PullJson.class);
              int max = pullMax(request.max());
              Duration wait = pullWait(request.waitMs());
              return replays.once(
                  call,
                  body,
                  () ->
                      waits
                          .untilStopping(
                              withTopic(call, topic -> topic.pull(call.path("name"), max, wait)))
                          .thenApply(
                              messages ->
                                  Answers.ok(
                                      new DeliveriesJson(
                                          messages.stream().map(DeliveryJson::of).toList()))));
            });
  }

  private CompletionStage<HttpResponse> settle(Call call, boolean acknowledged) {
    return call.json(RevisionsJson.class)
        .thenCompose(
            request -> {
              List<Long> revisions = Required.list("revisions", request.revisions());
              if (revisions.size() > PULL_MAX) {
                throw MemSpaceException.tooLarge(
                    "revisions", revisions.size(), PULL_MAX, "elements");
              }
              return withTopic(
                  call,
                  topic ->
                      acknowledged
                          ? topic.ack(call.path("name"), revisions)
                          : topic.nack(call.path("name"), revisions));
            })
        .thenApply(done -> Answers.noContent());
  }

  private static int pullMax(Long max) {
    if (max == null) {
      return PULL_DEFAULT;
    }
    if (max < 1 || max > PULL_MAX) {
      throw MemSpaceException.invalid("max", max, "1 to " + PULL_MAX);
    }
    return max.intValue();
  }

  private Duration pullWait(Long millis) {
    long wait = millis == null ? 0 : millis;
    if (wait < 0 || wait > pullWaitMax.toMillis()) {
      throw MemSpaceException.invalid("wait_ms", wait, "0 to " + pullWaitMax.toMillis());
    }
    return Duration.ofMillis(wait);
  }

  private <T> CompletionStage<T> withTopic(
      Call call, Function<MountedTopic, CompletionStage<T>> use) {
    return callers.withMount(call, mounted -> use.apply(mounted.topic(call.path("topic"))));
  }
}
