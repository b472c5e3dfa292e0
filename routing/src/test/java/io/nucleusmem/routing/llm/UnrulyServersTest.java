package io.nucleusmem.routing.llm;

import static io.nucleusmem.routing.llm.ScriptedModel.choice;
import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.ManualTime;
import io.nucleusmem.routing.Ranking.Verdict;
import io.nucleusmem.routing.RouteChooser.Choice;
import io.nucleusmem.routing.RouteChooser.ChooserException;
import io.nucleusmem.routing.RouteChooser.ChooserException.Why;
import io.nucleusmem.routing.llm.ScriptedServer.Reply;
import io.nucleusmem.routing.llm.ScriptedServer.Request;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Over HTTP, with the clients of langchain4j as they are configured for real servers. */
class UnrulyServersTest {
  private static final ActorTestKit testKit =
      ActorTestKit.create(ManualTime.config().withFallback(Settings.config()));

  private final ManualTime time = ManualTime.get(testKit.system());
  private final AtomicLong now = new AtomicLong();
  private ScriptedServer server;

  @AfterAll
  static void stop() {
    testKit.shutdownTestKit();
  }

  @AfterEach
  void close() {
    if (server != null) {
      server.close();
    }
  }

  @Test
  void aGoodServerIsAskedWithASchemaOfTheLabels() throws Exception {
    LlmChooser chooser = openAi(Reply.saying(choice("B")), "api-key = sk-1");

    Choice choice = Given.choice(ask(chooser));

    assertThat(choice.route()).contains("shipping");
    assertThat(choice.inputTokens()).isEqualTo(OptionalInt.of(70));
    Request request = server.requests().get(0);
    assertThat(request.path()).isEqualTo("/v1/chat/completions");
    assertThat(request.authorization()).isEqualTo("Bearer sk-1");
    assertThat(request.format()).isEqualTo("json_schema");
    var schema = request.body().get("response_format").get("json_schema");
    assertThat(schema.get("strict").asBoolean()).isTrue();
    assertThat(schema.get("schema").get("properties").get("choice").get("enum").toString())
        .isEqualTo("[\"A\",\"B\",\"C\",\"none\"]");
    assertThat(request.body().get("temperature").asDouble()).isZero();
  }

  @Test
  void ollamaIsAskedWithASchemaToo() throws Exception {
    LlmChooser chooser = ollama(Reply.saying(choice("B")));

    Choice choice = Given.choice(ask(chooser));

    assertThat(choice.route()).contains("shipping");
    assertThat(choice.outputTokens()).isEqualTo(OptionalInt.of(7));
    Request request = server.requests().get(0);
    assertThat(request.path()).isEqualTo("/api/chat");
    assertThat(request.body().get("format").get("properties").get("choice").get("enum").toString())
        .isEqualTo("[\"A\",\"B\",\"C\",\"none\"]");
    assertThat(request.body().get("options").get("num_predict").asInt()).isEqualTo(200);
  }

  @ParameterizedTest
  @CsvSource({"500", "400", "422", "501"})
  void aRefusedSchemaIsRememberedForALongWhile(int status) throws Exception {
    LlmChooser chooser =
        openAi(
            request ->
                request.format().equals("json_schema")
                    ? Reply.error(status, "json_schema is not supported")
                    : Reply.words(request, choice("A")));

    assertThat(Given.choice(ask(chooser)).route()).contains("refunds");
    assertThat(Given.choice(ask(chooser)).route()).contains("refunds");
    assertThat(server.formats()).containsExactly("json_schema", "json_object", "json_object");

    now.addAndGet(Duration.ofHours(6).toNanos());
    assertThat(Given.choice(ask(chooser)).route()).contains("refunds");
    assertThat(server.formats()).endsWith("json_object", "json_schema", "json_object");
  }

  @Test
  void aServerThatTakesNoFormatIsAskedPlainly() throws Exception {
    LlmChooser chooser =
        openAi(
            request ->
                request.format().equals("text")
                    ? Reply.words(request, "Sure: " + choice("C") + " Good luck!")
                    : Reply.error(500, "grammar"));

    assertThat(Given.choice(ask(chooser)).route()).contains("accounts");
    assertThat(Given.choice(ask(chooser)).route()).contains("accounts");
    assertThat(server.formats()).containsExactly("json_schema", "json_object", "text", "text");
  }

  @Test
  void aRetryAsksInTheFormatThatWasTaken() throws Exception {
    LlmChooser chooser =
        openAi(
            request ->
                request.format().equals("json_schema")
                    ? Reply.error(500, "grammar")
                    : Reply.words(
                        request,
                        request.lastWords().contains("can't be used") ? choice("B") : "B it is"));

    assertThat(Given.choice(ask(chooser)).route()).contains("shipping");
    assertThat(server.formats()).containsExactly("json_schema", "json_object", "json_object");
  }

  @Test
  void aServerThatIsDownRefusesNoFormat() throws Exception {
    LlmChooser chooser =
        openAi(
            request ->
                server.requests().size() <= 3
                    ? Reply.error(500, "out of memory")
                    : Reply.words(request, choice("A")));

    ChooserException failure = Given.failure(ask(chooser));
    assertThat(failure.why()).isEqualTo(Why.FAILED);
    assertThat(failure).hasMessageContaining("out of memory").hasMessageContaining("127.0.0.1");
    assertThat(Given.choice(ask(chooser)).route()).contains("refunds");
    assertThat(server.formats())
        .containsExactly("json_schema", "json_object", "text", "json_schema");
  }

