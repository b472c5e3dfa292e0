package io.nucleusmem.examples.desk;

import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.examples.desk.Desk.Task;
import io.nucleusmem.examples.desk.text.Extraction;
import io.nucleusmem.examples.desk.text.Extractor;
import java.util.List;
import java.util.Optional;

/** The analyst's tool: takes seconds for a long text, longer with a model. */
final class Analysis implements Tool {

  private final Optional<Summarizer> summarizer;

  Analysis(Optional<Summarizer> summarizer) {
    this.summarizer = summarizer;
  }

  /** A model that fails is named in the result's note. */
  @Override
  public Result of(Task task, String analyst, String text) {
    Extractor extractor = task.round() == 1 ? Extractor.FIRST : Extractor.SECOND;
    Extraction extraction;
    try {
      extraction = extractor.extract(task.path(), text);
    } catch (RuntimeException | StackOverflowError e) {
      // one odd document must not hold up the others, again and again
      String note = "could not be analysed (%s)".formatted(shortly(e));
      return result(task, analyst, Result.EXTRACT, "", List.of(), note, Extraction.NOTHING);
    }
    if (summarizer.isEmpty()) {
      return result(task, analyst, Result.EXTRACT, "", List.of(), "", extraction);
    }
    Summarizer model = summarizer.get();
    try {
      String summary = model.summarize(task.path(), text, extraction, task.reason());
      return result(
          task,
          analyst,
          "llm " + model.name(),
          summary,
          Summarizer.unsupported(summary, text),
          "",
          extraction);
    } catch (RuntimeException e) {
      String note =
          "no summary by model %s (%s), key sentences instead".formatted(model.name(), shortly(e));
      return result(task, analyst, Result.EXTRACT, "", List.of(), note, extraction);
    }
  }

  private static Result result(
      Task task,
      String analyst,
      String method,
      String summary,
      List<String> unsupported,
      String note,
      Extraction extraction) {
    return new Result(
        task.path(),
        task.hash(),
        task.round(),
        analyst,
        method,
        summary,
        unsupported,
        note,
        extraction);
  }

  private static String shortly(Throwable e) {
    String message = String.valueOf(e.getMessage()).replaceAll("\\s+", " ").strip();
    return e.getClass().getSimpleName()
        + ": "
        + (message.length() <= 120 ? message : message.substring(0, 120) + "…");
  }
}
