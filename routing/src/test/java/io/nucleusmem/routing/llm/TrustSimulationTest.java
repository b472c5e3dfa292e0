package io.nucleusmem.routing.llm;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.ManualTime;
import dev.langchain4j.model.chat.request.ChatRequest;
import io.nucleusmem.routing.Candidate;
import io.nucleusmem.routing.DecisionRule;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Ranking.Verdict;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser.Choice;
import io.nucleusmem.routing.RouteChooser.ChooserException;
import io.nucleusmem.routing.RouteChooser.ChooserException.Why;
import io.nucleusmem.routing.RouteChooser.Option;
import io.nucleusmem.routing.RouteMatcher;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Models of known accuracy over a synthetic stage one of known accuracy: measured as in production,
 * then asked about texts that neither has seen. Whatever the model is like, both stages together
 * are not worse than stage one alone.
 *
 * <p>A text is {@code NAME NUMBER}, which belongs to the route NAME, or {@code nowhere NUMBER}.
 * Chance depends on the seed and the text only.
 */
class TrustSimulationTest {
  private static final ActorTestKit testKit =
      ActorTestKit.create(ManualTime.config().withFallback(Settings.config()));

  private static final int ROUTES = 30;
  private static final int LIVE = 900; // a sixth of them belongs nowhere
  private static final int SEEDS = 8;

  @AfterAll
  static void stop() {
    testKit.shutdownTestKit();
  }

  /** Share of texts that get where they belong. */
  private record Result(double alone, double together, int asked) {}

