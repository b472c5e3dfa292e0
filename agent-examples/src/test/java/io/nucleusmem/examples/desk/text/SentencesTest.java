package io.nucleusmem.examples.desk.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SentencesTest {

  @Test
  void endsBehindMarksAndTheirClosingQuotes() {
    assertThat(Sentences.of("It works. \"Does it?\" Yes! 3 of 4 agree… Fine"))
        .containsExactly("It works.", "\"Does it?\"", "Yes!", "3 of 4 agree…", "Fine");
  }

  @Test
  void doesNotEndBehindAbbreviationsInitialsVersionsAndListNumbers() {
    assertThat(Sentences.of("See e.g. Dr. J. Smith on Akka 2.8.5 of Sept. 2023. Then go on."))
        .containsExactly("See e.g. Dr. J. Smith on Akka 2.8.5 of Sept. 2023.", "Then go on.");
    assertThat(Sentences.of("1. First of all")).containsExactly("1. First of all");
  }

  @Test
  void doesNotEndWhereNoCapitalFollows() {
    assertThat(Sentences.of("Set node.conf. and so on"))
        .containsExactly("Set node.conf. and so on");
  }

  @Test
  void cutsWhatHasNoEndAtASpaceAndNeverInsideACodePoint() {
    String endless = "word ".repeat(500);
    assertThat(Sentences.of(endless))
        .allSatisfy(s -> assertThat(s.length()).isLessThanOrEqualTo(Sentences.CHARS_MAX))
        .allSatisfy(s -> assertThat(s).startsWith("word").endsWith("word"));

    String noSpaces = "a" + "😀".repeat(1_000);
    assertThat(String.join("", Sentences.of(noSpaces))).isEqualTo(noSpaces);
    assertThat(Sentences.of(noSpaces)).noneMatch(s -> Character.isLowSurrogate(s.charAt(0)));
  }

  @Test
  void wordsAreInLowerCaseAndKeepHyphens() {
    assertThat(Sentences.words("Single-writer order, isn't it?"))
        .containsExactly("single-writer", "order", "isn't", "it");
  }
}
