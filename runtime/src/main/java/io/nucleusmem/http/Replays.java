package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Principal;
import io.nucleusmem.store.Bytes;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * First answers by {@code Idempotency-Key}, for calls that the memory API gives no request id: on
 * spaces, mounts, claims, subscriptions and agents. Writes of entries and messages do not come
 * here: their space remembers them durably. This memory is the node's own and bounded; a node that
 * was restarted executes such a call again, and these calls answer then what they answer to who
 * comes second.
 */
final class Replays {
  private record ReplayKey(Principal principal, String key) {}

  private record Answer(String request, HttpResponse response) {}

  /** A refusal is passed on to who shares the call, and not remembered. */
  private final Shared<ReplayKey, Answer> answers;

  Replays(HttpSettings settings) {
    this.answers =
        new Shared<>(
            Caffeine.newBuilder()
                .maximumSize(settings.replaysMax())
                .expireAfterWrite(settings.replayWindow())
                .build());
  }

  /**
   * Does something once per key.
   *
   * @param body what was sent, part of "the same request"
   */
  CompletionStage<HttpResponse> once(
      Call call, Bytes body, Supplier<CompletionStage<HttpResponse>> action) {
    Optional<String> key = call.idempotencyKey();
    if (key.isEmpty()) {
      return action.get();
    }
    String request =
        call.request().method().name() + " " + call.target() + " " + Digests.hex(body.shared());
    AtomicBoolean first = new AtomicBoolean();
    CompletableFuture<Answer> answer =
        answers.get(
            new ReplayKey(call.principal(), key.get()),
            () -> {
              first.set(true);
              return action.get().thenApply(response -> new Answer(request, response));
            });
    return answer.thenApply(
        found -> {
          if (!found.request().equals(request)) {
            throw new MemSpaceException(
                ErrorCode.IDEMPOTENCY_KEY_REUSED,
                "%s [%s] was used for another request; use a new one for each request"
                    .formatted(Headers.IDEMPOTENCY_KEY, key.get()));
          }
          return first.get() || found.response().getHeader(Headers.REPLAYED).isPresent()
              ? found.response()
              : found.response().addHeader(Headers.of(Headers.REPLAYED, "true"));
        });
  }
}
