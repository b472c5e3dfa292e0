package io.nucleusmem.agent;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.receipts.Answer;
import io.nucleusmem.receipts.LifeCalls;
import io.nucleusmem.receipts.Tape;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.store.Bytes;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;

/** The router in a rerun: it answers as it had, and does nothing. */
final class PlayedRouter {
  private final String agent;
  private final Tape tape;
  private final ClassLoader loader;

  PlayedRouter(String agent, Tape tape, ClassLoader loader) {
    this.agent = agent;
    this.tape = tape;
    this.loader = loader;
  }

  CompletionStage<Published> route(Content content) {
    return answered(
        RouterCalls.ROUTE,
        RouterCalls.route(content),
        RouterCalls::published,
        PlayedRouter::nowhere);
  }

  CompletionStage<RegisteredRoute> offer(Route route, boolean all) {
    return answered(
        RouterCalls.OFFER,
        RouterCalls.offer(route.name(), all, route.description(), route.examples()),
        reply -> RouterCalls.offered(reply, route),
        () ->
            new RegisteredRoute(route, AgentSpec.holder(agent), Set.of(), 0, Instant.EPOCH, false));
  }

  CompletionStage<Void> withdraw(String name) {
    return answered(RouterCalls.WITHDRAW, RouterCalls.withdraw(name), reply -> null, () -> null);
  }

  CompletionStage<Published> handOver(HandOver handOver) {
    return answered(
        RouterCalls.HAND_OVER,
        RouterCalls.handOver(handOver),
        RouterCalls::published,
        PlayedRouter::nowhere);
  }

  /** What was not sent then is sent nowhere now. */
  private static Published nowhere() {
    return new Published("", 0, 0, false);
  }

  private <T> CompletionStage<T> answered(
      String what, Bytes request, Function<Bytes, T> reply, Supplier<T> otherwise) {
    Answer then = tape.call(LifeCalls.ROUTER, what, request);
    switch (then.state()) {
      case GIVEN -> {
        return then.failed()
            ? CompletableFuture.failedStage(then.failure(loader))
            : CompletableFuture.completedStage(reply.apply(then.reply()));
      }
      case NEVER -> {
        return new CompletableFuture<>();
      }
      case LOST -> {
        return CompletableFuture.failedStage(
            new MemSpaceException(ErrorCode.UNAVAILABLE, then.text()));
      }
      default -> {
        if (tape.isOrdered()) {
          tape.diverged("it asked the router for another %s than it had".formatted(what));
        } else {
          tape.notPlayed(
              "what the router answered (%s): an older version has not recorded it"
                  .formatted(what));
        }
        return CompletableFuture.completedStage(otherwise.get());
      }
    }
  }
}
