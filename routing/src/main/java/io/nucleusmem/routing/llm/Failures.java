package io.nucleusmem.routing.llm;

import com.fasterxml.jackson.core.JacksonException;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.ContentFilteredException;
import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.exception.UnresolvedModelServerException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import io.nucleusmem.routing.RouteChooser.ChooserException;
import io.nucleusmem.routing.RouteChooser.ChooserException.Why;
import java.io.IOException;
import java.net.http.HttpTimeoutException;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletionException;

/** What went wrong with a model, in the terms of an operator. */
final class Failures {
  private static final int MESSAGE_CHARS_MAX = 400;

  /** The model or its server is at fault, so that it is better left alone for a while. */
  private static final Set<Why> OF_THE_SERVER =
      EnumSet.of(Why.TIMED_OUT, Why.UNREACHABLE, Why.UNAUTHORIZED, Why.FAILED);

  private Failures() {}

  /** Whether another answer format might help. */
  static boolean mayBeTheFormat(RuntimeException failure) {
    return !(failure instanceof ContentFilteredException)
        && (failure instanceof InvalidRequestException
            || failure instanceof InternalServerException
            || failure instanceof UnsupportedFeatureException);
  }

  static boolean isOfTheServer(Throwable failure) {
    if (!(unwrapped(failure) instanceof ChooserException told)) {
      return true;
    }
    // our own budget may end before a retry; the server's own limit has a cause
    return told.why() == Why.OVER_BUDGET
        ? told.getCause() != null
        : OF_THE_SERVER.contains(told.why());
  }

  /** The server did its part, though the model's answer can't be used. */
  static boolean isAnAnswer(Throwable failure) {
    return unwrapped(failure) instanceof ChooserException told && told.why() == Why.MALFORMED;
  }

  /** The failure as callers are told; what they are told already stays as it is. */
  static ChooserException of(Throwable failure, LlmSettings.Server server) {
    Throwable cause = unwrapped(failure);
    if (cause instanceof ChooserException told) {
      return told;
    }
    Why why = why(cause);
    String what =
        switch (why) {
          case UNAUTHORIZED -> "refuses the key; check nucleusmem.routing.llm.api-key";
          case OVER_BUDGET -> "says that its own limit is reached";
          case TIMED_OUT -> "did not answer in time";
          case UNREACHABLE -> "can't be reached, or the connection broke";
          default -> "answered with an error";
        };
    return new ChooserException(
        why,
        "model [%s] at [%s] %s: %s"
            .formatted(server.model(), server.baseUrl(), what, words(cause, server)),
        tellsTheKey(cause, server)
            ? new IllegalStateException(cause.getClass().getName() + ", which repeats the key")
            : cause);
  }

  private static Why why(Throwable failure) {
    if (failure instanceof AuthenticationException) {
      return Why.UNAUTHORIZED;
    }
    if (failure instanceof RateLimitException) {
      return Why.OVER_BUDGET;
    }
    if (failure instanceof UnresolvedModelServerException) {
      return Why.UNREACHABLE;
    }
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof TimeoutException
          || cause instanceof HttpTimeoutException
          || cause instanceof java.util.concurrent.TimeoutException) {
        return Why.TIMED_OUT;
      }
    }
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      // bad JSON is an IOException too, but the server was reached
      if (cause instanceof IOException && !(cause instanceof JacksonException)) {
        return Why.UNREACHABLE;
      }
    }
    return Why.FAILED;
  }

  private static Throwable unwrapped(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? unwrapped(failure.getCause())
        : failure;
  }

  /** A cause is logged with its own words. */
  private static boolean tellsTheKey(Throwable failure, LlmSettings.Server server) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (!server.apiKey().isEmpty()
          && cause.getMessage() != null
          && cause.getMessage().contains(server.apiKey())) {
        return true;
      }
    }
    return false;
  }

  /** What the server said, never with the key: some repeat it. */
  private static String words(Throwable failure, LlmSettings.Server server) {
    String words = failure.getMessage() == null ? failure.toString() : failure.getMessage();
    if (!server.apiKey().isEmpty()) {
      words = words.replace(server.apiKey(), "***");
    }
    return Texts.head(Texts.visible(words), MESSAGE_CHARS_MAX);
  }
}
