package io.nucleusmem.routing;

/**
 * The call of a language model that a decision rests on.
 *
 * @param promptHash of what the model was sent
 * @param inputTokens null where the server did not tell; likewise outputTokens
 */
public record ModelCall(
    String model, String promptHash, long latencyMs, Integer inputTokens, Integer outputTokens) {

  /** Of an answer that was checked. */
  public static ModelCall of(RouteChooser.Choice choice) {
    return new ModelCall(
        choice.model(),
        choice.promptHash(),
        choice.latencyMillis(),
        choice.inputTokens().isPresent() ? choice.inputTokens().getAsInt() : null,
        choice.outputTokens().isPresent() ? choice.outputTokens().getAsInt() : null);
  }
}
