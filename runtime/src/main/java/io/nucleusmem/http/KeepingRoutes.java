package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.SpaceKeeping;
import io.nucleusmem.store.Bytes;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** What becomes of a space's past: the second half of section 9 of the contract. */
final class KeepingRoutes {
  private static final String QUARANTINE = "/v1/spaces/{space}/quarantine";

  private final SpaceKeeping keeping;
  private final Callers callers;
  private final Replays replays;

  KeepingRoutes(SpaceKeeping keeping, Callers callers, Replays replays) {
    this.keeping = keeping;
    this.callers = callers;
    this.replays = replays;
  }

  /**
   * A compaction.
   *
   * @param floor instead of what the policy says: oldest revision that can be read afterwards
   */
  record CompactJson(Boolean dryRun, Long floor) {
    OptionalLong asked() {
      return floor == null ? OptionalLong.empty() : OptionalLong.of(floor);
    }
  }

  /** An erasure: one of keys (of a region, memory by default), prefix and subject. */
  record EraseJson(List<String> keys, String prefix, String subject, String region, String reason) {
    SpaceKeeping.Erasable what() {
      int given = (keys == null ? 0 : 1) + (prefix == null ? 0 : 1) + (subject == null ? 0 : 1);
      if (given != 1) {
        throw MemSpaceException.invalid(
            "keys, prefix, subject", given + " of them", "exactly one of them");
      }
      Optional<Region> in = Optional.ofNullable(region).map(Region::ofLabel);
      if (keys != null) {
        return new SpaceKeeping.Erasable.Keys(
            in.orElse(Region.MEMORY), Required.list("keys", keys));
      }
      return prefix != null
          ? new SpaceKeeping.Erasable.Prefix(in, prefix)
          : new SpaceKeeping.Erasable.Subject(subject);
    }
  }

  record QuarantineJson(String key, String region, Long revision, String reason) {
    EntryKey entry() {
      return KeepingRoutes.entry(key, region);
    }
  }

  /** A version in quarantine. */
  record QuarantinedJson(
      String key, String region, long revision, String by, String reason, Instant at) {
    static QuarantinedJson of(SpaceKeeping.Quarantined each) {
      return new QuarantinedJson(
          each.key().name(),
          each.key().region().label(),
          each.revision(),
          each.by(),
          each.reason(),
          each.at());
    }
  }

  /**
   * A revert.
   *
   * @param to revision whose state of the key is written again
   */
  record RevertJson(String key, String region, Long to) {}

  /** The answer to a revert. */
  record RevertedJson(String space, String region, String key, long revision, Instant at) {}

  void addTo(RouteTable table) {
    table
        .add("POST", "/v1/spaces/{space}/compact", this::compact)
        .add("POST", "/v1/spaces/{space}/flatten", this::flatten)
        .add("POST", "/v1/spaces/{space}/erase", this::erase)
        .add("POST", QUARANTINE, this::quarantine)
        .add("GET", QUARANTINE, this::quarantined)
        .add("DELETE", QUARANTINE + "/{key...}", Set.of("region", "revision"), this::release)
        .add("POST", "/v1/spaces/{space}/revert", this::revert);
  }

  private static EntryKey entry(String key, String region) {
    return new EntryKey(
        region == null ? Region.MEMORY : Region.ofLabel(region), Required.text("key", key));
  }

  private static long revision(String field, Long given) {
    long revision = Required.number(field, given);
    if (revision < 1) {
      throw MemSpaceException.invalid(field, revision, "a revision, 1 or more");
    }
    return revision;
  }

  private CompletionStage<HttpResponse> erase(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              EraseJson request = Json.read("body", body, EraseJson.class);
              SpaceKeeping.Erasable what = request.what();
              String reason = Required.text("reason", request.reason());
              return once(
                  call,
                  body,
                  () ->
                      keeping
                          .erase(call.principal(), call.path("space"), what, reason)
                          .thenApply(OperationRoutes::accepted));
            });
  }

  private CompletionStage<HttpResponse> quarantine(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              QuarantineJson request = Json.read("body", body, QuarantineJson.class);
              EntryKey key = request.entry();
              long revision = revision("revision", request.revision());
              String reason = Required.text("reason", request.reason());
              return once(
                  call,
                  body,
                  () ->
                      keeping
                          .quarantine(call.principal(), call.path("space"), key, revision, reason)
                          .thenApply(
                              done ->
                                  Answers.ok(
                                      Map.of(
                                          "key",
                                          key.name(),
                                          "region",
                                          key.region().label(),
                                          "revision",
                                          revision,
                                          "reason",
                                          reason))));
            });
  }

  private CompletionStage<HttpResponse> quarantined(Call call) {
    return keeping
        .quarantined(call.principal(), call.path("space"))
        .thenApply(
            list -> Answers.page(new Paged<>(list, 0, Optional.empty()), QuarantinedJson::of));
  }

  private CompletionStage<HttpResponse> release(Call call) {
    long revision =
        call.revision("revision")
            .orElseThrow(() -> MemSpaceException.invalid("revision", "absent", "a revision"));
    EntryKey key = new EntryKey(call.region(), call.path("key"));
    return once(
        call,
        Bytes.EMPTY,
        () ->
            keeping
                .release(call.principal(), call.path("space"), key, revision)
                .thenApply(done -> Answers.noContent()));
  }

  private CompletionStage<HttpResponse> revert(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              RevertJson request = Json.read("body", body, RevertJson.class);
              EntryKey key = entry(request.key(), request.region());
              long to = revision("to", request.to());
              return once(
                  call,
                  body,
                  () ->
                      callers.withMount(
                          call,
                          mounted ->
                              mounted
                                  .revert(key, to, call.writeOptions())
                                  .thenApply(
                                      written ->
                                          Answers.replayed(
                                              Answers.ok(
                                                  new RevertedJson(
                                                      call.path("space"),
                                                      key.region().label(),
                                                      key.name(),
                                                      written.revision(),
                                                      written.at())),
                                              written.replayed()))));
            });
  }

  private CompletionStage<HttpResponse> compact(Call call) {
    return bodyOrNone(call)
        .thenCompose(
            body -> {
              CompactJson request = Json.read("body", body, CompactJson.class);
              return once(
                  call,
                  body,
                  () ->
                      keeping
                          .compact(
                              call.principal(),
                              call.path("space"),
                              request.asked(),
                              Boolean.TRUE.equals(request.dryRun()))
                          .thenApply(OperationRoutes::accepted));
            });
  }

  private CompletionStage<HttpResponse> flatten(Call call) {
    return once(
        call,
        Bytes.EMPTY,
        () ->
            keeping
                .flatten(call.principal(), call.path("space"))
                .thenApply(OperationRoutes::accepted));
  }

  /** A call whose fields may all be absent needs no body. */
  private static CompletionStage<Bytes> bodyOrNone(Call call) {
    return call.json().thenApply(body -> body.isEmpty() ? Bytes.utf8("{}") : body);
  }

  private CompletionStage<HttpResponse> once(
      Call call, Bytes body, Supplier<CompletionStage<HttpResponse>> action) {
    return replays.once(call, body, action);
  }
}
