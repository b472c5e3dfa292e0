package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.nucleusmem.memspace.Claim;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Region;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Claims: section 4 of the contract. The region is a query parameter, as with entries. */
final class ClaimRoutes {
  private static final int CLAIMS_MAX = 100;

  private final Callers callers;
  private final Replays replays;

  ClaimRoutes(Callers callers, Replays replays) {
    this.callers = callers;
    this.replays = replays;
  }

  record ClaimRequestJson(String prefix, String worker, Long leaseMs, Long max) {}

  record RenewJson(String key, Long token, Long leaseMs) {}

  record ReleaseJson(String key, Long token) {}

  record ClaimJson(
      String key,
      String region,
      long revision,
      long token,
      Instant expiresAt,
      String contentType,
      @JsonUnwrapped ValueJson value) {
    static ClaimJson of(Claim claim) {
      return new ClaimJson(
          claim.entry().key().name(),
          claim.entry().key().region().label(),
          claim.entry().revision(),
          claim.token(),
          claim.expiresAt(),
          claim.entry().content().contentType(),
          ValueJson.of(claim.entry().content()));
    }
  }

  record ClaimsJson(List<ClaimJson> claims) {}

  record RenewedJson(String key, long token, Instant expiresAt) {}

  void addTo(RouteTable table) {
    Set<String> query = Set.of("region");
    table
        .add("POST", "/v1/spaces/{space}/claims", query, this::claim)
        .add("POST", "/v1/spaces/{space}/claims/renew", query, this::renew)
        .add("POST", "/v1/spaces/{space}/claims/release", query, this::release);
  }

  private CompletionStage<HttpResponse> claim(Call call) {
    Region region = call.region();
    return call.json()
        .thenCompose(
            body -> {
              ClaimRequestJson request = Json.read("body", body, ClaimRequestJson.class);
              EntryKey prefix = new EntryKey(region, Required.text("prefix", request.prefix()));
              String worker = Required.text("worker", request.worker());
              Duration lease = lease(request.leaseMs());
              int max = max(request.max());
              return replays.once(
                  call,
                  body,
                  () ->
                      callers
                          .withMount(
                              call,
                              mounted ->
                                  mounted.claim(prefix, worker, lease, max, call.writeOptions()))
                          .thenApply(
                              claims ->
                                  Answers.ok(
                                      new ClaimsJson(
                                          claims.stream().map(ClaimJson::of).toList()))));
            });
  }

  private CompletionStage<HttpResponse> renew(Call call) {
    Region region = call.region();
    return call.json(RenewJson.class)
        .thenCompose(
            request -> {
              EntryKey key = new EntryKey(region, Required.text("key", request.key()));
              long token = Required.number("token", request.token());
              Duration lease = lease(request.leaseMs());
              return callers.withMount(call, mounted -> mounted.renew(key, token, lease));
            })
        .thenApply(
            claim ->
                Answers.ok(
                    new RenewedJson(claim.entry().key().name(), claim.token(), claim.expiresAt())));
  }

  private CompletionStage<HttpResponse> release(Call call) {
    Region region = call.region();
    return call.json()
        .thenCompose(
            body -> {
              ReleaseJson request = Json.read("body", body, ReleaseJson.class);
              EntryKey key = new EntryKey(region, Required.text("key", request.key()));
              long token = Required.number("token", request.token());
              return replays.once(
                  call,
                  body,
                  () ->
                      callers
                          .withMount(call, mounted -> mounted.release(key, token))
                          .thenApply(done -> Answers.noContent()));
            });
  }

  private static Duration lease(Long millis) {
    long lease = Required.number("lease_ms", millis);
    if (lease < 1 || lease > Duration.ofHours(1).toMillis()) {
      throw MemSpaceException.invalid("lease_ms", lease, "1 to 3600000");
    }
    return Duration.ofMillis(lease);
  }

  private static int max(Long max) {
    if (max == null) {
      return 1;
    }
    if (max < 1 || max > CLAIMS_MAX) {
      throw MemSpaceException.invalid("max", max, "1 to " + CLAIMS_MAX);
    }
    return max.intValue();
  }
}
