package io.nucleusmem.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.routing.DecisionRule.Decision;
import io.nucleusmem.routing.Ranking.Verdict;
import io.nucleusmem.routing.RouteChooser.Choice;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecisionRuleTest {
  private static final List<Candidate> CANDIDATES =
      List.of(new Candidate("a", 0.5), new Candidate("b", 0.375), new Candidate("c", 0.125));

  @ParameterizedTest
  @CsvSource({
    // verdict, vote, weight, decision, by the model
    "AMBIGUOUS, a, 1, a, false",
    "AMBIGUOUS, b, 0, a, false",
    "AMBIGUOUS, b, 0.19, a, false",
    "AMBIGUOUS, b, 0.2, b, true", // the example in DecisionRule
    "AMBIGUOUS, c, 0.42, a, false",
    "AMBIGUOUS, c, 0.43, c, true",
    "AMBIGUOUS, c, 1, c, true",
    "AMBIGUOUS, '', 0.19, a, false",
    "AMBIGUOUS, '', 0.2, '', true",
    "NOTHING, '', 1, '', false",
    "NOTHING, c, 0, '', false",
    "NOTHING, c, 0.2, c, true",
  })
  void aVoteIsWeighedAgainstTheLead(
      Verdict verdict, String vote, double weight, String route, boolean byModel) {
    assertThat(DecisionRule.decide(new Ranking(CANDIDATES, verdict), choice(vote, weight)))
        .isEqualTo(new Decision(named(route), byModel));
  }

  @Test
  void aWeightOfZeroLosesAgainstAnEqualScoreToo() {
    var equal = List.of(new Candidate("a", 0), new Candidate("b", 0));

    assertThat(DecisionRule.decide(new Ranking(equal, Verdict.AMBIGUOUS), choice("b", 0)))
        .isEqualTo(new Decision(Optional.of("a"), false));
  }

  @Test
  void stageOneAloneTakesItsFirst() {
    assertThat(DecisionRule.decide(new Ranking(CANDIDATES, Verdict.AMBIGUOUS)).route())
        .contains("a");
    assertThat(DecisionRule.decide(new Ranking(CANDIDATES, Verdict.NOTHING)).route()).isEmpty();
    assertThat(DecisionRule.decide(new Ranking(List.of(), Verdict.AMBIGUOUS)).route()).isEmpty();
  }

  private static Choice choice(String route, double weight) {
    return new Choice(
        named(route), "", weight, "m", "", 0, OptionalInt.empty(), OptionalInt.empty());
  }

  private static Optional<String> named(String route) {
    return route.isEmpty() ? Optional.empty() : Optional.of(route);
  }
}
