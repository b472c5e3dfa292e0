package io.nucleusmem.routing.llm;

import static io.nucleusmem.routing.llm.ScriptedModel.choice;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.ManualTime;
import dev.langchain4j.model.chat.request.ChatRequest;
import io.nucleusmem.routing.Candidate;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Ranking.Verdict;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser.ChooserException.Why;
import io.nucleusmem.routing.RouteChooser.Option;
import io.nucleusmem.routing.RouteMatcher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** All on the test's thread: blocking calls run where they are made, time passes when told to. */
class MeasurementTest {
  private static final ActorTestKit testKit =
      ActorTestKit.create(ManualTime.config().withFallback(Settings.config()));

  private final ManualTime time = ManualTime.get(testKit.system());
  private final AtomicLong now = new AtomicLong();

  @AfterAll
  static void stop() {
    testKit.shutdownTestKit();
  }

  @Test
  void aModelThatKnowsBetterIsTrustedAndAsked() throws Exception {
    var model = new ScriptedModel(MeasurementTest::right);
    LlmChooser chooser = chooser(model);
    assertThat(why(chooser)).isEqualTo(Why.NOT_TRUSTED);

    Evidence evidence = done(chooser.measure(routes(6, 5), MeasurementTest::alwaysWrong));

    assertThat(evidence.answered()).isEqualTo(evidence.trials()).isEqualTo(model.requests().size());
    assertThat(evidence.modelRight()).isEqualTo(evidence.trials());
    assertThat(evidence.stageRight()).isZero();
    assertThat(evidence.weight(Overruling.OTHER_ROUTE)).isGreaterThan(0.5);
    var choice =
        Given.choice(chooser.choose("r3 please", Verdict.AMBIGUOUS, options(routes(6, 5))));
    assertThat(choice.route()).contains("r3");
    assertThat(choice.weight()).isEqualTo(evidence.weight(Overruling.OTHER_ROUTE));
  }

  @Test
  void aModelThatKnowsWorseIsNotAskedAgain() throws Exception {
    var model = ScriptedModel.saying(choice("C"));
    LlmChooser chooser = chooser(model);

    Evidence evidence = done(chooser.measure(routes(6, 5), MeasurementTest::mostlyRight));
    int asked = model.requests().size();

    assertThat(evidence.weight(Overruling.OTHER_ROUTE)).isZero();
    assertThat(why(chooser)).isEqualTo(Why.NOT_TRUSTED);
    assertThat(model.requests()).hasSize(asked);
  }

  @Test
  void badAnswersAndLateOnesProveNothing() throws Exception {
    LlmChooser chooser = chooser(ScriptedModel.saying("I'd say the third one"));

    Evidence evidence = done(chooser.measure(routes(6, 5), MeasurementTest::alwaysWrong));

    assertThat(evidence.unusable()).isEqualTo(evidence.answered()).isEqualTo(evidence.trials());
    assertThat(why(chooser)).isEqualTo(Why.NOT_TRUSTED);
  }

  @Test
  void clearExamplesAreNotAskedFor() throws Exception {
    var model = new ScriptedModel(MeasurementTest::right);

    Evidence evidence =
        done(
            chooser(model)
                .measure(
                    routes(6, 5),
                    some ->
                        (text, limit) ->
                            new Ranking(
                                alwaysWrong(some).rank(text, limit).candidates(), Verdict.CLEAR)));

    assertThat(evidence.trials()).isZero();
    assertThat(model.requests()).isEmpty();
  }

  @Test
  void theLeftOutExampleIsNotShown() throws Exception {
    var model = new ScriptedModel(MeasurementTest::right);
    done(chooser(model).measure(routes(6, 5), MeasurementTest::alwaysWrong));

    for (ChatRequest request : model.requests()) {
      String words = ScriptedModel.lastWords(request);
      assertThat(words.split(message(words), -1)).as(words).hasSize(2); // once: as the message
    }
  }

