package io.nucleusmem.routing.router;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.routing.Router.Answer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/**
 * A node's router: takes questions into a bounded queue and has them answered, so many at a time,
 * away from its own thread. It knows nothing of routes; what a question needs it brings along.
 *
 * <p>A question holds a worker while it computes, not while it waits for a language model, and its
 * place in the queue until it is answered.
 */
final class RouterActor extends AbstractBehavior<RouterActor.Message> {
  private final ActorRef<Message> self;
  private final RoutingSettings settings;
  private final Executor executor;
  private final Queue<Ask> queue = new ArrayDeque<>(); // at most queueMax
  private int open; // asked and not answered, the queue included
  private int computing;

  /** What the router is told. */
  sealed interface Message {}

  /**
   * A question.
   *
   * @param compute where it may block; its stage completes, in the end, whatever happens
   */
  record Ask(Supplier<CompletionStage<Answer>> compute, CompletableFuture<Answer> answer)
      implements Message {}

  /** A worker is free. */
  record Computed() implements Message {}

  record Answered() implements Message {}

  private RouterActor(ActorContext<Message> context, RoutingSettings settings, Executor executor) {
    super(context);
    this.self = context.getSelf();
    this.settings = settings;
    this.executor = executor;
  }

  /**
   * The router.
   *
   * @param executor where questions are computed
   */
  static Behavior<Message> create(RoutingSettings settings, Executor executor) {
    return Behaviors.setup(context -> new RouterActor(context, settings, executor));
  }

  @Override
  public Receive<Message> createReceive() {
    return newReceiveBuilder()
        .onMessage(Ask.class, this::onAsk)
        .onMessage(Computed.class, this::onComputed)
        .onMessage(Answered.class, this::onAnswered)
        .build();
  }

  private Behavior<Message> onAsk(Ask ask) {
    if (open >= settings.queueMax()) {
      ask.answer()
          .completeExceptionally(
              new MemSpaceException(
                  ErrorCode.BUSY,
                  "[%d] messages wait for a decision on this node, as many as %s.queue-max allows; try again later"
                      .formatted(open, RoutingSettings.PATH)));
      return this;
    }
    open++;
    queue.add(ask);
    work();
    return this;
  }

  private void work() {
    while (computing < settings.workers() && !queue.isEmpty()) {
      Ask ask = queue.remove();
      computing++;
      try {
        executor.execute(() -> compute(ask));
      } catch (RejectedExecutionException e) {
        computing--;
        open--;
        ask.answer().completeExceptionally(e);
      }
    }
  }

  /** On a thread of the executor. */
  private void compute(Ask ask) {
    CompletionStage<Answer> answer = Failures.attempt(ask.compute());
    self.tell(new Computed());
    answer.whenComplete(
        (value, failure) -> {
          self.tell(new Answered());
          if (failure == null) {
            ask.answer().complete(value);
          } else {
            ask.answer().completeExceptionally(Failures.unwrap(failure));
          }
        });
  }

  private Behavior<Message> onComputed(Computed computed) {
    computing--;
    work();
    return this;
  }

  private Behavior<Message> onAnswered(Answered answered) {
    open--;
    return this;
  }
}
