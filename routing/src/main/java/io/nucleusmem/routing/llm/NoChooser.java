package io.nucleusmem.routing.llm;

import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.RouteChooser;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Where no model is configured. */
final class NoChooser implements RouteChooser {
  @Override
  public CompletionStage<Choice> choose(
      String text, Ranking.Verdict verdict, List<Option> options) {
    return CompletableFuture.failedStage(
        new ChooserException(
            ChooserException.Why.NOT_CONFIGURED,
            LlmSettings.PATH + ".provider is [none]; it must be openai or ollama to ask a model",
            null));
  }
}