  @ParameterizedTest
  @CsvSource({
    "401, UNAUTHORIZED",
    "403, UNAUTHORIZED",
    "404, FAILED",
    "408, TIMED_OUT",
    "429, OVER_BUDGET"
  })
  void anErrorThatNoFormatHelpsAgainstIsNotRepeated(int status, Why why) throws Exception {
    LlmChooser chooser =
        openAi(
            request -> Reply.error(status, "Incorrect API key provided: sk-secret"),
            "api-key = sk-secret");

    ChooserException failure = Given.failure(ask(chooser));

    assertThat(failure.why()).isEqualTo(why);
    assertThat(failure).hasMessageContaining("***").hasMessageNotContaining("sk-secret");
    var trace = new StringWriter();
    failure.printStackTrace(new PrintWriter(trace));
    assertThat(trace.toString()).doesNotContain("sk-secret");
    assertThat(server.requests()).hasSize(1);
  }

  @Test
  void aServerThatIsNotThereIsUnreachable() throws Exception {
    server = new ScriptedServer(Reply.saying(choice("A")));
    String url = server.openAiUrl();
    server.close();

    assertThat(Given.failure(ask(chooser("base-url = \"" + url + "\""))).why())
        .isEqualTo(Why.UNREACHABLE);
  }

  @Test
  void aHostThatHasNoAddressIsUnreachable() throws Exception {
    assertThat(Given.failure(ask(chooser("base-url = \"http://nowhere.invalid/v1\""))).why())
        .isEqualTo(Why.UNREACHABLE);
  }

  @Test
  void aServerThatStallsIsTimedOut() throws Exception {
    var asked = new CountDownLatch(1);
    LlmChooser chooser =
        openAi(
            request -> {
              asked.countDown();
              return new Reply(200, "{", 1_000, true);
            });

    CompletionStage<Choice> stage = ask(chooser);
    asked.await();
    time.timePasses(Duration.ofSeconds(10));

    assertThat(Given.failure(stage).why()).isEqualTo(Why.TIMED_OUT);
  }

  @Test
  void anAnswerOfWhichHalfComesIsAConnectionThatBroke() throws Exception {
    LlmChooser chooser = openAi(request -> new Reply(200, "{\"choices\": [{", 1_000, false));

    assertThat(Given.failure(ask(chooser)).why()).isEqualTo(Why.UNREACHABLE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{\"choices\": [", "<html>Bad gateway</html>", "{}", "{\"choices\": []}"})
  void anEnvelopeThatCannotBeReadIsAFailure(String body) throws Exception {
    LlmChooser chooser = openAi(request -> Reply.of(200, body));

    assertThat(Given.failure(ask(chooser)).why()).isEqualTo(Why.FAILED);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{\"choice\": \"A", "B", "{\"choice\": \"shipping\"}", "none of them"})
  void wordsThatAreNoChoiceAreAskedForOnceMore(String content) throws Exception {
    LlmChooser openAi = openAi(Reply.saying(content));
    assertThat(Given.failure(ask(openAi)).why()).isEqualTo(Why.MALFORMED);
    assertThat(server.requests()).hasSize(2);
    server.close();

    LlmChooser ollama = ollama(Reply.saying(content));
    assertThat(Given.failure(ask(ollama)).why()).isEqualTo(Why.MALFORMED);
    assertThat(server.requests()).hasSize(2);
  }

  @Test
  void anOldOllamaThatRefusesASchemaIsAskedForJson() throws Exception {
    LlmChooser chooser =
        ollama(
            request ->
                request.format().equals("json_schema")
                    ? Reply.of(400, "{\"error\": \"cannot unmarshal object into format\"}")
                    : Reply.words(request, choice("A")));

    assertThat(Given.choice(ask(chooser)).route()).contains("refunds");
    assertThat(server.formats()).containsExactly("json_schema", "json_object");
  }

  @Test
  void whatSomeModelsRefuseCanBeLeftOut() throws Exception {
    LlmChooser chooser =
        openAi(Reply.saying(choice("A")), "temperature = server", "answer-tokens-max = 0");

    Given.choice(ask(chooser));

    assertThat(server.requests().get(0).body().has("temperature")).isFalse();
    assertThat(server.requests().get(0).body().has("max_tokens")).isFalse();
    assertThat(server.requests().get(0).body().has("max_completion_tokens")).isFalse();
  }

  private LlmChooser openAi(Function<Request, Reply> script, String... settings)
      throws IOException {
    server = new ScriptedServer(script);
    return chooser("base-url = \"%s\"\n%s".formatted(server.openAiUrl(), lines(settings)));
  }

  private LlmChooser ollama(Function<Request, Reply> script) throws IOException {
    server = new ScriptedServer(script);
    return chooser("provider = ollama\nbase-url = \"%s\"".formatted(server.ollamaUrl()));
  }

  private LlmChooser chooser(String settings) {
    LlmSettings all = Settings.with(settings);
    return Settings.chooser(
        all, ChatModels.of(all), testKit.system(), Settings.dispatcher(testKit.system()), now::get);
  }

  private static String lines(String... lines) {
    return String.join("\n", lines);
  }

  private static CompletionStage<Choice> ask(LlmChooser chooser) {
    return chooser.choose("where is my parcel", Verdict.AMBIGUOUS, Given.OPTIONS);
  }
}
