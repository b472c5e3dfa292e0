package io.nucleusmem.agent;

import io.nucleusmem.agent.AgentContext.Reply;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.receipts.Failures;
import io.nucleusmem.receipts.LifeCalls;
import io.nucleusmem.receipts.LifeLog;
import io.nucleusmem.receipts.LifeLog.Worked;
import io.nucleusmem.store.Bytes;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/**
 * Runs what may block, for one life of an agent. What it gives is recorded before the behavior has
 * it; that it was asked for is on disk before it runs.
 */
final class OutsideCalls {
  private final AgentNode node;
  private final LifeLog life;
  private final ClassLoader loader;

  /**
   * @param loader that knows the agent's classes
   */
  OutsideCalls(AgentNode node, LifeLog life, ClassLoader loader) {
    this.node = node;
    this.life = life;
    this.loader = loader;
  }

  /**
   * Something that was given.
   *
   * @param record to be called on the agent's thread before the behavior has it
   */
  record Given<T>(T result, Throwable failure, Runnable record) {}

  <T> CompletionStage<Given<T>> blocking(LifeLog.Mark asked, long ask, Callable<T> call) {
    return run(
        asked,
        call,
        () -> life.calls().asks(LifeCalls.BLOCKING, Long.toString(ask), asked, Bytes.EMPTY),
        done -> life.calls().worked(asked, ask, done, loader));
  }

  CompletionStage<Given<Reply>> call(
      LifeLog.Mark asked, String name, String request, Callable<Reply> call) {
    Bytes hashed = Bytes.utf8(request);
    long begun = System.nanoTime();
    return run(
        asked,
        call,
        () -> life.calls().asks(LifeCalls.CALL, name, asked, hashed),
        done -> answered(name, asked, hashed, done.result(), done.failure(), begun));
  }

  /** What steps ask for has records of its own; only that they did not run is one. */
  <T> CompletionStage<Given<T>> steps(LifeLog.Mark asked, long ask, Callable<T> steps) {
    boolean[] ran = new boolean[1];
    return run(
        asked,
        () -> {
          ran[0] = true;
          return steps.call();
        },
        () -> {},
        done -> {
          if (!ran[0]) {
            life.calls()
                .failed(LifeCalls.STEPS, Long.toString(ask), asked, Bytes.EMPTY, done.failure(), 0);
          }
        });
  }

  private <T> CompletionStage<Given<T>> run(
      LifeLog.Mark asked, Callable<T> call, Runnable asking, Consumer<Worked<T>> record) {
    if (!node.blockingCalls().tryAcquire()) {
      return CompletableFuture.completedStage(
          given(
              new Worked<>(
                  null,
                  new MemSpaceException(
                      ErrorCode.BUSY,
                      "[%d] blocking calls are under way or waiting on this node, as many as nucleusmem.agents.blocking-max allows; try again later"
                          .formatted(node.settings().blockingMax())),
                  false),
              record));
    }
    CompletionStage<Worked<T>> left;
    try {
      asking.run();
      left = life.effect(() -> execute(asked, call));
    } catch (MemSpaceException busy) {
      left = CompletableFuture.failedStage(busy);
    }
    // the place is free before the agent hears of it and asks for the next
    return left.handle(
        (done, failure) -> {
          node.blockingCalls().release();
          return given(
              failure == null ? done : new Worked<>(null, Failures.unwrap(failure), false), record);
        });
  }

  private static <T> Given<T> given(Worked<T> done, Consumer<Worked<T>> record) {
    return new Given<>(done.result(), Failures.unwrap(done.failure()), () -> record.accept(done));
  }

  private <T> CompletionStage<Worked<T>> execute(LifeLog.Mark asked, Callable<T> call) {
    CompletableFuture<Worked<T>> called = new CompletableFuture<>();
    try {
      node.blocking().execute(() -> called.complete(life.during(asked, call)));
    } catch (RejectedExecutionException stopping) {
      called.completeExceptionally(stopping);
    }
    return called;
  }

  /** A call inside of steps. */
  Reply callAndWait(String name, String request, Callable<Reply> call) {
    LifeLog.Mark asked = life.current();
    Bytes hashed = Bytes.utf8(request);
    life.calls().asks(LifeCalls.CALL, name, asked, hashed);
    // what was read is on disk before the call leaves
    life.effect(() -> CompletableFuture.completedFuture(null)).toCompletableFuture().join();
    long begun = System.nanoTime();
    try {
      Reply reply = call.call();
      answered(name, asked, hashed, reply, null, begun);
      return reply;
    } catch (RuntimeException failure) {
      answered(name, asked, hashed, null, failure, begun);
      throw failure;
    } catch (Exception failure) {
      answered(name, asked, hashed, null, failure, begun);
      throw new CompletionException(failure);
    }
  }

  private void answered(
      String name, LifeLog.Mark asked, Bytes request, Reply reply, Throwable failure, long begun) {
    long micros = (System.nanoTime() - begun) / 1_000;
    if (failure == null) {
      life.calls()
          .answered(
              LifeCalls.CALL,
              name,
              asked,
              request,
              Bytes.utf8(reply.text()),
              micros,
              reply.tokens());
    } else {
      life.calls().failed(LifeCalls.CALL, name, asked, request, failure, micros);
    }
  }
}
