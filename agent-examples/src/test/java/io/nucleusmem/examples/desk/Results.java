package io.nucleusmem.examples.desk;

import io.nucleusmem.examples.desk.Desk.Document;
import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.examples.desk.text.Extraction;
import java.util.List;

/** Made-up documents and results for the tests. */
final class Results {

  static final String HASH = "0123456789abcdef".repeat(4);

  private Results() {}

  static Document document(String path) {
    return new Document(path, HASH, "UTF-8", 100, 100, 1);
  }

  static Result extract(String path, int round, int words, String... sentences) {
    return new Result(
        path,
        HASH,
        round,
        "analyst-1",
        Result.EXTRACT,
        "",
        List.of(),
        "",
        extraction(words, sentences));
  }

  static Result summary(String path, String summary, String... unsupported) {
    return new Result(
        path,
        HASH,
        1,
        "analyst-1",
        "llm scripted",
        summary,
        List.of(unsupported),
        "",
        extraction(100));
  }

  static Extraction extraction(int words, String... sentences) {
    return new Extraction(
        words,
        words,
        List.of(),
        List.of(sentences),
        List.of(),
        List.of(),
        List.of(),
        new Extraction.Counts(0, sentences.length, 0, 0, 0));
  }
}
