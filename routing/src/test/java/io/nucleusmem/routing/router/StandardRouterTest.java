package io.nucleusmem.routing.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.nucleusmem.routing.Candidate;
import io.nucleusmem.routing.NoChooser;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Ranking.Verdict;
import io.nucleusmem.routing.RegisteredRoute;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.RouteChooser;
import io.nucleusmem.routing.RouteChooser.ChooserException.Why;
import io.nucleusmem.routing.Router.Answer;
import io.nucleusmem.routing.Router.Query;
import io.nucleusmem.routing.Stage;
import io.nucleusmem.routing.Target;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StandardRouterTest {
  private static final Candidate A = new Candidate("a", 0.8);
  private static final Candidate B = new Candidate("b", 0.75);
  private static final Candidate C = new Candidate("c", 0.2);

  private static RoutingSettings settings(String more) {
    return RoutingSettings.from(
        ConfigFactory.parseString(more).withFallback(ConfigFactory.load()).resolve());
  }

  private static RegisteredRoute route(String name, String... senders) {
    return new RegisteredRoute(
        new Route(name, new Target.Agent(name), name, List.of(), Map.of()),
        "local",
        Set.of(senders),
        1,
        Instant.EPOCH,
        false);
  }

  private static final List<RegisteredRoute> ALL = List.of(route("a"), route("b"), route("c"));

  private static Answer ask(
      Verdict verdict,
      RouteChooser chooser,
      List<RegisteredRoute> routes,
      Optional<String> previous,
      String more) {
    StandardRouter router =
        new StandardRouter(
            (text, limit) -> new Ranking(List.of(A, B, C), verdict), chooser, settings(more));
    return router
        .route(new Query("text", "anna", Optional.empty(), previous, routes, 5), router)
        .toCompletableFuture()
        .join();
  }

  private static RouteChooser votes(Optional<String> route, double weight) {
    return (text, verdict, options) ->
        CompletableFuture.completedFuture(
            new RouteChooser.Choice(
                route,
                "so it is",
                weight,
                "scripted",
                "0123",
                7,
                OptionalInt.of(11),
                OptionalInt.empty()));
  }

  @Test
  void whatIsClearNeedsNoModel() {
    RouteChooser fails =
        (text, verdict, options) -> {
          throw new AssertionError("the model was asked");
        };
    Answer answer = ask(Verdict.CLEAR, fails, ALL, Optional.empty(), "");
    assertThat(answer.routes()).containsExactly("a");
    assertThat(answer.stage()).isEqualTo(Stage.EMBEDDING);
  }

  @Test
  void severalTargetsAreThoseThatAreCloseToTheBest() {
    String two = "nucleusmem.routing.targets-max = 3";
    assertThat(ask(Verdict.CLEAR, NoChooser.NONE, ALL, Optional.empty(), two).routes())
        .containsExactly("a", "b");
  }

  @Test
  void aModelDecidesWhatIsNotClearAsFarAsItIsTrusted() {
    Answer trusted =
        ask(Verdict.AMBIGUOUS, votes(Optional.of("b"), 0.9), ALL, Optional.empty(), "");
    assertThat(trusted.routes()).containsExactly("b");
    assertThat(trusted.stage()).isEqualTo(Stage.LLM);
    assertThat(trusted.model().orElseThrow().inputTokens()).isEqualTo(11);
    Answer weak = ask(Verdict.AMBIGUOUS, votes(Optional.of("c"), 0.01), ALL, Optional.empty(), "");
    assertThat(weak.routes()).containsExactly("a");
    assertThat(weak.stage()).isEqualTo(Stage.EMBEDDING);
    assertThat(weak.reason()).contains("does not weigh enough");
    Answer none = ask(Verdict.AMBIGUOUS, votes(Optional.empty(), 0.9), ALL, Optional.empty(), "");
    assertThat(none.routes()).isEmpty();
    assertThat(none.stage()).isEqualTo(Stage.FALLBACK);
  }

  @ParameterizedTest
  @EnumSource(Why.class)
  void withoutAModelsAnswerStageOneDecidesAndSaysSo(Why why) {
    NoChooser failing = new NoChooser(why, "the reason");
    Answer likeliest = ask(Verdict.AMBIGUOUS, failing, ALL, Optional.empty(), "");
    assertThat(likeliest.routes()).containsExactly("a");
    assertThat(likeliest.reason()).contains("the reason");
    Answer nowhere = ask(Verdict.NOTHING, failing, ALL, Optional.empty(), "");
    assertThat(nowhere.routes()).isEmpty();
    assertThat(nowhere.stage()).isEqualTo(Stage.FALLBACK);
    assertThat(nowhere.reason()).contains("the reason");
  }

  @Test
  void aRouteThatIsClosedToTheSenderTakesNothingAndLeavesNothingToTheNext() {
    List<RegisteredRoute> closed = List.of(route("a", "ben"), route("b"), route("c"));
    Answer answer = ask(Verdict.CLEAR, NoChooser.NONE, closed, Optional.empty(), "");
    assertThat(answer.routes()).isEmpty();
    assertThat(answer.candidates()).containsExactly(B, C);
  }

  @Test
  void aConversationLeavesOnlyForWhatIsClearlyBetter() {
    Answer close = ask(Verdict.CLEAR, NoChooser.NONE, ALL, Optional.of("b"), "");
    assertThat(close.routes()).containsExactly("b");
    assertThat(close.stage()).isEqualTo(Stage.STICKY);
    Answer far = ask(Verdict.CLEAR, NoChooser.NONE, ALL, Optional.of("c"), "");
    assertThat(far.routes()).containsExactly("a");
    Answer unclear = ask(Verdict.NOTHING, NoChooser.NONE, ALL, Optional.of("c"), "");
    assertThat(unclear.routes()).containsExactly("c");
    Answer withdrawn = ask(Verdict.NOTHING, NoChooser.NONE, ALL, Optional.of("gone"), "");
    assertThat(withdrawn.routes()).isEmpty();
  }

  @Test
  void aRankingThatFailsIsNoReasonToLoseAMessage() {
    StandardRouter router =
        new StandardRouter(new NoMatcher("no model here"), NoChooser.NONE, settings(""));
    Answer answer =
        router
            .route(new Query("x", "anna", Optional.empty(), Optional.empty(), ALL, 5), router)
            .toCompletableFuture()
            .join();
    assertThat(answer.stage()).isEqualTo(Stage.FALLBACK);
    assertThat(answer.reason()).contains("no model here");
  }
}
