package io.nucleusmem.routing.embedding;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A text as the matcher sees it: its direction, and its words.
 *
 * <p>The words beside the embedding are worth a percent of accuracy: a small encoder blurs rare
 * ones, such as names of products.
 *
 * @param vector of length 1
 * @param words hashes of its distinct words, rising
 */
record Exemplar(float[] vector, int[] words) {
  /** What common words count beside the cosine of the embeddings. */
  private static final double WORDS_WEIGHT = 0.2;

  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{M}\\p{N}_']+");
  private static final int LANES = 8;

  static Exemplar of(String text, float[] vector) {
    IntStream.Builder words = IntStream.builder();
    Matcher matcher = WORD.matcher(text.toLowerCase(Locale.ROOT));
    while (matcher.find()) {
      words.add(matcher.group().hashCode());
    }
    return new Exemplar(vector, words.build().sorted().distinct().toArray());
  }

  /** The kernel of all that follows: from -1 to 1, 1 for equal texts. */
  double similarity(Exemplar other) {
    return (dot(vector, other.vector) + WORDS_WEIGHT * common(words, other.words))
        / (1 + WORDS_WEIGHT);
  }

  /** The cosine of two sets of words. */
  private static double common(int[] a, int[] b) {
    if (a.length == 0 || b.length == 0) {
      return 0;
    }
    int both = 0;
    int i = 0;
    int j = 0;
    while (i < a.length && j < b.length) {
      if (a[i] == b[j]) {
        both++;
        i++;
        j++;
      } else if (a[i] < b[j]) {
        i++;
      } else {
        j++;
      }
    }
    return both / Math.sqrt((double) a.length * b.length);
  }

  /** Sums in lanes, always in the same order: fast, and the same on every machine. */
  static double dot(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new IllegalStateException(
          "vectors of [%d] and [%d] numbers: the embedding model changed"
              .formatted(a.length, b.length));
    }
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    float s4 = 0;
    float s5 = 0;
    float s6 = 0;
    float s7 = 0;
    int i = 0;
    for (; i + LANES <= a.length; i += LANES) {
      s0 += a[i] * b[i];
      s1 += a[i + 1] * b[i + 1];
      s2 += a[i + 2] * b[i + 2];
      s3 += a[i + 3] * b[i + 3];
      s4 += a[i + 4] * b[i + 4];
      s5 += a[i + 5] * b[i + 5];
      s6 += a[i + 6] * b[i + 6];
      s7 += a[i + 7] * b[i + 7];
    }
    float rest = 0;
    for (; i < a.length; i++) {
      rest += a[i] * b[i];
    }
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)) + rest;
  }
}