  @Test
  void measuringLeavesHalfOfTheBudgetToMessages() throws Exception {
    var model = new ScriptedModel(MeasurementTest::right);
    LlmChooser chooser = chooser(model, "budget.calls-per-minute = 20");

    CompletionStage<Evidence> measured =
        chooser.measure(routes(6, 5), MeasurementTest::alwaysWrong);

    assertThat(model.requests()).hasSize(10);
    int trials = chooser.evidence().trials();
    assertThat(trials).isGreaterThan(10);
    for (int i = 0; i < 10; i++) {
      chooser.choose("hello", Verdict.AMBIGUOUS, options(routes(6, 5)));
    }
    assertThat(model.requests()).hasSize(20);
    time.timePasses(Duration.ofSeconds(1));
    assertThat(model.requests()).hasSize(20);
    for (int minute = 0; minute < 10 && !measured.toCompletableFuture().isDone(); minute++) {
      now.addAndGet(Duration.ofMinutes(1).toNanos());
      time.timePasses(Duration.ofSeconds(1));
    }
    assertThat(done(measured).answered()).isEqualTo(trials);
    assertThat(model.requests()).hasSize(10 + trials);
  }

  @Test
  void whatWasAskedInTheSameWordsIsNotAskedAgain() throws Exception {
    var model = new ScriptedModel(MeasurementTest::right);
    LlmChooser chooser = chooser(model);
    Evidence first = done(chooser.measure(routes(6, 5), MeasurementTest::alwaysWrong));
    int asked = model.requests().size();

    assertThat(done(chooser.measure(routes(6, 5), MeasurementTest::alwaysWrong))).isEqualTo(first);
    assertThat(model.requests()).hasSize(asked);

    // sorts behind the others, which therefore are asked for with the same candidates as before
    List<Route> more = new ArrayList<>(routes(6, 5));
    more.add(Given.route("z", "", "one more", "and another"));
    Evidence second = done(chooser.measure(more, MeasurementTest::alwaysWrong));
    assertThat(second.trials()).isGreaterThan(first.trials());
    assertThat(model.requests().size()).isBetween(asked + 1, asked + 4);
  }

  @Test
  void atMostSoManyTrialsAreMade() throws Exception {
    var model = new ScriptedModel(MeasurementTest::right);

    Evidence evidence =
        done(
            chooser(model, "trust.trials-max = 7")
                .measure(routes(6, 5), MeasurementTest::alwaysWrong));

    assertThat(evidence.trials()).isEqualTo(7);
    assertThat(model.requests()).hasSize(7);
  }

  @Test
  void aModelThatIsDownIsWaitedFor() throws Exception {
    var down = new AtomicBoolean(true);
    var asked = new AtomicInteger();
    LlmChooser chooser =
        chooser(
            new ScriptedModel(
                request -> {
                  asked.incrementAndGet();
                  if (down.get()) {
                    throw new IllegalStateException("down");
                  }
                  return right(request);
                }),
            "breaker.max-failures = 1000");

    CompletionStage<Evidence> measured =
        chooser.measure(routes(6, 5), MeasurementTest::alwaysWrong);
    assertThat(asked).hasValue(1);
    time.timePasses(Duration.ofSeconds(1));
    assertThat(asked).hasValue(2);
    time.timePasses(Duration.ofSeconds(1));
    assertThat(asked).hasValue(2);
    time.timePasses(Duration.ofSeconds(1));
    assertThat(asked).hasValue(3);
    assertThat(chooser.evidence().answered()).isZero();

    time.timePasses(Duration.ofSeconds(4));
    assertThat(measured.toCompletableFuture()).isNotDone();
    time.timePasses(Duration.ofSeconds(8));
    assertThat(asked).hasValue(5);
    assertThat(Given.failure(measured).why()).isEqualTo(Why.FAILED); // who waits is told

    down.set(false);
    time.timePasses(Duration.ofSeconds(16));
    assertThat(chooser.evidence().modelRight()).isEqualTo(chooser.evidence().trials()).isPositive();
  }

  @Test
  void changesAreMeasuredWhenTheyHaveEnded() {
    var trained = new ArrayList<Integer>();
    Function<List<Route>, RouteMatcher> trainer =
        some -> {
          trained.add(some.size());
          return alwaysWrong(some);
        };
    var model = new ScriptedModel(MeasurementTest::right);
    LlmChooser chooser = chooser(model);

    chooser.routesChanged(routes(2, 1), trainer);
    time.timePasses(Duration.ofSeconds(4));
    chooser.routesChanged(routes(2, 3), trainer);
    time.timePasses(Duration.ofSeconds(4));
    assertThat(trained).isEmpty();
    time.timePasses(Duration.ofSeconds(1));
    assertThat(trained).containsExactly(2, 2, 2);
    assertThat(model.requests()).isNotEmpty();
  }

