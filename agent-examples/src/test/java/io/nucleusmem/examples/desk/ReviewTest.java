package io.nucleusmem.examples.desk;

import static io.nucleusmem.examples.desk.Results.extract;
import static io.nucleusmem.examples.desk.Results.summary;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReviewTest {

  @Test
  void aShortTextMayHaveNoKeySentenceALongOneMustHaveSome() {
    assertThat(Review.weakness(extract("a.md", 1, 59))).isEmpty();
    assertThat(Review.weakness(extract("a.md", 1, 60)))
        .contains("no key sentence, though the text has 60 words");
  }

  @Test
  void nothingMayBeSaidTwice() {
    assertThat(
            Review.weakness(
                extract(
                    "a.md",
                    1,
                    100,
                    "The desk has an editor.",
                    "Birds sing at dawn.",
                    "The desk has one editor.")))
        .contains("sentences 1 and 3 say nearly the same");
  }

  @Test
  void aVeryLongTextDeservesMoreThanThreeSentences() {
    assertThat(Review.weakness(extract("a.md", 1, 2_000, "One thing.", "Another.", "Third one.")))
        .contains("3 key sentences are few for 2000 words");
    assertThat(Review.weakness(extract("a.md", 2, 2_000, "One.", "Two.", "Three.", "Four.")))
        .isEmpty();
  }

  @Test
  void aSummaryMustNotBeEmptyOrMakeUpNumbers() {
    assertThat(Review.weakness(summary("a.md", "It is about a desk."))).isEmpty();
    assertThat(Review.weakness(summary("a.md", " "))).contains("the summary is empty");
    assertThat(Review.weakness(summary("a.md", "It took 42 ms.", "42")).orElseThrow())
        .endsWith("numbers that the text does not have: 42");
  }
}
