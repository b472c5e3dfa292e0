package io.nucleusmem.routing.llm;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * A checked answer and what it took.
 *
 * @param route empty: none of those that were offered
 * @param calls to the model, those that failed included
 * @param inputTokens of all calls; empty where the server does not tell
 */
record Vote(
    Optional<String> route,
    String reason,
    String model,
    int calls,
    long latencyMillis,
    OptionalInt inputTokens,
    OptionalInt outputTokens) {}
