package io.nucleusmem.agent;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.Published;
import io.nucleusmem.receipts.LifeCalls;
import io.nucleusmem.receipts.LifeLog;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.store.Bytes;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** The router as one life of an agent uses it: what it answers is recorded. */
final class RecordedRouter {
  private final String agent;
  private final String ofType; // owner of what any agent of the type may take
  private final Optional<RouterHook> router;
  private final LifeLog life;

  RecordedRouter(String agent, String type, Optional<RouterHook> router, LifeLog life) {
    this.agent = agent;
    this.ofType = "agent-type/" + type;
    this.router = router;
    this.life = life;
  }

  CompletionStage<Published> route(Content content) {
    return left(
        recorded(
            RouterCalls.ROUTE,
            RouterCalls.route(content),
            hook -> hook.route(AgentSpec.holder(agent), content),
            RouterCalls::reply));
  }

  CompletionStage<RegisteredRoute> offer(Route route, boolean all) {
    return recorded(
        RouterCalls.OFFER,
        RouterCalls.offer(route.name(), all, route.description(), route.examples()),
        hook -> hook.offer(all ? ofType : AgentSpec.holder(agent), route, Set.of()),
        RouterCalls::reply);
  }

  CompletionStage<Void> withdraw(String name) {
    return recorded(
        RouterCalls.WITHDRAW,
        RouterCalls.withdraw(name),
        hook -> hook.withdraw(List.of(AgentSpec.holder(agent), ofType), name),
        done -> Bytes.EMPTY);
  }

  CompletionStage<Published> handOver(List<MountInfo> held, HandOver handOver) {
    return left(
        recorded(
            RouterCalls.HAND_OVER,
            RouterCalls.handOver(handOver),
            hook -> hook.handOver(agent, held, handOver),
            RouterCalls::reply));
  }

  private <T> CompletionStage<T> left(CompletionStage<T> write) {
    life.underWay().write(life.current(), write);
    return write;
  }

  private <T> CompletionStage<T> recorded(
      String what,
      Bytes request,
      Function<RouterHook, CompletionStage<T>> call,
      Function<T, Bytes> reply) {
    LifeLog.Mark during = life.current();
    LifeCalls calls = life.calls();
    try {
      calls.asks(LifeCalls.ROUTER, what, during, request);
    } catch (MemSpaceException busy) {
      return CompletableFuture.failedStage(busy);
    }
    return life.effect(
            () ->
                router
                    .map(call)
                    .orElseGet(
                        () ->
                            CompletableFuture.failedStage(
                                new MemSpaceException(
                                    ErrorCode.UNAVAILABLE,
                                    "no router is configured on this node; send to an agent or"
                                        + " publish to a topic"))))
        .whenComplete(
            (done, failure) -> {
              if (failure == null) {
                calls.answered(LifeCalls.ROUTER, what, during, request, reply.apply(done), 0, 0);
              } else {
                calls.failed(LifeCalls.ROUTER, what, during, request, failure, 0);
              }
            });
  }
}
