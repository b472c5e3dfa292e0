package io.nucleusmem.examples.desk;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.examples.desk.Desk.Document;
import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.examples.desk.Desk.Verdict;
import io.nucleusmem.examples.desk.text.Extractor;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class DigestTest {

  private final TreeMap<String, Document> documents = new TreeMap<>();
  private final HashMap<String, Result> results = new HashMap<>();
  private final HashMap<String, Verdict> verdicts = new HashMap<>();
  private final TreeMap<String, String> leftOut = new TreeMap<>();

  @Test
  void hasOneSectionPerDocumentInTheOrderOfPaths() {
    add(Results.extract("b.md", 1, 100, "B speaks."), true);
    add(Results.extract("a.md", 2, 100, "A speaks *loudly*."), true);
    assertThat(render())
        .isEqualTo(
            """
            # Digest of papers

            2 documents; 1 revised after review.

            ## a.md

            100 words, 100 bytes, UTF-8. Revised after review.

            Key sentences:

            - A speaks \\*loudly\\*.

            ## b.md

            100 words, 100 bytes, UTF-8.

            Key sentences:

            - B speaks.
            """);
  }

  @Test
  void whatIsNotDoneIsSaid() {
    documents.put("new.md", Results.document("new.md"));
    add(Results.extract("old.md", 1, 100, "Old."), false);
    assertThat(sources().complete()).isFalse();
    assertThat(render())
        .contains("2 documents, 0 of them done.", "Not analysed yet.", "UTF-8. Under review.");
  }

  @Test
  void aResultOrVerdictOfAnOlderContentOrRoundDoesNotCount() {
    add(Results.extract("a.md", 2, 100, "Old."), true);
    verdicts.put("a.md", new Verdict("a.md", Results.HASH, 1, true, ""));
    assertThat(sources().complete()).isFalse();

    documents.put("a.md", new Document("a.md", "f".repeat(64), "UTF-8", 1, 1, 1));
    assertThat(render()).contains("Not analysed yet.").doesNotContain("Old.");
  }

  @Test
  void filesLeftOutAreNamedByReason() {
    leftOut.put("x.png", "binary");
    leftOut.put("y.png", "binary");
    leftOut.put("z.md", "empty: 0 bytes");
    assertThat(render()).endsWith("- binary: `x.png`, `y.png`\n- empty: 0 bytes: `z.md`\n");
  }

  @Test
  void datesFiguresLinksAndHeadingsAreShown() {
    String text =
        "### Deep first\n# Top\n\nOn 23 May 2026 it took 5 ms, see [there](https://example.org/a).\n";
    add(
        new Result(
            "a.md",
            Results.HASH,
            1,
            "analyst-1",
            Result.EXTRACT,
            "",
            List.of(),
            "a note",
            Extractor.FIRST.extract("a.md", text)),
        true);
    assertThat(render())
        .contains(
            "Headings:\n\n- Deep first\n- Top\n",
            "Dates: 23 May 2026 (2026-05-23)\n",
            "Figures: 5 ms\n",
            "Links: `https://example.org/a`\n",
            "Note: a note.");
  }

  @Test
  void tenThousandDocumentsStillFitIntoOneValue() {
    for (int i = 0; i < 10_000; i++) {
      String path = "folder/" + "n".repeat(80) + i + ".md";
      add(Results.extract(path, 1, 100, "A sentence of some length, told once more."), true);
      leftOut.put(path + ".png", "unreadable: for reason " + i);
    }
    String digest = render();
    assertThat(digest.getBytes(StandardCharsets.UTF_8).length).isLessThan(Digest.BYTES_MAX);
    assertThat(digest).contains("Shortened to fit", "more documents.");
  }

  private void add(Result result, boolean accepted) {
    documents.put(result.path(), Results.document(result.path()));
    results.put(result.path(), result);
    verdicts.put(
        result.path(), new Verdict(result.path(), result.hash(), result.round(), accepted, ""));
  }

  private Digest.Sources sources() {
    return new Digest.Sources("papers", documents, results, verdicts, leftOut);
  }

  private String render() {
    return Digest.render(sources());
  }
}