  @ParameterizedTest
  @CsvSource({
    // accuracy of the model; what the mean of all seeds gains at least
    "0.00, 0",
    "0.30, 0",
    "0.50, 0",
    "0.60, 0", // about stage one's own where it is in doubt: the hardest to tell
    "0.70, 0.005",
    "0.80, 0.02",
    "0.95, 0.1"
  })
  void noModelMakesRoutingWorse(double accuracy, double gain) throws Exception {
    double sum = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
      Result result = simulate(seed, new Model(seed, accuracy));
      double gained = result.together() - result.alone();
      // 2.5 standard deviations of the difference, were every tenth decision another one
      assertThat(gained)
          .as("accuracy %s, seed %d: %s", accuracy, seed, result)
          .isGreaterThanOrEqualTo(-2.5 * Math.sqrt(0.1 / LIVE));
      sum += gained;
    }
    assertThat(sum / SEEDS).as("mean gain of accuracy %s", accuracy).isGreaterThanOrEqualTo(gain);
  }

  @ParameterizedTest
  @ValueSource(strings = {"A", "B", "E", "none", "Z", "\"}"})
  void aModelThatAlwaysSaysTheSameMakesNothingWorse(String label) throws Exception {
    for (int seed = 0; seed < 2; seed++) {
      Result result = simulate(seed, request -> ScriptedModel.choice(label));
      assertThat(result.together())
          .as("label %s, seed %d", label, seed)
          .isGreaterThanOrEqualTo(result.alone());
    }
  }

  @Test
  void aWeakModelIsNotAskedAtAllOnceItIsKnown() throws Exception {
    assertThat(simulate(1, new Model(1, 0.3)).asked()).isZero();
    assertThat(simulate(1, new Model(1, 0.95)).asked()).isGreaterThan(LIVE / 3);
  }

  private static Result simulate(long seed, Function<ChatRequest, String> model) throws Exception {
    List<Route> routes =
        IntStream.range(0, ROUTES)
            .mapToObj(
                r ->
                    Given.route(
                        "r" + r,
                        "",
                        IntStream.range(0, 10)
                            .mapToObj(e -> "r%d %d".formatted(r, e))
                            .toArray(String[]::new)))
            .toList();
    Map<String, Route> byName =
        routes.stream().collect(Collectors.toMap(Route::name, route -> route));
    var chooser =
        Settings.chooser(
            Settings.with(
                "trust.weight = measured, budget.calls-per-minute = 100000, trust.reserve = 0"),
            new ScriptedModel(model),
            testKit.system(),
            Runnable::run,
            () -> 0);
    chooser.measure(routes, some -> new Matcher(seed, some)).toCompletableFuture().get();

    var matcher = new Matcher(seed, routes);
    int alone = 0;
    int together = 0;
    int asked = 0;
    for (int i = 0; i < LIVE; i++) {
      String text = (i % 6 == 0 ? "nowhere " : "r" + i % ROUTES + " ") + (1_000 + i);
      Optional<String> truth = truth(text).filter(byName::containsKey);
      Ranking ranking = matcher.rank(text, 5);
      var decision = DecisionRule.decide(ranking);
      alone += decision.route().equals(truth) ? 1 : 0;
      if (ranking.verdict() != Verdict.CLEAR) {
        List<Option> options =
            ranking.candidates().stream()
                .map(c -> new Option(byName.get(c.route()), c.score()))
                .toList();
        var answer =
            chooser
                .choose(text, ranking.verdict(), options)
                .handle((choice, failure) -> failure == null ? choice : failure)
                .toCompletableFuture()
                .get();
        if (answer instanceof Choice choice) {
          asked++;
          decision = DecisionRule.decide(ranking, choice);
        } else {
          var why = ((ChooserException) cause((Throwable) answer)).why();
          assertThat(why).isIn(Why.NOT_TRUSTED, Why.MALFORMED);
        }
      }
      together += decision.route().equals(truth) ? 1 : 0;
    }
    return new Result((double) alone / LIVE, (double) together / LIVE, asked);
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof ChooserException ? failure : failure.getCause();
  }

  private static Optional<String> truth(String text) {
    return Optional.of(text.substring(0, text.indexOf(' ')));
  }

  private static Random chance(long seed, String text) {
    var random = new Random(seed * 1_000_003 + text.hashCode());
    random.nextInt(); // the first draws of close seeds are alike
    return random;
  }

  /**
   * Where it is in doubt, the first is right in six of ten, and further ahead when right; one of
   * ten texts of a route is taken to fit nowhere, six of ten are clear and right in 97 of 100.
   */
  private record Matcher(long seed, List<Route> routes) implements RouteMatcher {
    @Override
    public Ranking rank(String text, int limit) {
      Random random = chance(seed, text);
      List<String> names =
          new ArrayList<>(
              routes.stream().map(Route::name).sorted(Comparator.naturalOrder()).toList());
      Collections.shuffle(names, random);
      boolean known = names.remove(truth(text).orElseThrow());
      double kind = random.nextDouble();
      Verdict verdict;
      double right;
      if (known) {
        verdict = kind < 0.6 ? Verdict.CLEAR : kind < 0.9 ? Verdict.AMBIGUOUS : Verdict.NOTHING;
        right = verdict == Verdict.CLEAR ? 0.97 : 0.6;
      } else {
        verdict = kind < 0.1 ? Verdict.CLEAR : kind < 0.4 ? Verdict.AMBIGUOUS : Verdict.NOTHING;
        right = 0;
      }
      boolean first = random.nextDouble() < right;
      if (known) {
        names.add(first ? 0 : 1 + random.nextInt(5), truth(text).orElseThrow());
      }
      List<Candidate> candidates = new ArrayList<>();
      double score = 0.9;
      for (String name : names.subList(0, Math.min(limit, names.size()))) {
        candidates.add(new Candidate(name, score));
        score -= (first ? 0.3 : 0.2) * random.nextDouble() * score;
      }
      return new Ranking(candidates, verdict);
    }
  }

  /** Right as often as told; else another of the choices. */
  private record Model(long seed, double accuracy) implements Function<ChatRequest, String> {
    @Override
    public String apply(ChatRequest request) {
      List<String> lines = ScriptedModel.lastWords(request).lines().toList();
      String message = lines.get(lines.size() - 2);
      String text = message.substring(12, message.length() - 2);
      List<String> choices = new ArrayList<>(List.of(Question.NONE));
      String right = Question.NONE;
      for (String line : lines) {
        if (line.startsWith("{\"label\"")) {
          choices.add(line.substring(10, 11));
          if (line.contains("\"about\":\"" + truth(text).orElseThrow() + "\"")) {
            right = line.substring(10, 11);
          }
        }
      }
      Random random = chance(~seed, text);
      if (random.nextDouble() >= accuracy) {
        choices.remove(right);
        right = choices.get(random.nextInt(choices.size()));
      }
      return ScriptedModel.choice(right);
    }
  }
}
