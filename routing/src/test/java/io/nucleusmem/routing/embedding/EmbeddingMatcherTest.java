package io.nucleusmem.routing.embedding;

import static io.nucleusmem.routing.embedding.ScriptedEmbeddings.along;
import static io.nucleusmem.routing.embedding.ScriptedEmbeddings.route;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.nucleusmem.routing.Candidate;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Ranking.Verdict;
import io.nucleusmem.routing.Route;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddingMatcherTest {
  private final TextEmbeddings embeddings = ScriptedEmbeddings.embeddings();

  @Test
  void whatLiesAmongARoutesExamplesIsClear() {
    EmbeddingMatcher matcher = train(routes(12, 8));
    for (int axis = 0; axis < 12; axis++) {
      Ranking ranking = matcher.rank(axis + ":999", 5);
      assertThat(ranking.candidates()).hasSize(5);
      assertThat(best(ranking)).isEqualTo("r%02d".formatted(axis));
      assertThat(ranking.verdict()).isEqualTo(Verdict.CLEAR);
    }
  }

  @Test
  void whatLiesBetweenTwoRoutesIsAmbiguous() {
    Ranking ranking = train(routes(12, 8)).rank("3+7:999", 5);
    assertThat(ranking.candidates().subList(0, 2))
        .extracting(Candidate::route)
        .containsExactlyInAnyOrder("r03", "r07");
    assertThat(ranking.candidates().get(0).score()).isBetween(0.2, 0.9);
    assertThat(ranking.candidates().get(1).score()).isGreaterThan(0.1);
  }

  @Test
  void whatLiesFarFromAllRoutesFitsNothing() {
    Ranking ranking = train(routes(12, 8)).rank("far away", 5);
    assertThat(ranking.verdict()).isEqualTo(Verdict.NOTHING);
    assertThat(ranking.candidates().get(0).score()).isLessThan(0.2);
  }

  @Test
  void scoresAreProbabilitiesBestFirst() {
    for (String text : List.of("1:99", "2+3:99", "far away")) {
      List<Candidate> candidates = train(routes(40, 5)).rank(text, 32).candidates();
      assertThat(candidates).hasSize(32).doesNotHaveDuplicates();
      assertThat(candidates).extracting(Candidate::score).allMatch(s -> s >= 0 && s <= 1);
      assertThat(candidates).isSortedAccordingTo((a, b) -> Double.compare(b.score(), a.score()));
      assertThat(
              candidates.stream().limit(Field.CONTENDERS_MAX).mapToDouble(Candidate::score).sum())
          .isLessThanOrEqualTo(1.00001);
    }
  }

  @Test
  void equalRoutesAreOrderedByName() {
    List<Route> twins =
        List.of(route("b", "", "1:1", "1:2"), route("a", "", "1:1", "1:2"), along("c", 9, 2));
    assertThat(train(twins).rank("1:7", 2).candidates())
        .extracting(Candidate::route)
        .containsExactly("a", "b");
  }

  @Test
  void oneRouteWithADescriptionAloneIsEnough() {
    EmbeddingMatcher matcher = train(List.of(route("only", "4:0")));
    assertThat(matcher.rank("4:1", 5).verdict()).isNotEqualTo(Verdict.NOTHING);
    assertThat(best(matcher.rank("4:1", 5))).isEqualTo("only");
    assertThat(matcher.rank("9:1", 5).verdict()).isEqualTo(Verdict.NOTHING);
  }

  @Test
  void descriptionsTellRoutesApartBeforeThereAreExamples() {
    EmbeddingMatcher matcher = train(List.of(route("one", "1:0"), route("two", "2:0")));
    assertThat(best(matcher.rank("1:5", 5))).isEqualTo("one");
    assertThat(best(matcher.rank("2:5", 5))).isEqualTo("two");
  }

  @Test
  void withoutRoutesNothingFits() {
    assertThat(train(List.of()).rank("1:1", 5)).isEqualTo(new Ranking(List.of(), Verdict.NOTHING));
    assertThat(best(train(List.of()).with(along("r", 1, 3)).rank("1:9", 5))).isEqualTo("r");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void aMatcherThatGrewIsTheOneThatWasTrainedAtOnce(long seed) {
    Random random = new Random(seed);
    List<Route> routes = new ArrayList<>(routes(25, 4));
    Collections.shuffle(routes, random);
    EmbeddingMatcher grown = train(routes.subList(0, 5));
    for (Route route : routes.subList(5, routes.size())) {
      grown = grown.with(along("passing", random.nextInt(25), 3)).with(route).without("passing");
    }
    // one is changed: other examples under the same name
    grown = grown.with(along("r03", 30, 6));
    List<Route> now = new ArrayList<>(routes);
    now.removeIf(route -> route.name().equals("r03"));
    now.add(along("r03", 30, 6));

    EmbeddingMatcher atOnce = train(now);
    assertThat(grown.clearFrom()).isEqualTo(atOnce.clearFrom());
    assertThat(grown.nothingBelow()).isEqualTo(atOnce.nothingBelow());
    for (int i = 0; i < 60; i++) {
      String text = "%d+%d:%d".formatted(random.nextInt(32), random.nextInt(32), i);
      assertThat(grown.rank(text, 10))
          .as("seed %d, %s", seed, text)
          .isEqualTo(atOnce.rank(text, 10));
    }
  }

  @Test
  void aWithdrawnRouteIsGoneAndAnUnknownOneChangesNothing() {
    EmbeddingMatcher matcher = train(routes(5, 4));
    EmbeddingMatcher less = matcher.without("r02");
    assertThat(less.rank("2:99", 5).candidates())
        .extracting(Candidate::route)
        .doesNotContain("r02")
        .hasSize(4);
    assertThat(best(matcher.rank("2:99", 5))).as("the old matcher still has it").isEqualTo("r02");
    assertThat(matcher.without("never")).isSameAs(matcher);
  }

  @Test
  void aThousandRoutesAreToldApart() {
    List<Route> routes = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      routes.add(route("r%04d".formatted(i), "", "%d+%d:1".formatted(i % 32, 32 + i / 32)));
    }
    EmbeddingMatcher matcher = train(routes);
    for (int i = 0; i < 1_000; i += 97) {
      assertThat(best(matcher.rank("%d+%d:2".formatted(i % 32, 32 + i / 32), 3)))
          .isEqualTo("r%04d".formatted(i));
    }
  }

  @Test
  void ofVeryManyExamplesSomeAreEnough() {
    EmbeddingMatcher matcher = train(List.of(along("many", 1, 500), along("few", 2, 2)));
    assertThat(best(matcher.rank("1:999", 2))).isEqualTo("many");
    assertThat(best(matcher.rank("2:999", 2))).isEqualTo("few");
  }

  @Test
  void sharedWordsDecideWhereVectorsDoNot() {
    // all texts without an axis have the same vector
    EmbeddingMatcher matcher =
        train(
            List.of(
                route("tea", "", "green tea", "black tea"),
                route("beer", "", "dark beer", "pale beer")));
    assertThat(best(matcher.rank("some beer please", 2))).isEqualTo("beer");
    assertThat(best(matcher.rank("some tea please", 2))).isEqualTo("tea");
  }

  @Test
  void whatCannotBeIsRefusedWithItsName() {
    assertThatThrownBy(() -> train(List.of(route("mute", " "))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[mute]");
    assertThatThrownBy(() -> train(List.of(along("twice", 1, 1), along("twice", 2, 1))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[twice]");
    EmbeddingMatcher matcher = train(routes(2, 2));
    assertThatThrownBy(() -> matcher.rank(" ", 5)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> matcher.rank("1:1", 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> matcher.rank("1:1", 33)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aTextOfAHundredKilobytesIsRankedByItsEnds() {
    Ranking ranking = train(routes(5, 4)).rank("long ".repeat(20_000), 3);
    assertThat(ranking.candidates()).hasSize(3);
    assertThat(ranking.verdict()).isEqualTo(Verdict.NOTHING);
  }

  @Test
  void leavingOutByTheClosedFormIsLeavingOut() {
    RouteProfile a = RouteProfile.of(along("a", 1, 5), embeddings);
    RouteProfile b = RouteProfile.of(route("b", "", "1+2:1", "1+2:2", "1+2:3"), embeddings);
    PairModel all = PairModel.of(a, b);
    for (int i = 0; i < 5; i++) {
      List<String> others = new ArrayList<>();
      for (int j = 0; j < 5; j++) {
        if (j != i) {
          others.add("1:" + j);
        }
      }
      RouteProfile less =
          RouteProfile.of(route("a", "", others.toArray(new String[0])), embeddings);
      Query query = Query.of(a.exemplars().get(i));
      double expected =
          PairModel.of(less, b).decide(less.similarities(query), b.similarities(query));
      assertThat(all.decideLeftOut(true, i)).isCloseTo(expected, within(1e-4));
    }
  }

  @Test
  void theTrainerChangesWhatChanged() {
    var trainer = new EmbeddingTrainer(embeddings);
    List<Route> were = routes(8, 4);
    var before = trainer.train(were);
    List<Route> now = new ArrayList<>(were.subList(1, 8));
    now.add(along("new", 20, 4));
    var after = trainer.retrain(before, were, now);
    assertThat(after.rank("20:9", 8)).isEqualTo(trainer.train(now).rank("20:9", 8));
    assertThat(after.rank("0:9", 8)).isEqualTo(trainer.train(now).rank("0:9", 8));
    assertThat(trainer.retrain((text, limit) -> null, were, now).rank("20:9", 8))
        .isEqualTo(after.rank("20:9", 8));
  }

  private EmbeddingMatcher train(List<Route> routes) {
    return EmbeddingMatcher.train(embeddings, routes);
  }

  private static List<Route> routes(int count, int examples) {
    return IntStream.range(0, count)
        .mapToObj(axis -> along("r%02d".formatted(axis), axis, examples))
        .toList();
  }

  private static String best(Ranking ranking) {
    return ranking.candidates().get(0).route();
  }
}
