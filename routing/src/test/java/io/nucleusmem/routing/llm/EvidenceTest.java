package io.nucleusmem.routing.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.nucleusmem.routing.Candidate;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Ranking.Verdict;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvidenceTest {
  private static final Question QUESTION =
      Question.of("x", Given.OPTIONS, Settings.with().prompt());

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0",
    "1, 0, 0",
    "5, 0, 0.30",
    "10, 0, 0.57",
    "18, 2, 0.48",
    "60, 40, 0.03",
    "50, 50, 0",
    "0, 20, 0"
  })
  void aWeightNeedsProof(int wins, int losses, double weight) {
    assertThat(new Evidence.Tally(wins, losses).weight(1, 1)).isCloseTo(weight, within(0.006));
  }

  @Test
  void onlyDifferingVotesOfWhichOneIsRightCount() {
    var sum = new Evidence.Sum();
    sum.add(trial(Verdict.AMBIGUOUS, "b"), vote("b")); // a win
    sum.add(trial(Verdict.AMBIGUOUS, "a"), vote("b")); // a loss
    sum.add(trial(Verdict.AMBIGUOUS, "c"), vote("b")); // both wrong
    sum.add(trial(Verdict.AMBIGUOUS, "a"), vote("a")); // agreed
    sum.add(trial(Verdict.AMBIGUOUS, "a"), Outcome.UNUSABLE);
    sum.add(trial(Verdict.AMBIGUOUS, ""), vote("")); // a win: it belongs nowhere
    sum.add(trial(Verdict.NOTHING, "b"), vote("b")); // a win
    sum.add(trial(Verdict.NOTHING, ""), vote("b")); // a loss

    Evidence evidence = sum.of(10, 0.5, 2);

    assertThat(evidence)
        .isEqualTo(
            new Evidence(
                10,
                8,
                1,
                4,
                4,
                Map.of(
                    Overruling.OTHER_ROUTE, new Evidence.Tally(1, 1),
                    Overruling.NO_ROUTE, new Evidence.Tally(1, 0),
                    Overruling.SOME_ROUTE, new Evidence.Tally(1, 1)),
                0.5,
                2));
  }

  @Test
  void eachKindOfVoteIsJudgedByTheShareOfMessagesThatIsWorseForIt() {
    var tallies =
        Map.of(
            Overruling.OTHER_ROUTE, new Evidence.Tally(18, 2),
            Overruling.NO_ROUTE, new Evidence.Tally(18, 2),
            Overruling.SOME_ROUTE, new Evidence.Tally(18, 2));
    var evidence = new Evidence(100, 100, 0, 0, 0, tallies, 0.2, 4);

    assertThat(evidence.weight(Overruling.OTHER_ROUTE)).isCloseTo(0.48, within(0.006));
    assertThat(evidence.weight(Overruling.NO_ROUTE)) // 3.6 of 5.6
        .isEqualTo(new Evidence.Tally(18, 10).weight(0.2, 0.2))
        .isZero();
    assertThat(evidence.weight(Overruling.SOME_ROUTE)) // 18 of 26, which proves what 4.5 of 6.5 do
        .isEqualTo(new Evidence.Tally(9, 4).weight(0.5, 0.5))
        .isZero();
  }

  private static Trial trial(Verdict verdict, String truth) {
    var ranking = new Ranking(List.of(new Candidate("a", 0.8), new Candidate("b", 0.7)), verdict);
    return new Trial("x", vote(truth).route(), ranking, QUESTION);
  }

  private static Outcome vote(String route) {
    return new Outcome(true, route.isEmpty() ? Optional.empty() : Optional.of(route));
  }
}
