package io.nucleusmem.examples.desk.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ExtractorTest {

  private static final String MARKDOWN =
      """
      ---
      title: not a heading
      ---
      # The desk *works*

      The desk reads a document on 2026-11-23 and finds what it says. See the
      [guide](docs/guide.md "a title") for more about the desk and its documents.
      A bird sang.

      Measured
      --------

      | what | figure |
      |---|---:|
      | one write | 4 KiB |

      - the desk has four agents that share a document, see <https://example.org/desk>
      - or https://example.org/more.

      ```java
      // On 1999-01-01 code took 5 ms: https://example.org/code
      ```
      ### Last ###
      """;

  @Test
  void readsTheStructureOfMarkdown() {
    Extraction found = Extractor.FIRST.extract("a.md", MARKDOWN);
    assertThat(found.headings())
        .containsExactly(
            new Heading(1, "The desk works"), new Heading(2, "Measured"), new Heading(3, "Last"));
    assertThat(found.links())
        .containsExactly(
            new Link("guide", "docs/guide.md"),
            new Link("https://example.org/desk", "https://example.org/desk"),
            new Link("https://example.org/more", "https://example.org/more"));
  }

  @Test
  void findsDatesAndFiguresOutsideOfCode() {
    Extraction found = Extractor.FIRST.extract("a.md", MARKDOWN);
    assertThat(found.dates()).containsExactly(new DateMention("2026-11-23", "2026-11-23"));
    assertThat(found.figures()).containsExactly(new Figure("4 KiB", "4", "KiB"));
  }

  @Test
  void keySentencesAreTheTextsOwnInItsOrder() {
    assertThat(Extractor.FIRST.extract("a.md", MARKDOWN).keySentences())
        .containsExactly(
            "The desk reads a document on 2026-11-23 and finds what it says.",
            "See the guide for more about the desk and its documents.");
    assertThat(Extractor.SECOND.extract("a.md", MARKDOWN).keySentences())
        .contains("A bird sang.")
        .anyMatch(s -> s.startsWith("the desk has four agents"))
        .hasSize(4);
  }

  @Test
  void readsPlainTextByItsUnderlinesAndCapitals() {
    Extraction found =
        Extractor.FIRST.extract(
            "notes.txt",
            """
            A report
            ========

            It was written by the people of the desk on 23 May 2026.
            # this is no heading here

            SECOND PART

            1. an item of a list
            Sub part
            ~~~~~~~~
            """);
    assertThat(found.headings())
        .contains(new Heading(1, "A report"), new Heading(2, "SECOND PART"));
    assertThat(found.dates()).extracting(DateMention::iso).containsExactly("2026-05-23");
  }

  @Test
  void sameTextSameAnswer() {
    assertThat(Extractor.SECOND.extract("a.md", MARKDOWN))
        .isEqualTo(Extractor.SECOND.extract("a.md", MARKDOWN));
  }

  @Test
  void listsEndAtTheirLimitsAndTheCountsTell() {
    String many = "# H\n\nSee https://example.org/%d now, it took %d ms.\n\n";
    var text = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      text.append(many.formatted(i, i));
    }
    Extraction found = Extractor.FIRST.extract("a.md", text.toString());
    assertThat(found.headings()).hasSize(Extractor.HEADINGS_MAX);
    assertThat(found.links()).hasSize(Extractor.LINKS_MAX);
    assertThat(found.figures()).hasSize(Extractor.FIGURES_MAX);
    assertThat(found.counts()).isEqualTo(new Extraction.Counts(300, 300, 0, 300, 300));
  }

  @Test
  void fiveMegabytesAreReadWhole() {
    var text = new StringBuilder("# Start\n\n");
    for (int i = 0; text.length() < 5 << 20; i++) {
      text.append("Sentence ").append(i).append(" tells of station ").append(i % 97);
      text.append(" and its train number ").append(i % 31).append(".\n");
      if (i % 9 == 0) {
        text.append('\n');
      }
    }
    text.append("\n## The very end\n\nIt ends on 23 November 2026.\n");
    Instant start = Instant.now();
    Extraction found = Extractor.SECOND.extract("big.md", text.toString());
    assertThat(found.headings()).contains(new Heading(2, "The very end"));
    assertThat(found.dates()).hasSize(1);
    assertThat(found.keySentences()).hasSize(5);
    assertThat(Duration.between(start, Instant.now())).isLessThan(Duration.ofSeconds(30));
  }

  @Test
  void oneLineOfFiveMegabytesIsNoTrouble() {
    String line = "x1,000,000 ".repeat((5 << 20) / 11);
    assertThat(Extractor.SECOND.extract("line.txt", line).words()).isPositive();
    assertThat(Extractor.SECOND.extract("dash.md", "a-".repeat(1 << 20)).words()).isPositive();
    assertThat(Extractor.SECOND.extract("num.txt", "1" + ",000".repeat(1 << 19)).figures())
        .isEmpty();
  }

  @Test
  void wantsASensibleNumberOfSentences() {
    assertThatThrownBy(() -> new Extractor(0, 1, 2, true, 1))
        .hasMessageContaining("keySentences is [0]");
  }
}
