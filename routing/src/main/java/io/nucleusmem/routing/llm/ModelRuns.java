package io.nucleusmem.routing.llm;

import akka.actor.Cancellable;
import akka.actor.Scheduler;
import akka.pattern.CircuitBreaker;
import dev.langchain4j.model.chat.ChatModel;
import io.nucleusmem.routing.RouteChooser.ChooserException;
import io.nucleusmem.routing.RouteChooser.ChooserException.Why;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import scala.concurrent.ExecutionContext;

/**
 * Puts questions to a model without blocking the caller: so many at once, within the budget, each
 * for a limited time, none while the circuit is open.
 *
 * <p>A model that does not let itself be interrupted keeps its thread and its place among those
 * under way, until it returns; nobody waits for it.
 */
final class ModelRuns {
  private final ChatModel model;
  private final LlmSettings settings;
  private final Executor blocking;
  private final ExecutionContext timers;
  private final Scheduler scheduler;
  private final LongSupplier nanoTime;
  private final Semaphore places;
  private final MinuteBudget budget;
  private final FormatMemory formats;
  private final CircuitBreaker breaker;
  private final LongAdder calls = new LongAdder();
  private final AtomicBoolean probing =
      new AtomicBoolean(); // the one question of a half-open circuit

  /**
   * Makes it.
   *
   * @param blocking where calls wait; a thread for each of those under way
   * @param timers where time-outs are handled; never blocked
   */
  ModelRuns(
      ChatModel model,
      LlmSettings settings,
      Executor blocking,
      ExecutionContext timers,
      Scheduler scheduler,
      LongSupplier nanoTime) {
    this.model = model;
    this.settings = settings;
    this.blocking = blocking;
    this.timers = timers;
    this.scheduler = scheduler;
    this.nanoTime = nanoTime;
    this.places = new Semaphore(settings.callsInFlightMax());
    this.budget = new MinuteBudget(settings.budget(), nanoTime);
    this.formats = new FormatMemory(settings.strictAgainAfter(), nanoTime);
    this.breaker =
        new CircuitBreaker(
            timers,
            scheduler,
            settings.breaker().maxFailures(),
            settings.timeout(), // not used: the calls are timed here
            settings.breaker().resetTimeout());
  }

  /**
   * Asks.
   *
   * @param reserve share of the budget that has to remain for others
   * @return fails with {@link ChooserException} only
   */
  CompletionStage<Vote> ask(Question question, double reserve) {
    boolean probe = !breaker.isClosed();
    if (probe && (breaker.isOpen() || !probing.compareAndSet(false, true))) {
      return CompletableFuture.failedStage(circuitOpen());
    }
    if (!places.tryAcquire()) {
      return refused(probe, busy(null));
    }
    Optional<MinuteBudget.Spent> first =
        budget.take(Asking.tokens(question, settings.server()), reserve);
    if (first.isEmpty()) {
      places.release();
      return refused(probe, Asking.overBudget(settings.server()));
    }
    var asking =
        new Asking(
            model,
            settings.server(),
            formats,
            budget,
            first.get(),
            reserve,
            nanoTime,
            question,
            calls);
    return run(asking)
        .handle(
            (vote, failure) -> {
              ended(probe, failure);
              if (failure != null) {
                throw Failures.of(failure, settings.server());
              }
              return vote;
            });
  }

  /** To the model, since the start. */
  long calls() {
    return calls.sum();
  }

  private CompletionStage<Vote> refused(boolean probe, ChooserException why) {
    if (probe) {
      probing.set(false);
    }
    return CompletableFuture.failedStage(why);
  }

  /** Before the caller is told, so that the next call finds the circuit as it should be. */
  private void ended(boolean probe, Throwable failure) {
    if (failure == null || Failures.isAnAnswer(failure)) {
      breaker.succeed();
    } else if (Failures.isOfTheServer(failure)) {
      breaker.fail();
    }
    if (probe) {
      probing.set(false);
    }
  }

  private CompletionStage<Vote> run(Asking asking) {
    var result = new CompletableFuture<Vote>();
    var task = new FutureTask<>(asking);
    Cancellable timeout =
        scheduler.scheduleOnce(settings.timeout(), () -> giveUp(task, result), timers);
    try {
      blocking.execute(() -> work(task, result, timeout));
    } catch (RejectedExecutionException e) {
      timeout.cancel();
      places.release();
      result.completeExceptionally(busy(e));
    }
    return result;
  }

  private void work(FutureTask<Vote> task, CompletableFuture<Vote> result, Cancellable timeout) {
    try {
      task.run();
    } finally {
      Thread.interrupted(); // meant for the task that has just ended
      places.release();
      timeout.cancel();
    }
    try {
      result.complete(task.get());
    } catch (ExecutionException e) {
      result.completeExceptionally(e.getCause());
    } catch (CancellationException e) {
      result.completeExceptionally(timedOut()); // in vain: whoever cancelled has told
    } catch (InterruptedException e) {
      throw new IllegalStateException("a task that has ended was waited for", e);
    }
  }

  private void giveUp(FutureTask<Vote> task, CompletableFuture<Vote> result) {
    if (task.cancel(true)) {
      result.completeExceptionally(timedOut());
    }
  }

  private ChooserException timedOut() {
    return new ChooserException(
        Why.TIMED_OUT,
        "model [%s] at [%s] had no answer within [%d] ms"
            .formatted(
                settings.server().model(),
                settings.server().baseUrl(),
                settings.timeout().toMillis()),
        null);
  }

  private ChooserException busy(Throwable cause) {
    return new ChooserException(
        Why.BUSY,
        "[%d] questions to model [%s] are under way, as many as may be"
            .formatted(settings.callsInFlightMax(), settings.server().model()),
        cause);
  }

  private ChooserException circuitOpen() {
    return new ChooserException(
        Why.CIRCUIT_OPEN,
        "model [%s] failed several times in a row; it is left alone for [%d] ms, then tried once"
            .formatted(settings.server().model(), settings.breaker().resetTimeout().toMillis()),
        null);
  }
}
