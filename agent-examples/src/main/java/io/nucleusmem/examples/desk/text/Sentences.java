package io.nucleusmem.examples.desk.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Cuts a paragraph into sentences: behind {@code . ! ? …} and closing quotes, where white space and
 * a capital, a digit or an opening mark follow, but not behind abbreviations, initials and list
 * numbers. Better than {@code java.text.BreakIterator} at abbreviations, which it does not know.
 */
final class Sentences {

  /** A sentence longer than this is cut at a space: tables and minified text have no sentences. */
  static final int CHARS_MAX = 600;

  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+(?:[-'’][\\p{L}\\p{N}]++)*+");

  private static final Set<String> ABBREVIATIONS =
      Set.of(
          "e.g.", "i.e.", "etc.", "cf.", "vs.", "mr.", "mrs.", "ms.", "dr.", "prof.", "st.", "no.",
          "fig.", "sec.", "vol.", "pp.", "p.", "al.", "approx.", "inc.", "ltd.", "jan.", "feb.",
          "mar.", "apr.", "jun.", "jul.", "aug.", "sep.", "sept.", "oct.", "nov.", "dec.", "z.b.",
          "d.h.", "bzw.", "usw.", "ca.", "nr.");

  private Sentences() {}

  /** The sentences of a paragraph on one line, in order; none is empty or longer than the limit. */
  static List<String> of(String paragraph) {
    var sentences = new ArrayList<String>();
    int start = 0;
    for (int i = 0; i < paragraph.length(); i++) {
      if (i - start >= CHARS_MAX) {
        int space = paragraph.lastIndexOf(' ', i);
        int end = space > start ? space : wholeCodePoint(paragraph, i);
        add(sentences, paragraph.substring(start, end));
        start = end;
      } else if (endsSentence(paragraph, start, i)) {
        int end = behindClosing(paragraph, i + 1);
        add(sentences, paragraph.substring(start, end));
        start = end;
        i = end - 1;
      }
    }
    add(sentences, paragraph.substring(start));
    return sentences;
  }

  /** The words of a text in lower case. */
  static List<String> words(String text) {
    return WORD.matcher(text).results().map(m -> m.group().toLowerCase(Locale.ROOT)).toList();
  }

  private static boolean endsSentence(String text, int start, int at) {
    if (".!?…".indexOf(text.charAt(at)) < 0) {
      return false;
    }
    int next = behindClosing(text, at + 1);
    if (next >= text.length()) {
      return true;
    }
    if (!Character.isWhitespace(text.charAt(next))) {
      return false;
    }
    while (next < text.length() && Character.isWhitespace(text.charAt(next))) {
      next++;
    }
    return next >= text.length()
        || (opensSentence(text.charAt(next))
            && (text.charAt(at) != '.' || !isAbbreviation(text, start, at)));
  }

  private static boolean opensSentence(char c) {
    return Character.isUpperCase(c) || Character.isDigit(c) || "\"'“„‘«([`*_".indexOf(c) >= 0;
  }

  private static boolean isAbbreviation(String text, int start, int dot) {
    int from = dot;
    while (from > start && !Character.isWhitespace(text.charAt(from - 1))) {
      from--;
    }
    String token = text.substring(from, dot + 1).replaceAll("^[(\\[\"'“]+", "");
    boolean initial = token.length() == 2 && Character.isUpperCase(token.charAt(0));
    boolean listNumber = from == start && token.matches("\\d{1,3}\\.");
    return initial || listNumber || ABBREVIATIONS.contains(token.toLowerCase(Locale.ROOT));
  }

  private static int behindClosing(String text, int from) {
    int end = from;
    while (end < text.length() && ".!?…\"'”’»)]".indexOf(text.charAt(end)) >= 0) {
      end++;
    }
    return end;
  }

  private static int wholeCodePoint(String text, int at) {
    return Character.isLowSurrogate(text.charAt(at)) ? at - 1 : at;
  }

  private static void add(List<String> sentences, String piece) {
    String stripped = piece.strip();
    if (!stripped.isEmpty()) {
      sentences.add(stripped);
    }
  }
}
