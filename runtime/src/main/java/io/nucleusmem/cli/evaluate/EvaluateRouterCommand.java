package io.nucleusmem.cli.evaluate;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import io.nucleusmem.routing.Ranking;
import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.embedding.EmbeddingMatcher;
import io.nucleusmem.routing.embedding.TextEmbeddings;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures how well the router tells the routes of a file apart. Exit code 1: it could not. */
@Command(
    name = "evaluate-router",
    description = "Measures the semantic router on labelled texts.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class EvaluateRouterCommand implements Callable<Integer> {
  private static final int FAILED = 1;
  private static final int CANDIDATES = 5;
  private static final int CONFUSIONS_SHOWN = 10;
  private static final String LLM = "nucleusmem.routing.llm.";

  /** Unless configured otherwise: a node's budget would leave most texts to stage one. */
  private static final Config UNHURRIED =
      ConfigFactory.parseMap(
          Map.of(LLM + "budget.calls-per-minute", 100_000, LLM + "trust.reserve", 0));

  @Spec private CommandSpec spec;

  @Option(
      names = "--train",
      required = true,
      paramLabel = "FILE",
      description = "CSV with the header text,route: the routes and their examples.")
  private Path train;

  @Option(
      names = "--test",
      required = true,
      paramLabel = "FILE",
      description = "CSV with the same header: the texts to be routed.")
  private Path test;

  @Option(
      names = "--oos",
      paramLabel = "LABEL",
      description = "The label of texts that belong nowhere; in --train such rows are not used.")
  private String oos;

  @Option(
      names = "--report",
      paramLabel = "DIR",
      description = "Where to write report.json and accuracy.svg.")
  private Path report;

  @Option(
      names = "--describe",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description =
          "Whether the words of a label are its route's description (the default). Labels that say"
              + " nothing need --no-describe.")
  private boolean describe;

  @Option(names = "--conf", paramLabel = "FILE", description = "Configuration, as for a node.")
  private Path conf;

  @Option(
      names = "--llm",
      description =
          "Ask the language model of nucleusmem.routing.llm too; shows accuracy without and with"
              + " it.")
  private boolean llm;

  @Option(names = "--llm-provider", paramLabel = "NAME", description = "openai or ollama.")
  private String provider;

  @Option(names = "--llm-base-url", paramLabel = "URL", description = "Where the model is served.")
  private String baseUrl;

  @Option(names = "--llm-model", paramLabel = "NAME", description = "The model's name.")
  private String model;

  @Option(
      names = "--llm-api-key-env",
      paramLabel = "NAME",
      description = "The environment variable that holds the key.")
  private String apiKeyEnv;

  @Option(
      names = "--llm-trust",
      paramLabel = "WEIGHT",
      description = "measured (the default), or a fixed weight from 0 to 1.")
  private String trust;

  /** Runs the command; ends the JVM. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new EvaluateRouterCommand()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter terminal = spec.commandLine().getOut();
    try {
      Config config = config();
      run(config, LabelledTexts.read(train), LabelledTexts.read(test), terminal);
      return CommandLine.ExitCode.OK;
    } catch (IllegalArgumentException | IllegalStateException | ConfigException e) {
      spec.commandLine()
          .getErr()
          .println("evaluate-router: " + String.valueOf(e.getMessage()).replace('\n', ' '));
      return FAILED;
    } finally {
      terminal.flush();
    }
  }

  private void run(
      Config config,
      List<LabelledTexts.Row> trainRows,
      List<LabelledTexts.Row> testRows,
      PrintWriter terminal)
      throws IOException {
    Labels labels = Labels.of(trainRows, oos, describe);
    if (labels.routes().isEmpty()) {
      throw new IllegalArgumentException(
          "[%s] has only rows of [%s]; at least one route is needed".formatted(train, oos));
    }
    TextEmbeddings embeddings = TextEmbeddings.fromConfig(config);
    Training training = Training.of(embeddings, labels.routes());
    terminal.printf(
        "%d routes, %d examples, %d texts to route%n",
        labels.routes().size(), training.examples(), testRows.size());
    warnOfUnknown(labels, testRows, terminal);

    List<Figures.Outcome> outcomes = new ArrayList<>();
    List<StageTwo.Ranked> ranked = new ArrayList<>();
    for (LabelledTexts.Row row : testRows) {
      long begun = System.nanoTime();
      Ranking ranking = training.matcher().rank(row.text(), CANDIDATES);
      long nanos = System.nanoTime() - begun;
      var best = ranking.candidates().get(0);
      String truth = row.route().equals(oos) ? null : row.route();
      outcomes.add(
          new Figures.Outcome(
              truth, labels.label(best.route()), best.score(), ranking.verdict(), nanos));
      // a label that no route has stays what it is: no answer is right
      Optional<String> name =
          Optional.ofNullable(truth).map(t -> labels.knows(t) ? labels.name(t) : "unknown " + t);
      ranked.add(new StageTwo.Ranked(row.text(), name, ranking));
    }
    Figures figures = new Figures(outcomes);
    Optional<StageTwo.Outcome> both = Optional.empty();
    if (llm) {
      terminal.println("measuring the model, then asking it where stage one is in doubt");
      terminal.flush();
      both =
          Optional.of(
              StageTwo.run(
                  config,
                  labels.routes(),
                  some -> EmbeddingMatcher.train(embeddings, some),
                  ranked));
    }
    ReportJson json = new ReportJson(figures, training, both, testRows.size(), describe);
    json.print(terminal, CONFUSIONS_SHOWN);
    if (report != null) {
      Files.createDirectories(report);
      Files.writeString(report.resolve("report.json"), json.json());
      Files.writeString(
          report.resolve("accuracy.svg"),
          Plot.svg(figures.curve(), training.matcher().clearFrom()));
      terminal.printf("written to %s: report.json, accuracy.svg%n", report);
    }
  }

  private void warnOfUnknown(Labels labels, List<LabelledTexts.Row> rows, PrintWriter terminal) {
    TreeSet<String> unknown = new TreeSet<>();
    long count =
        rows.stream()
            .map(LabelledTexts.Row::route)
            .filter(label -> !label.equals(oos) && !labels.knows(label))
            .peek(unknown::add)
            .count();
    if (count > 0) {
      terminal.printf(
          "%d texts have labels without an example in %s and count as wrong: %s%s%n",
          count,
          train,
          unknown.stream().limit(CANDIDATES).toList(),
          oos == null ? "; --oos names the label of texts that belong nowhere" : "");
    }
  }

  private Config config() {
    if (conf != null && !Files.isReadable(conf)) {
      throw new IllegalArgumentException(
          "--conf is [%s]; there is no such file that can be read".formatted(conf));
    }
    Map<String, Object> own = new HashMap<>();
    put(own, "provider", provider);
    put(own, "base-url", baseUrl);
    put(own, "model", model);
    put(own, "trust.weight", trust);
    if (apiKeyEnv != null) {
      put(own, "api-key", Optional.ofNullable(System.getenv(apiKeyEnv)).orElse(""));
    }
    Config file = conf == null ? ConfigFactory.empty() : ConfigFactory.parseFile(conf.toFile());
    return ConfigFactory.load(
        ConfigFactory.parseMap(own).withFallback(file).withFallback(UNHURRIED));
  }

  private static void put(Map<String, Object> config, String key, String value) {
    if (value != null) {
      config.put(LLM + key, value);
    }
  }

  /**
   * Stage one, made once with all embeddings to be computed, and once with them known.
   *
   * @param embedSeconds for the embeddings of all examples
   * @param trainSeconds for the rest
   * @param addMillis for one route more, its embeddings known; the median of some
   */
  record Training(
      EmbeddingMatcher matcher,
      int examples,
      double embedSeconds,
      double trainSeconds,
      double addMillis) {
    private static final int ADDED_MAX = 9;

    static Training of(TextEmbeddings embeddings, List<Route> routes) {
      List<String> texts = new ArrayList<>();
      for (Route route : routes) {
        texts.addAll(route.examples());
        if (!route.description().isBlank()) {
          texts.add(route.description());
        }
      }
      long begun = System.nanoTime();
      embeddings.embedAll(texts);
      long embedded = System.nanoTime();
      EmbeddingMatcher matcher = EmbeddingMatcher.train(embeddings, routes);
      long trained = System.nanoTime();
      List<Double> added = new ArrayList<>();
      for (int i = 0; i < Math.min(ADDED_MAX, routes.size()); i++) {
        EmbeddingMatcher without = matcher.without(routes.get(i).name());
        long start = System.nanoTime();
        without.with(routes.get(i));
        added.add((System.nanoTime() - start) / 1e6);
      }
      added.sort(null);
      return new Training(
          matcher,
          routes.stream().mapToInt(route -> route.examples().size()).sum(),
          (embedded - begun) / 1e9,
          (trained - embedded) / 1e9,
          added.get(added.size() / 2));
    }
  }
}
