package io.nucleusmem.routing;

import io.nucleusmem.routing.RouteChooser.ChooserException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A stage two that is not there, or fails. */
public record NoChooser(ChooserException.Why why, String message) implements RouteChooser {
  /** None is configured. */
  public static final NoChooser NONE =
      new NoChooser(ChooserException.Why.NOT_CONFIGURED, "no language model is configured");

  @Override
  public CompletionStage<Choice> choose(
      String text, Ranking.Verdict verdict, List<Option> options) {
    return CompletableFuture.failedFuture(new ChooserException(why, message, null));
  }
}
