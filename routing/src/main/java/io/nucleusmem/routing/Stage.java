package io.nucleusmem.routing;

import java.util.Locale;

/** What decided where a message goes. */
public enum Stage {
  /** The ranking of stage one, by embeddings. */
  EMBEDDING,
  /** A language model's vote, weighed against the ranking. */
  LLM,
  /** The conversation stays where it was. */
  STICKY,
  /** A router that users plugged in. */
  HOOK,
  /** An agent handed its conversation over. */
  HAND_OVER,
  /** No route: the message is kept in the fallback topic. */
  FALLBACK;

  /** The name in JSON. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
