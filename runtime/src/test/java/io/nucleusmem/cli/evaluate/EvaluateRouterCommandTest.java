package io.nucleusmem.cli.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class EvaluateRouterCommandTest {
  private static final String TRAIN =
      "text,route\n"
          + "refund my money,\"money, back\"\n"
          + "give the money back,\"money, back\"\n"
          + "I want a refund,\"money, back\"\n"
          + "where is my parcel,a parcel\n"
          + "track the parcel,a parcel\n"
          + "parcel delivery date,a parcel\n";

  @TempDir Path dir;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void configure() throws IOException {
    write(
        "test.conf",
        "nucleusmem.routing.embedding { model = \"%s\", cache-dir = \"%s\" }"
            .formatted(HashedWords.class.getName(), dir.resolve("cache")));
  }

  @Test
  void reportsWhatWasMeasured() throws Exception {
    String test =
        "text,route\nrefund the money,\"money, back\"\nmy parcel,a parcel\nsing a song,nothing\n"
            + "parcel refund,unheard of\n";
    assertThat(run(TRAIN, test, "--oos", "nothing", "--report", dir.resolve("report").toString()))
        .as(err.toString())
        .isZero();

    JsonNode json = new ObjectMapper().readTree(dir.resolve("report/report.json").toFile());
    assertThat(json.get("accuracy").asDouble()).isEqualTo(0.6667);
    assertThat(json.get("routes").asInt()).isEqualTo(2);
    assertThat(json.get("out_of_scope").asInt()).isEqualTo(1);
    assertThat(json.get("oos_recall_at_0.80").isNull()).as("2 of 3 is less than 0.80").isTrue();
    assertThat(json.get("llm_calls_per_message").asDouble()).isZero();
    assertThat(json.get("latency_ms").get("p99").asDouble()).isPositive();
    assertThat(json.get("confusions").get(0).get("route").asText()).isEqualTo("unheard of");
    assertThat(json.get("thresholds").get("clear_from").asDouble()).isBetween(0.0, 1.0);
    assertThat(json.has("train_seconds")).isTrue();
    assertThat(out.toString())
        .contains("accuracy             0.6667")
        .contains("1 texts have labels without an example")
        .contains("unheard of");
    assertThat(
            DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(dir.resolve("report/accuracy.svg").toFile())
                .getElementsByTagName("polyline")
                .getLength())
        .isEqualTo(3);
  }

  @Test
  void oneRouteAndNothingOutOfScope() throws Exception {
    assertThat(run("text,route\nhello there,greeting", "text,route\nhello,greeting"))
        .as(err.toString())
        .isZero();
    assertThat(out.toString()).contains("accuracy             1.0000");
  }

  @Test
  void labelsAreDescriptionsUnlessThatIsForbidden() throws Exception {
    assertThat(describes()).isTrue();
    assertThat(describes("--describe")).isTrue();
    assertThat(describes("--no-describe")).isFalse();
  }

  private boolean describes(String... option) throws IOException {
    List<String> more = new ArrayList<>(List.of("--report", dir.toString()));
    more.addAll(List.of(option));
    assertThat(run(TRAIN, TRAIN, more.toArray(new String[0]))).as(err.toString()).isZero();
    return new ObjectMapper()
        .readTree(dir.resolve("report.json").toFile())
        .get("labels_are_descriptions")
        .booleanValue();
  }

  @Test
  void outOfScopeRowsOfTheTrainingFileMakeNoRoute() throws Exception {
    String test = "text,route\nmy parcel,a parcel\nwhat a day,oos\n";
    assertThat(run(TRAIN + "what a day,oos\n", test, "--oos", "oos")).isZero();
    assertThat(out.toString()).contains("2 routes, 6 examples").contains("out-of-scope recall");
    assertThat(run("text,route\nwhat a day,oos\n", test, "--oos", "oos")).isEqualTo(1);
    assertThat(err.toString()).contains("at least one route is needed");
  }

  @Test
  void aFileThatCannotBeReadIsNamedInOneLine() throws Exception {
    assertThat(run("text;route\nx;y\n", TRAIN)).isEqualTo(1);
    assertThat(err.toString()).contains("train.csv").contains("line 1").hasLineCount(1);
  }

  @Test
  void aModelIsNeededForStageTwo() throws Exception {
    assertThat(run(TRAIN, TRAIN, "--llm")).isEqualTo(1);
    assertThat(err.toString()).contains("--llm-provider");
  }

  @Test
  void aModelThatCannotBeReachedLeavesItToStageOne() throws Exception {
    assertThat(
            run(
                TRAIN,
                TRAIN,
                "--llm",
                "--llm-provider=openai",
                "--llm-base-url=http://127.0.0.1:1/v1",
                "--llm-model=none",
                "--llm-trust=1",
                "--report",
                dir.toString()))
        .as(err.toString())
        .isZero();
    JsonNode llm = new ObjectMapper().readTree(dir.resolve("report.json").toFile()).get("llm");
    assertThat(llm.get("answered").asInt()).isZero();
    assertThat(llm.get("in_scope_accuracy").get("with"))
        .isEqualTo(llm.get("in_scope_accuracy").get("without"));
  }

  private int run(String train, String test, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--train",
                write("train.csv", train),
                "--test",
                write("test.csv", test),
                "--conf",
                dir.resolve("test.conf").toString()));
    arguments.addAll(List.of(more));
    return new CommandLine(new EvaluateRouterCommand())
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(arguments.toArray(new String[0]));
  }

  private String write(String name, String content) throws IOException {
    return Files.writeString(dir.resolve(name), content).toString();
  }
}
