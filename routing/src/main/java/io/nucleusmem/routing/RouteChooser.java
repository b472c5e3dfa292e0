package io.nucleusmem.routing;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;

/** Stage two of routing: a language model chooses among the candidates of stage one. */
public interface RouteChooser {
  /**
   * Chooses. Never blocks, never waits without a limit.
   *
   * @param options the candidates with what is known of them, best first
   * @return fails with {@link ChooserException} where there is no answer that may be used
   */
  CompletionStage<Choice> choose(String text, List<Option> options);

  /** A candidate as stage two sees it. */
  record Option(Route route, double score) {}

  /**
   * An answer that was checked.
   *
   * @param route one of the options, or empty: none of them fits
   * @param weight trust in the model's vote from 0 to 1, as measured on the routes' own examples
   * @param promptHash of what the model was sent
   */
  record Choice(
      Optional<String> route,
      String reason,
      double weight,
      String model,
      String promptHash,
      long latencyMillis,
      OptionalInt inputTokens,
      OptionalInt outputTokens) {}

  /** No usable answer: stage one decides alone. */
  final class ChooserException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Why why;

    /** The reason in the terms of an operator. */
    public enum Why {
      NOT_CONFIGURED,
      NOT_TRUSTED,
      OVER_BUDGET,
      CIRCUIT_OPEN,
      TIMED_OUT,
      UNREACHABLE,
      UNAUTHORIZED,
      MALFORMED
    }

    public ChooserException(Why why, String message, Throwable cause) {
      super(message, cause);
      this.why = why;
    }

    public Why why() {
      return why;
    }
  }
}
