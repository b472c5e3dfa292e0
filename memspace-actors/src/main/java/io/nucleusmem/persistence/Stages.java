package io.nucleusmem.persistence;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import scala.concurrent.Future;
import scala.jdk.javaapi.FutureConverters;

/** What {@link CompletionStage} lacks. */
final class Stages {
  private Stages() {}

  /** Completes with nothing. */
  static CompletionStage<Void> done() {
    return CompletableFuture.completedFuture(null);
  }

  /** Completes with a value. */
  static <T> CompletionStage<T> value(T value) {
    return CompletableFuture.completedFuture(value);
  }

  /** Runs a step; what it throws fails the stage. */
  static <T> CompletionStage<T> attempt(Supplier<CompletionStage<T>> step) {
    try {
      return step.get();
    } catch (RuntimeException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  /**
   * Runs a step again and again, one after the other, until it says false or fails. Steps that
   * complete at once do not grow the stack.
   */
  static CompletionStage<Void> repeat(Supplier<CompletionStage<Boolean>> step) {
    var ended = new CompletableFuture<Void>();
    repeat(step, ended);
    return ended;
  }

  private static void repeat(
      Supplier<CompletionStage<Boolean>> step, CompletableFuture<Void> ended) {
    while (true) {
      CompletableFuture<Boolean> stage = attempt(step).toCompletableFuture();
      if (!stage.isDone()) {
        stage.whenComplete(
            (again, failure) -> {
              if (goesOn(again, failure, ended)) {
                repeat(step, ended);
              }
            });
        return;
      }
      boolean again = stage.handle((value, failure) -> goesOn(value, failure, ended)).join();
      if (!again) {
        return;
      }
    }
  }

  private static boolean goesOn(Boolean again, Throwable failure, CompletableFuture<Void> ended) {
    if (failure != null) {
      ended.completeExceptionally(cause(failure));
      return false;
    }
    if (!again) {
      ended.complete(null);
    }
    return again;
  }

  /** As Scala's future, failed by the cause itself and not by a wrapper of it. */
  static <T> Future<T> toScala(CompletionStage<T> stage) {
    return FutureConverters.asScala(unwrapped(stage));
  }

  /** The same, but a failure is the cause itself and not a wrapper of it. */
  static <T> CompletionStage<T> unwrapped(CompletionStage<T> stage) {
    var plain = new CompletableFuture<T>();
    stage.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            plain.complete(value);
          } else {
            plain.completeExceptionally(cause(failure));
          }
        });
    return plain;
  }

  /** Replaces a failure by what the handler returns or throws. */
  static <T> CompletionStage<T> recover(
      CompletionStage<T> stage, Function<Throwable, CompletionStage<T>> handler) {
    return stage
        .<CompletionStage<T>>handle(
            (value, failure) ->
                failure == null
                    ? CompletableFuture.completedStage(value)
                    : handler.apply(cause(failure)))
        .thenCompose(Function.identity());
  }

  /** The failure that a stage's wrappers hide. */
  static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }
}
