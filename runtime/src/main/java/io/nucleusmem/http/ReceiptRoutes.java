package io.nucleusmem.http;

import akka.NotUsed;
import akka.http.javadsl.model.ContentType;
import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import akka.japi.Pair;
import akka.stream.javadsl.Source;
import akka.util.ByteString;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.nucleusmem.agent.Reruns;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.receipts.Containment;
import io.nucleusmem.receipts.Receipt;
import io.nucleusmem.receipts.Receipts;
import io.nucleusmem.receipts.Replayed;
import io.nucleusmem.receipts.SeenVersion;
import io.nucleusmem.receipts.Tape;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/** What agents saw: the beginning of section 9 of the contract. */
final class ReceiptRoutes {
  private static final ContentType NDJSON = ContentTypes.parse("application/x-ndjson");
  private static final ByteString NEWLINE = ByteString.fromString("\n");
  private static final Instant FIRST = Instant.EPOCH;
  private static final Instant LAST = Instant.parse("2200-01-01T00:00:00Z");
  private static final int REPLAY_PAGE =
      20; // receipts whose contents are in memory: at most 1 MiB each

  private final Receipts receipts;
  private final Reruns reruns;
  private final Replays replays;

  ReceiptRoutes(Receipts receipts, Reruns reruns, Replays replays) {
    this.receipts = receipts;
    this.reruns = reruns;
    this.replays = replays;
  }

  /**
   * A receipt. A message of a topic has the topic's name as its key, and the topic's revision.
   *
   * @param life one of the agent's, from start to crash, stop or switch
   * @param seq place in that life
   */
  record ReceiptJson(
      Instant at,
      String agent,
      String space,
      String region,
      String key,
      long revision,
      String how,
      String mount,
      boolean confirmed,
      String life,
      long seq) {
    static ReceiptJson of(Receipt receipt) {
      return new ReceiptJson(
          receipt.at(),
          receipt.agent(),
          receipt.space(),
          receipt.version().region().label(),
          receipt.version().key(),
          receipt.version().revision(),
          receipt.how().label(),
          receipt.mount(),
          receipt.confirmed(),
          receipt.life(),
          receipt.seq());
    }
  }

  /**
   * A page of receipts.
   *
   * @param oldestAt absent unless their retention has let go of those before
   */
  record ReceiptsJson(
      List<ReceiptJson> items,
      @JsonInclude(JsonInclude.Include.NON_NULL) Instant oldestAt,
      String next) {}

  private CompletionStage<HttpResponse> receipts(CompletionStage<Paged<Receipt>> page) {
    return page.thenCombine(
        receipts.oldest(),
        (found, oldest) ->
            Answers.ok(
                new ReceiptsJson(
                    found.items().stream().map(ReceiptJson::of).toList(),
                    oldest.orElse(null),
                    found.next().orElse(null))));
  }

  /**
   * A line of a replay.
   *
   * @param state {@code present}, {@code deletion}, or why there is no content: {@code erased},
   *     {@code quarantined}, {@code compacted}, {@code space_deleted}
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record ReplayedJson(
      @JsonUnwrapped ReceiptJson receipt,
      String state,
      String author,
      Instant writtenAt,
      String contentType,
      Map<String, String> metadata,
      @JsonUnwrapped ValueJson value) {
    static ReplayedJson of(Replayed replayed) {
      return new ReplayedJson(
          ReceiptJson.of(replayed.receipt()),
          replayed.state().name().toLowerCase(Locale.ROOT),
          replayed.author().orElse(null),
          replayed.writtenAt().orElse(null),
          replayed.content().map(content -> content.contentType()).orElse(null),
          replayed.content().map(content -> content.metadata()).orElse(null),
          replayed.content().map(ValueJson::of).orElse(null));
    }
  }

  /** A version where a containment names it. */
  record VersionJson(String space, String region, String key, long revision) {
    static VersionJson of(Containment.Version version) {
      SeenVersion seen = version.version();
      return new VersionJson(version.space(), seen.region().label(), seen.key(), seen.revision());
    }
  }

  record ReaderJson(
      String agent, @JsonUnwrapped VersionJson version, Instant at, String how, boolean confirmed) {
    static ReaderJson of(Containment.Reader reader) {
      return new ReaderJson(
          reader.agent(),
          VersionJson.of(reader.first()),
          reader.at(),
          reader.how().label(),
          reader.confirmed());
    }
  }

  record DerivedJson(@JsonUnwrapped VersionJson version, String agent, Instant at) {
    static DerivedJson of(Containment.Derived derived) {
      return new DerivedJson(VersionJson.of(derived.version()), derived.agent(), derived.at());
    }
  }

  /**
   * A step of a containment.
   *
   * @param kind {@code read}: the agent got the version; {@code wrote}: it made it
   */
  record EdgeJson(String kind, String agent, @JsonUnwrapped VersionJson version) {
    static EdgeJson of(Containment.Edge edge) {
      return new EdgeJson(
          edge.wrote() ? "wrote" : "read", edge.agent(), VersionJson.of(edge.version()));
    }
  }

  /**
   * What a version may have led to.
   *
   * @param complete false where a limit ended the search, or the caller may not see all
   */
  record ContainmentJson(
      List<ReaderJson> readers,
      List<DerivedJson> derived,
      List<EdgeJson> edges,
      boolean complete) {}

