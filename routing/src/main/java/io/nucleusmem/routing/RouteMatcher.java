package io.nucleusmem.routing;

/** Stage one of routing: ranks the routes for a text without asking a language model. Immutable. */
public interface RouteMatcher {
  /**
   * Ranks. Blocks for as long as the embedding takes: not to be called on an actor's thread.
   *
   * @param limit at most this many candidates; 1 to 32
   */
  Ranking rank(String text, int limit);
}
