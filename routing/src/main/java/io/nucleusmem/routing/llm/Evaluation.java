package io.nucleusmem.routing.llm;

import io.nucleusmem.routing.DecisionRule;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.RouteChooser.ChooserException.Why;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * What a model adds to stage one on texts whose routes are known: each is decided without and with
 * it. Blocks; not safe for several threads.
 */
public final class Evaluation {
  private final BothStages stages;
  private final int underWayMax;

  private final Deque<UnderWay> underWay = new ArrayDeque<>();
  private final List<Long> latencies = new ArrayList<>();
  private final Map<Why, Integer> notAnswered = new EnumMap<>(Why.class);
  private final Counts known = new Counts();
  private final Counts nowhere = new Counts();
  private int answered;
  private int mended;
  private int spoiled;

  private record UnderWay(
      Optional<String> truth,
      Optional<String> alone,
      CompletableFuture<BothStages.Result> result) {}

  private static final class Counts {
    private int texts;
    private int alone;
    private int together;

    private Shares shares() {
      return new Shares(texts, share(alone), share(together));
    }

    private double share(int right) {
      return texts == 0 ? Double.NaN : (double) right / texts;
    }
  }

  /**
   * Shares of texts that get where they belong, from 0 to 1; NaN without texts.
   *
   * @param alone by stage one
   * @param together by both stages
   */
  public record Shares(int texts, double alone, double together) {}

  /**
   * What came of it.
   *
   * @param known texts that belong to a route
   * @param nowhere texts that belong to none: right is no route
   * @param answered texts for which the model gave an answer that could be used
   * @param notAnswered texts in doubt without one, by reason
   * @param mended wrong alone, right together
   * @param spoiled right alone, wrong together
   * @param latencyMillisP50 of the answers; 0 without any
   */
  public record Report(
      Shares known,
      Shares nowhere,
      int answered,
      Map<Why, Integer> notAnswered,
      int mended,
      int spoiled,
      long latencyMillisP50,
      long latencyMillisP99) {}

  /**
   * Starts one.
   *
   * @param underWayMax texts at once; no more than {@code calls-in-flight-max}, or some are not
   *     answered because the model is BUSY
   */
  public Evaluation(BothStages stages, int underWayMax) {
    this.stages = stages;
    this.underWayMax = underWayMax;
  }

  /**
   * Has a text decided.
   *
   * @param truth the route it belongs to; empty if it belongs to none
   */
  public void add(String text, Optional<String> truth, Ranking ranking) {
    while (underWay.size() >= underWayMax) {
      finishOne();
    }
    underWay.addLast(
        new UnderWay(
            truth,
            DecisionRule.decide(ranking).route(),
            stages.decide(text, ranking).toCompletableFuture()));
  }

  /** Waits for what is under way and sums up. */
  public Report report() {
    while (!underWay.isEmpty()) {
      finishOne();
    }
    latencies.sort(null);
    return new Report(
        known.shares(),
        nowhere.shares(),
        answered,
        Map.copyOf(notAnswered),
        mended,
        spoiled,
        latency(0.5),
        latency(0.99));
  }

  private void finishOne() {
    UnderWay text = underWay.removeFirst();
    BothStages.Result result = text.result().join();
    boolean alone = text.alone().equals(text.truth());
    boolean together = result.decision().route().equals(text.truth());
    Counts counts = text.truth().isPresent() ? known : nowhere;
    counts.texts++;
    counts.alone += alone ? 1 : 0;
    counts.together += together ? 1 : 0;
    mended += together && !alone ? 1 : 0;
    spoiled += alone && !together ? 1 : 0;
    result
        .choice()
        .ifPresent(
            choice -> {
              answered++;
              latencies.add(choice.latencyMillis());
            });
    result.failure().ifPresent(failure -> notAnswered.merge(failure.why(), 1, Integer::sum));
  }

  private long latency(double share) {
    return latencies.isEmpty() ? 0 : latencies.get((int) Math.ceil(share * latencies.size()) - 1);
  }
}