  /** What to run again. */
  record RerunJson(String from, String until, String fork, List<WithoutJson> without) {}

  /**
   * A version that is to be as if it had never been.
   *
   * @param region absent: any; {@code comm} for a message, whose key is its topic
   */
  record WithoutJson(String space, String region, String key, Long revision) {
    Tape.Without toVersion() {
      return new Tape.Without(
          Required.text("without.space", space),
          Optional.ofNullable(region).map(Region::ofLabel),
          Required.text("without.key", key),
          Required.number("without.revision", revision));
    }
  }

  void addTo(RouteTable table) {
    table
        .add("POST", "/v1/agents/{id}/rerun", this::rerun)
        .add(
            "GET",
            "/v1/containment",
            Set.of("space", "region", "key", "revision", "messages"),
            this::containment)
        .add("GET", "/v1/agents/{id}/saw", Set.of("from", "until", "limit", "cursor"), this::saw)
        .add("GET", "/v1/agents/{id}/replay", Set.of("from", "until"), this::replay)
        .add(
            "GET",
            "/v1/spaces/{space}/seen/{key...}",
            Set.of("revision", "region", "messages", "limit", "cursor"),
            this::whoSaw);
  }

  private static Instant instant(Call call, String name, Instant byDefault) {
    return call.query(name).map(text -> Call.instant(name, text)).orElse(byDefault);
  }

  private CompletionStage<HttpResponse> saw(Call call) {
    return receipts(
        receipts.saw(
            call.principal(),
            call.path("id"),
            instant(call, "from", FIRST),
            instant(call, "until", LAST),
            call.limit(),
            call.cursor()));
  }

  /** With {@code messages=true} the key is a topic's name. */
  private CompletionStage<HttpResponse> whoSaw(Call call) {
    long revision = call.revision("revision").orElse(0);
    boolean messages = call.flag("messages");
    SeenVersion version =
        messages
            ? SeenVersion.message(call.path("key"), revision)
            : SeenVersion.entry(call.region(), call.path("key"), revision);
    return receipts(
        receipts.whoSaw(
            call.principal(), call.path("space"), version, call.limit(), call.cursor()));
  }

  /** With {@code messages=true} the key is a topic's name. */
  private CompletionStage<HttpResponse> containment(Call call) {
    String key = Required.text("key", call.query("key").orElse(null));
    long revision =
        call.revision("revision")
            .orElseThrow(() -> MemSpaceException.invalid("revision", "absent", "a revision"));
    SeenVersion version =
        call.flag("messages")
            ? SeenVersion.message(key, revision)
            : SeenVersion.entry(call.region(), key, revision);
    return receipts
        .containment(
            call.principal(), Required.text("space", call.query("space").orElse(null)), version)
        .thenApply(
            found ->
                Answers.ok(
                    new ContainmentJson(
                        found.readers().stream().map(ReaderJson::of).toList(),
                        found.derived().stream().map(DerivedJson::of).toList(),
                        found.edges().stream().map(EdgeJson::of).toList(),
                        found.complete())));
  }

  private CompletionStage<HttpResponse> rerun(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              RerunJson request = Json.read("body", body, RerunJson.class);
              Instant from = Call.instant("from", Required.text("from", request.from()));
              Instant until = Call.instant("until", Required.text("until", request.until()));
              Set<Tape.Without> without =
                  Required.listOrNone("without", request.without()).stream()
                      .map(WithoutJson::toVersion)
                      .collect(Collectors.toSet());
              return replays.once(
                  call,
                  body,
                  () ->
                      reruns
                          .rerun(
                              call.principal(),
                              call.path("id"),
                              from,
                              until,
                              Optional.ofNullable(request.fork()),
                              without)
                          .thenApply(OperationRoutes::accepted));
            });
  }

  /** The first page is read before the answer begins, so that a refusal is one. */
  private CompletionStage<HttpResponse> replay(Call call) {
    return page(call, Optional.empty())
        .thenApply(
            first -> {
              Source<ByteString, NotUsed> rest =
                  Source.unfoldAsync(
                      first.next(),
                      cursor ->
                          cursor.isEmpty()
                              ? CompletableFuture.completedStage(Optional.empty())
                              : page(call, cursor)
                                  .thenApply(
                                      page -> Optional.of(Pair.create(page.next(), lines(page)))));
              return HttpResponse.create()
                  .addHeader(Headers.of("Cache-Control", "no-store"))
                  .withEntity(
                      HttpEntities.create(NDJSON, Source.single(lines(first)).concat(rest)));
            });
  }

  private CompletionStage<Paged<Replayed>> page(Call call, Optional<String> cursor) {
    return receipts.replay(
        call.principal(),
        call.path("id"),
        instant(call, "from", FIRST),
        instant(call, "until", LAST),
        REPLAY_PAGE,
        cursor);
  }

  private static ByteString lines(Paged<Replayed> page) {
    ByteString all = ByteString.emptyByteString();
    for (Replayed replayed : page.items()) {
      all =
          all.concat(ByteString.fromArrayUnsafe(Json.write(ReplayedJson.of(replayed))))
              .concat(NEWLINE);
    }
    return all;
  }
}