  @Test
  void aFixedWeightNeedsNoMeasuring() throws Exception {
    var model = ScriptedModel.saying(choice("B"));
    LlmChooser chooser = chooser(model, "trust.weight = 0.4");

    chooser.routesChanged(routes(6, 5), MeasurementTest::alwaysWrong);
    time.timePasses(Duration.ofHours(1));

    assertThat(model.requests()).isEmpty();
    assertThat(Given.choice(chooser.choose("hello", Verdict.NOTHING, Given.OPTIONS)).weight())
        .isEqualTo(0.4);
  }

  @Test
  void aTrainerThatFailsIsTold() {
    CompletionStage<Evidence> measured =
        chooser(ScriptedModel.saying(""))
            .measure(
                routes(6, 5),
                some -> {
                  throw new NoClassDefFoundError("no embedding model");
                });

    assertThatThrownBy(() -> done(measured)).hasMessageContaining("no embedding model");
  }

  @Test
  void aClosedChooserMeasuresNoMore() throws Exception {
    var model = new ScriptedModel(MeasurementTest::right);
    LlmChooser chooser = chooser(model);

    chooser.routesChanged(routes(6, 5), MeasurementTest::alwaysWrong);
    chooser.close();
    time.timePasses(Duration.ofHours(1));

    assertThat(model.requests()).isEmpty();
  }

  private LlmChooser chooser(ScriptedModel model, String... settings) {
    String all =
        "trust.weight = measured\nbudget.calls-per-minute = 1000\n" + String.join("\n", settings);
    return Settings.chooser(Settings.with(all), model, testKit.system(), Runnable::run, now::get);
  }

  private static Evidence done(CompletionStage<Evidence> stage) throws Exception {
    return stage.toCompletableFuture().get();
  }

  private static Why why(LlmChooser chooser) throws Exception {
    return Given.failure(chooser.choose("r1 please", Verdict.AMBIGUOUS, options(routes(6, 5))))
        .why();
  }

  private static List<Option> options(List<Route> routes) {
    return routes.stream().map(route -> new Option(route, 0.5)).limit(5).toList();
  }

  /** Route r3 has the examples "r3 example 0 of 5" and so on. */
  private static List<Route> routes(int count, int examples) {
    return IntStream.range(0, count)
        .mapToObj(
            r ->
                Given.route(
                    "r" + r,
                    "",
                    IntStream.range(0, examples)
                        .mapToObj(e -> "r%d example %d".formatted(r, e))
                        .toArray(String[]::new)))
        .toList();
  }

  /** The candidate whose name is the message's first word; none if it is not offered. */
  private static String right(ChatRequest request) {
    String words = ScriptedModel.lastWords(request);
    String route = message(words).split(" ")[0];
    return words
        .lines()
        .filter(line -> line.contains("\"about\":\"" + route + "\""))
        .map(line -> choice(line.substring(10, 11)))
        .findFirst()
        .orElse(choice("none"));
  }

  private static String message(String words) {
    String line = words.lines().filter(l -> l.startsWith("{\"message\"")).findFirst().orElseThrow();
    return line.substring(12, line.length() - 2);
  }

  /** Ranks the right route second, or nothing right if it is not there. */
  private static RouteMatcher alwaysWrong(List<Route> routes) {
    return ranked(routes, 1);
  }

  private static RouteMatcher mostlyRight(List<Route> routes) {
    return ranked(routes, 0);
  }

  private static RouteMatcher ranked(List<Route> routes, int place) {
    return (text, limit) -> {
      List<Route> order =
          new ArrayList<>(
              routes.stream().sorted(Comparator.comparing(Route::name)).limit(4).toList());
      routes.stream()
          .filter(route -> route.name().equals(text.split(" ")[0]))
          .forEach(
              route -> {
                order.remove(route);
                order.add(place, route);
              });
      return new Ranking(
          order.stream().map(route -> new Candidate(route.name(), 0.5)).toList(),
          Verdict.AMBIGUOUS);
    };
  }
}
