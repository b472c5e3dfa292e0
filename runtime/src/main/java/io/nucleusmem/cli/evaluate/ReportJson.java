package io.nucleusmem.cli.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nucleusmem.routing.Ranking.Verdict;
import io.nucleusmem.routing.llm.Evaluation;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The figures as people and as programs read them. A figure that does not exist is null. */
final class ReportJson {
  private final Figures figures;
  private final EvaluateRouterCommand.Training training;
  private final Optional<StageTwo.Outcome> both;
  private final int texts;
  private final boolean describe;

  ReportJson(
      Figures figures,
      EvaluateRouterCommand.Training training,
      Optional<StageTwo.Outcome> both,
      int texts,
      boolean describe) {
    this.figures = figures;
    this.training = training;
    this.both = both;
    this.texts = texts;
    this.describe = describe;
  }

  String json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("accuracy", number(figures.accuracy()));
    json.put("oos_recall_at_0.80", number(figures.oosRecall()));
    json.put("train_seconds", number(training.trainSeconds()));
    json.put("embed_seconds", number(training.embedSeconds()));
    json.put("add_route_ms", number(training.addMillis()));
    json.put("llm_calls_per_message", number(callsPerMessage()));
    json.put(
        "latency_ms", pair("p50", figures.latencyMillis(0.5), "p99", figures.latencyMillis(0.99)));
    json.put("routes", training.matcher().routes().size());
    json.put("examples", training.examples());
    json.put("texts", texts);
    json.put("in_scope", figures.inScope());
    json.put("out_of_scope", figures.outOfScope());
    json.put("labels_are_descriptions", describe);
    json.put(
        "thresholds",
        pair(
            "clear_from", training.matcher().clearFrom(),
            "nothing_below", training.matcher().nothingBelow()));
    Map<String, Object> verdicts = new LinkedHashMap<>();
    figures.verdicts().forEach((verdict, counts) -> verdicts.put(key(verdict), counts));
    json.put("verdicts", verdicts);
    json.put("confusions", figures.confusions().stream().map(ReportJson::confusion).toList());
    json.put("curve", figures.curve().stream().map(ReportJson::point).toList());
    both.ifPresent(outcome -> json.put("llm", llm(outcome)));
    try {
      return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the report cannot be written as JSON", e);
    }
  }

  void print(PrintWriter to, int confusionsShown) {
    line(
        to,
        "accuracy             %s   of %d texts that belong somewhere",
        share(figures.accuracy()),
        figures.inScope());
    if (figures.outOfScope() > 0) {
      line(
          to,
          "out-of-scope recall  %s   of %d texts, where in-scope accuracy is %.2f",
          share(figures.oosRecall()),
          figures.outOfScope(),
          Figures.IN_SCOPE_ACCURACY);
    }
    figures
        .verdicts()
        .forEach(
            (verdict, counts) ->
                line(
                    to,
                    "%-9s            %6d right %6d wrong %6d out of scope",
                    key(verdict),
                    counts.get("right"),
                    counts.get("wrong"),
                    counts.get("out_of_scope")));
    line(
        to,
        "thresholds           clear from %.3f, nothing below %.3f",
        training.matcher().clearFrom(),
        training.matcher().nothingBelow());
    line(
        to,
        "training             %.2f s for embeddings, %.2f s for the rest, %.1f ms for one route"
            + " more",
        training.embedSeconds(),
        training.trainSeconds(),
        training.addMillis());
    line(
        to,
        "latency              p50 %.2f ms, p99 %.2f ms",
        figures.latencyMillis(0.5),
        figures.latencyMillis(0.99));
    line(to, "LLM calls            %.3f per message", callsPerMessage());
    both.ifPresent(outcome -> printLlm(to, outcome));
    List<Figures.Confusion> confusions = figures.confusions();
    if (!confusions.isEmpty()) {
      line(to, "taken for one another most often:");
      confusions.stream()
          .limit(confusionsShown)
          .forEach(
              each -> line(to, "  %4d  %s -> %s", each.count(), each.route(), each.takenFor()));
    }
  }

  private void printLlm(PrintWriter to, StageTwo.Outcome outcome) {
    Evaluation.Report report = outcome.report();
    line(
        to,
        "decided, in scope    %s without the model, %s with it",
        share(report.known().alone()),
        share(report.known().together()));
    if (report.nowhere().texts() > 0) {
      line(
          to,
          "decided, out of scope %s without the model, %s with it",
          share(report.nowhere().alone()),
          share(report.nowhere().together()));
    }
    line(
        to,
        "the model            %d answers, not answered %s, %d mended, %d spoiled; p50 %d ms, p99 %d"
            + " ms; %d calls to measure it",
        report.answered(),
        report.notAnswered(),
        report.mended(),
        report.spoiled(),
        report.latencyMillisP50(),
        report.latencyMillisP99(),
        outcome.measuringCalls());
    outcome
        .evidence()
        .ifPresent(
            evidence ->
                line(
                    to,
                    "its trust            of %d examples in doubt it got %d right, stage one %d",
                    evidence.answered(),
                    evidence.modelRight(),
                    evidence.stageRight()));
  }

  private double callsPerMessage() {
    return both.map(each -> (double) (each.calls() - each.measuringCalls()) / texts).orElse(0.0);
  }

  private static Map<String, Object> llm(StageTwo.Outcome outcome) {
    Evaluation.Report report = outcome.report();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put(
        "in_scope_accuracy",
        pair("without", report.known().alone(), "with", report.known().together()));
    json.put(
        "out_of_scope_accuracy",
        pair("without", report.nowhere().alone(), "with", report.nowhere().together()));
    json.put("answered", report.answered());
    json.put("not_answered", report.notAnswered());
    json.put("mended", report.mended());
    json.put("spoiled", report.spoiled());
    json.put(
        "latency_ms", pair("p50", report.latencyMillisP50(), "p99", report.latencyMillisP99()));
    json.put("measuring_calls", outcome.measuringCalls());
    outcome
        .evidence()
        .ifPresent(
            evidence -> {
              json.put("measured_on", evidence.answered());
              json.put("measured_model_right", evidence.modelRight());
              json.put("measured_stage_one_right", evidence.stageRight());
            });
    return json;
  }

  private static Map<String, Object> confusion(Figures.Confusion confusion) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("route", confusion.route());
    json.put("taken_for", confusion.takenFor());
    json.put("count", confusion.count());
    return json;
  }

  private static Map<String, Object> point(Figures.Point point) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("threshold", point.threshold());
    json.put("accuracy", number(point.accuracy()));
    json.put("precision", number(point.precision()));
    json.put("oos_recall", number(point.oosRecall()));
    return json;
  }

  private static Map<String, Object> pair(String a, double x, String b, double y) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put(a, number(x));
    json.put(b, number(y));
    return json;
  }

  private static Double number(double value) {
    return Double.isNaN(value) ? null : Math.round(value * 10_000) / 10_000.0;
  }

  private static String share(double value) {
    return Double.isNaN(value) ? "-     " : String.format(Locale.ROOT, "%.4f", value);
  }

  private static String key(Verdict verdict) {
    return verdict.name().toLowerCase(Locale.ROOT);
  }

  private static void line(PrintWriter to, String format, Object... values) {
    to.println(String.format(Locale.ROOT, format, values));
  }
}
