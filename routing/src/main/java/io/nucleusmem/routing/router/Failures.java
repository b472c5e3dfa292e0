package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.MemSpaceException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;

/** What stages fail with. */
final class Failures {
  private static final int REASON_CHARS_MAX = 300; // a reason travels in metadata of 4 KiB

  private Failures() {}

  static Throwable unwrap(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** A failure in one line for people. */
  static String reason(Throwable failure) {
    Throwable cause = unwrap(failure);
    if (cause instanceof MemSpaceException refused) {
      return cut(refused.code().label() + ": " + refused.getMessage());
    }
    if (cause instanceof TimeoutException) {
      return "no answer in time";
    }
    return cut(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage());
  }

  static String cut(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ");
    return line.length() <= REASON_CHARS_MAX ? line : line.substring(0, REASON_CHARS_MAX) + "…";
  }

  /** A call that may also fail by throwing. */
  static <T> CompletionStage<T> attempt(Supplier<? extends CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (RuntimeException | LinkageError e) {
      return CompletableFuture.failedStage(e);
    }
  }

  /** Goes on after a failure, which is unwrapped. */
  static <T> CompletionStage<T> recover(
      CompletionStage<T> stage, Function<Throwable, CompletionStage<T>> other) {
    return stage.exceptionallyCompose(failure -> other.apply(unwrap(failure)));
  }
}
