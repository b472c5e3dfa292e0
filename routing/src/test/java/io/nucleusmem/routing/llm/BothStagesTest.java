package io.nucleusmem.routing.llm;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import com.typesafe.config.Config;
import io.nucleusmem.routing.Candidate;
import io.nucleusmem.routing.DecisionRule.Decision;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Ranking.Verdict;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser.ChooserException.Why;
import io.nucleusmem.routing.RouteMatcher;
import io.nucleusmem.routing.llm.ScriptedServer.Reply;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** As a user has it: built from configuration, over HTTP, measured, then used. */
class BothStagesTest {
  private static final ActorTestKit testKit = ActorTestKit.create(Settings.config());

  private static final List<Route> ROUTES =
      IntStream.range(0, 8)
          .mapToObj(
              r ->
                  Given.route(
                      "route" + r,
                      "",
                      IntStream.range(0, 6)
                          .mapToObj(e -> "route%d %d".formatted(r, e))
                          .toArray(String[]::new)))
          .toList();

  @AfterAll
  static void stop() {
    testKit.shutdownTestKit();
  }

  @Test
  void aModelThatProvedBetterOverrulesTheEmbeddings() throws Exception {
    try (var server = new ScriptedServer(BothStagesTest::right)) {
      try (var chooser =
          (LlmChooser) LlmChooser.fromConfig(config(server.openAiUrl()), testKit.system())) {
        var stages = new BothStages(chooser, ROUTES);
        assertThat(result(stages, "route3 9").failure().orElseThrow().why())
            .isEqualTo(Why.NOT_TRUSTED);
        assertThat(result(stages, "route3 9").decision().route()).contains("route0");

        chooser
            .measure(ROUTES, BothStagesTest::secondBest)
            .toCompletableFuture()
            .get(60, TimeUnit.SECONDS);
        long measuring = chooser.calls();
        assertThat(measuring).isEqualTo(server.requests().size()).isGreaterThan(20);

        BothStages.Result result = result(stages, "route3 9");
        assertThat(result.decision()).isEqualTo(new Decision(Optional.of("route3"), true));
        assertThat(result.choice().orElseThrow().model()).isEqualTo("scripted");
        assertThat(chooser.calls()).isEqualTo(measuring + 1);
      }
    }
  }

  @Test
  void whatIsClearIsNotAsked() throws Exception {
    try (var server = new ScriptedServer(BothStagesTest::right)) {
      var chooser =
          LlmChooser.fromConfig(
              Settings.config("base-url = \"" + server.openAiUrl() + "\""), testKit.system());
      var ranking = new Ranking(secondBest(ROUTES).rank("route3 9", 5).candidates(), Verdict.CLEAR);

      BothStages.Result result =
          new BothStages(chooser, ROUTES)
              .decide("route3 9", ranking)
              .toCompletableFuture()
              .get(60, TimeUnit.SECONDS);

      assertThat(result)
          .isEqualTo(
              new BothStages.Result(
                  new Decision(Optional.of("route0"), false), Optional.empty(), Optional.empty()));
      assertThat(server.requests()).isEmpty();
    }
  }

  @Test
  void anEvaluationTellsWhatTheModelMendsAndSpoils() throws Exception {
    // knows all routes but route5, which it takes for nothing
    try (var server =
        new ScriptedServer(
            request ->
                request.lastWords().contains("\"message\":\"route5")
                    ? Reply.words(request, ScriptedModel.choice("none"))
                    : right(request))) {
      var chooser =
          LlmChooser.fromConfig(
              Settings.config("base-url = \"" + server.openAiUrl() + "\""), testKit.system());
      var evaluation = new Evaluation(new BothStages(chooser, ROUTES), 4);
      RouteMatcher matcher = secondBest(ROUTES);

      for (int r = 0; r < 8; r++) {
        String text = "route%d 9".formatted(r);
        evaluation.add(text, Optional.of("route" + r), matcher.rank(text, 5));
      }
      evaluation.add("route9 0", Optional.empty(), matcher.rank("route9 0", 5));
      var clear = new Ranking(matcher.rank("route0 0", 5).candidates(), Verdict.CLEAR);
      evaluation.add("route0 0", Optional.of("route0"), clear);
      evaluation.add(" ", Optional.empty(), new Ranking(List.of(), Verdict.NOTHING));
      Evaluation.Report report = evaluation.report();

      assertThat(report.known()).isEqualTo(new Evaluation.Shares(9, 2 / 9.0, 8 / 9.0));
      assertThat(report.nowhere()).isEqualTo(new Evaluation.Shares(2, 0.5, 1));
      assertThat(report.answered()).isEqualTo(9);
      assertThat(report.notAnswered()).isEqualTo(Map.of(Why.NOTHING_TO_ASK, 1));
      assertThat(report.mended()).isEqualTo(7);
      assertThat(report.spoiled()).isZero();
      assertThat(report.latencyMillisP99()).isGreaterThanOrEqualTo(report.latencyMillisP50());
    }
  }

  private static Config config(String url) {
    return Settings.config(
        "base-url = \"" + url + "\"",
        "trust.weight = measured",
        "trust.reserve = 0",
        "budget.calls-per-minute = 10000");
  }

  private static BothStages.Result result(BothStages stages, String text) throws Exception {
    return stages
        .decide(text, secondBest(ROUTES).rank(text, 5))
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }

  /** The right route stands behind route0, and is never sure. */
  private static RouteMatcher secondBest(List<Route> routes) {
    return (text, limit) ->
        new Ranking(
            IntStream.of(0, Character.digit(text.charAt(5), 10), 6, 7)
                .distinct()
                .mapToObj(r -> new Candidate("route" + r, 0.5))
                .filter(c -> routes.stream().anyMatch(route -> route.name().equals(c.route())))
                .toList(),
            Verdict.AMBIGUOUS);
  }

  private static Reply right(ScriptedServer.Request request) {
    String words = request.lastWords();
    String text = words.substring(words.indexOf("{\"message\":\"") + 12);
    String label =
        words
            .lines()
            .filter(line -> line.contains("\"about\":\"" + text.substring(0, 6) + "\""))
            .map(line -> line.substring(10, 11))
            .findFirst()
            .orElse("none");
    return Reply.words(request, ScriptedModel.choice(label));
  }
}
