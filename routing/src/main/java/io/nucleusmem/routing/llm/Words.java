package io.nucleusmem.routing.llm;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** The distinct words of a text, in small letters. */
record Words(Set<String> words) {
  private static final int EXAMPLES_MAX = 200; // about a millisecond

  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+");

  static Words of(String text) {
    Set<String> words = new HashSet<>();
    WORD.matcher(text.toLowerCase(Locale.ROOT)).results().forEach(word -> words.add(word.group()));
    return new Words(words);
  }

  /**
   * Those that share most words with this text; of equal ones, those that come first. Of very many
   * only the first are looked at, and only their beginning.
   */
  List<String> nearest(List<String> examples, int max, int charsMax) {
    record Shared(String example, int words) {}
    return examples.stream()
        .limit(EXAMPLES_MAX)
        .map(example -> new Shared(example, shared(Texts.head(example, charsMax))))
        .sorted(Comparator.comparingInt(Shared::words).reversed())
        .limit(max)
        .map(Shared::example)
        .toList();
  }

  private int shared(String example) {
    return (int) of(example).words().stream().filter(words::contains).count();
  }
}
