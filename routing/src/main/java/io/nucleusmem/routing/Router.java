package io.nucleusmem.routing;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Decides where a message goes. Users plug in their own: for all messages ({@code
 * nucleusmem.routing.router}, {@link Routing#use}) or for those of one topic ({@link
 * Routing#hook}), and may replace it while the system runs.
 *
 * <p>A router has no state that it needs again: each node has its own, and any of them may be asked
 * for any message. One that is named by its class has a public constructor without parameters.
 */
public interface Router {
  /**
   * Decides. Called where it may block, by several threads at a time.
   *
   * @param standard the system's own router, for what this one leaves to it
   * @return an answer, one that names routes that there are not counts as none; if it fails or
   *     takes longer than {@code nucleusmem.routing.decision-timeout}, the standard router decides
   */
  CompletionStage<Answer> route(Query query, Router standard);

  /**
   * What is asked.
   *
   * @param text never blank; cut to {@code nucleusmem.routing.text-chars-max}
   * @param sender principal, or {@code agent/ID}
   * @param conversation that the message belongs to
   * @param previous the route of the conversation's last message
   * @param routes all that there are
   * @param limit of candidates, 1 to 32
   */
  record Query(
      String text,
      String sender,
      Optional<String> conversation,
      Optional<String> previous,
      List<RegisteredRoute> routes,
      int limit) {}

  /**
   * Where to.
   *
   * @param routes best first; empty: nowhere, the message is kept in the fallback topic
   * @param score of the first, from 0 to 1
   * @param candidates that were looked at, best first
   * @param reason one sentence for people
   */
  record Answer(
      List<String> routes,
      double score,
      Stage stage,
      List<Candidate> candidates,
      String reason,
      Optional<ModelCall> model) {
    public Answer {
      routes = List.copyOf(routes);
      candidates = List.copyOf(candidates);
    }

    /** To one route, without a model. */
    public static Answer to(
        String route, double score, Stage stage, List<Candidate> candidates, String reason) {
      return new Answer(List.of(route), score, stage, candidates, reason, Optional.empty());
    }

    /** Nowhere. */
    public static Answer nowhere(List<Candidate> candidates, String reason) {
      double best = candidates.isEmpty() ? 0 : candidates.get(0).score();
      return new Answer(List.of(), best, Stage.FALLBACK, candidates, reason, Optional.empty());
    }

    /** The first route. */
    public Optional<String> route() {
      return routes.isEmpty() ? Optional.empty() : Optional.of(routes.get(0));
    }
  }
}
