package io.nucleusmem.cli.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.routing.Ranking.Verdict;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FiguresTest {
  @Test
  void accuracyConfusionsAndLatencies() {
    var figures =
        new Figures(
            List.of(
                outcome("a", "a", 0.9), outcome("a", "b", 0.5),
                outcome("a", "b", 0.4), outcome("c", "a", 0.3)));
    assertThat(figures.accuracy()).isEqualTo(0.25);
    assertThat(figures.oosRecall()).as("0.80 is out of reach").isNaN();
    assertThat(figures.confusions())
        .containsExactly(new Figures.Confusion("a", "b", 2), new Figures.Confusion("c", "a", 1));
    assertThat(figures.latencyMillis(0.5)).isEqualTo(1);
  }

  @Test
  void outOfScopeRecallIsTakenWhereFourOfFiveAreStillRight() {
    List<Figures.Outcome> outcomes = new ArrayList<>();
    for (int i = 1; i <= 10; i++) {
      outcomes.add(outcome("a", "a", i / 10.0));
    }
    // with the threshold at 0.3, eight of ten are right
    outcomes.add(outcome(null, "a", 0.29));
    outcomes.add(outcome(null, "a", 0.10));
    outcomes.add(outcome(null, "a", 0.30));
    outcomes.add(outcome(null, "a", 0.95));
    var figures = new Figures(outcomes);
    assertThat(figures.accuracy()).isEqualTo(1);
    assertThat(figures.oosRecall()).isEqualTo(0.5);
    assertThat(figures.curve().get(0)).isEqualTo(new Figures.Point(0, 1, 10 / 14.0, 0));
    assertThat(figures.curve()).last().isEqualTo(new Figures.Point(1, 0.1, 1, 1));
  }

  @Test
  void whatDoesNotExistIsNoNumber() {
    var figures = new Figures(List.of(outcome(null, "a", 0.5)));
    assertThat(figures.accuracy()).isNaN();
    assertThat(figures.oosRecall()).isNaN();
    assertThat(new Figures(List.of()).latencyMillis(0.5)).isNaN();
  }

  private static Figures.Outcome outcome(String truth, String best, double score) {
    return new Figures.Outcome(truth, best, score, Verdict.CLEAR, 1_000_000);
  }
}
