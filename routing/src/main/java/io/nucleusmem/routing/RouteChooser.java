package io.nucleusmem.routing;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Stage two of routing: a language model chooses among the candidates of stage one. */
public interface RouteChooser {
  /**
   * Chooses. Never blocks, never waits without a limit.
   *
   * @param verdict of stage one: AMBIGUOUS or NOTHING; how far a model is trusted depends on what
   *     its vote would overrule
   * @param options the candidates with what is known of them, best first
   * @return fails with {@link ChooserException} where there is no answer that may be used
   */
  CompletionStage<Choice> choose(String text, Ranking.Verdict verdict, List<Option> options);

  /**
   * Tells of the routes as they are now, so that a model's trust can be measured on their examples,
   * in the background. To be called at start and after changes; returns at once.
   *
   * @param trainer makes stage one for some of the routes; called off the actors' threads
   */
  default void routesChanged(List<Route> routes, Function<List<Route>, RouteMatcher> trainer) {}

  /** A candidate as stage two sees it. */
  record Option(Route route, double score) {}

  /**
   * An answer that was checked.
   *
   * @param route one of the options, or empty: none of them fits
   * @param weight trust in this vote from 0 to 1, as measured on the routes' own examples
   * @param promptHash of what the model was sent at first, SHA-256 in hex
   * @param latencyMillis of all calls that this choice took
   * @param inputTokens of all calls; empty where the server does not tell
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
      /** No model is configured. */
      NOT_CONFIGURED,
      /** Measured, the model would not better what stage one says; or it is not measured yet. */
      NOT_TRUSTED,
      /** There is no text, or no candidate. */
      NOTHING_TO_ASK,
      /** The calls or tokens of this minute are spent, ours or the server's. */
      OVER_BUDGET,
      /** As many calls as may be are under way. */
      BUSY,
      /** The model failed several times in a row and is left alone for a while. */
      CIRCUIT_OPEN,
      /** No answer in time. */
      TIMED_OUT,
      /** No connection, or it broke. */
      UNREACHABLE,
      /** The server refuses the key. */
      UNAUTHORIZED,
      /** The server, or the model, answered with an error. */
      FAILED,
      /** The answer is not what was asked for, twice. */
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
