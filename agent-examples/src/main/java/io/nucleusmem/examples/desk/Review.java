package io.nucleusmem.examples.desk;

import io.nucleusmem.examples.desk.Desk.Result;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** The critic's measure: what makes a result weak. It needs no model, so it can be argued with. */
final class Review {

  /** A text of so many words must give at least one key sentence. */
  static final int WORDS_FOR_ONE = 60;

  /** A text of so many words deserves more than three. */
  static final int WORDS_FOR_MANY = 2_000;

  /** Two sentences that share so much of their words (Jaccard) say the same. */
  static final double SAME = 0.6;

  private Review() {}

  /** What is wrong with a result; empty if it is good enough. */
  static Optional<String> weakness(Result result) {
    return result.method().equals(Result.EXTRACT) ? ofExtract(result) : ofSummary(result);
  }

  private static Optional<String> ofExtract(Result result) {
    List<String> sentences = result.extraction().keySentences();
    int words = result.extraction().words();
    if (sentences.isEmpty() && words >= WORDS_FOR_ONE) {
      return Optional.of("no key sentence, though the text has %d words".formatted(words));
    }
    for (int i = 0; i < sentences.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (likeness(sentences.get(i), sentences.get(j)) >= SAME) {
          return Optional.of("sentences %d and %d say nearly the same".formatted(j + 1, i + 1));
        }
      }
    }
    if (words >= WORDS_FOR_MANY && sentences.size() <= 3) {
      return Optional.of(
          "%d key sentences are few for %d words".formatted(sentences.size(), words));
    }
    return Optional.empty();
  }

  private static Optional<String> ofSummary(Result result) {
    if (result.summary().isBlank()) {
      return Optional.of("the summary is empty");
    }
    if (!result.unsupported().isEmpty()) {
      return Optional.of(
          "the summary has numbers that the text does not have: "
              + String.join(", ", result.unsupported()));
    }
    return Optional.empty();
  }

  private static double likeness(String a, String b) {
    Set<String> both = words(a);
    Set<String> all = new HashSet<>(both);
    both.retainAll(words(b));
    all.addAll(words(b));
    return all.isEmpty() ? 1 : (double) both.size() / all.size();
  }

  private static Set<String> words(String text) {
    var words = new HashSet<>(List.of(text.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{N}]+")));
    words.remove("");
    return words;
  }
}
