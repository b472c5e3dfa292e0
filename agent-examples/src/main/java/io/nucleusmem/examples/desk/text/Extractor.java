package io.nucleusmem.examples.desk.text;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Takes headings, key sentences, dates, figures and links out of a text, with no model: the same
 * text gives the same answer, on every machine.
 *
 * @param keySentences how many are wanted
 * @param wordsMin shorter sentences are not chosen
 * @param wordsMax longer ones neither
 * @param items whether texts of lists may be chosen
 * @param similarMax of two sentences with a greater cosine one is left out; 1: none is
 */
public record Extractor(
    int keySentences, int wordsMin, int wordsMax, boolean items, double similarMax) {

  /** Plain LexRank over the paragraphs. */
  public static final Extractor FIRST = new Extractor(3, 6, 40, false, 1.0);

  /** For a second look: more sentences, lists too, nothing said twice. */
  public static final Extractor SECOND = new Extractor(5, 3, 80, true, 0.6);

  static final int HEADINGS_MAX = 200;
  static final int DATES_MAX = 50;
  static final int FIGURES_MAX = 50;
  static final int LINKS_MAX = 100;
  private static final int SHORT_BLOCK_CHARS = 2_000; // longer ones are searched by sentence
  private static final int TITLE_CHARS_MAX = 300;

  private static final Pattern BARE_ADDRESS =
      Pattern.compile("https?://[^\\s<>\"'`)\\]}|]+[^\\s<>\"'`)\\]}|.,;:!?]");

  public Extractor {
    if (keySentences < 1 || keySentences > LexRank.BLOCK / 2) {
      throw new IllegalArgumentException(
          "keySentences is [%d]; it must be 1 to %d".formatted(keySentences, LexRank.BLOCK / 2));
    }
  }

  /** Analyses a text; Markdown where the name ends so, plain text else. */
  public Extraction extract(String name, String text) {
    Outline outline = isMarkdown(name) ? MarkdownOutline.read(text) : PlainOutline.read(text);
    List<String> prose = sentences(outline.prose());
    List<String> listed = sentences(outline.items());

    List<String> candidates = new ArrayList<>(prose);
    if (items) {
      candidates.addAll(listed);
    }
    candidates.removeIf(sentence -> !mayBeChosen(sentence));

    List<DateMention> dates = new ArrayList<>();
    List<Figure> figures = new ArrayList<>();
    List<Link> links = new ArrayList<>(outline.links());
    var texts = new ArrayList<String>();
    outline.headings().forEach(heading -> texts.add(heading.text()));
    texts.addAll(outline.prose());
    texts.addAll(outline.items());
    texts.addAll(outline.rows());
    for (String block : texts) {
      for (String piece :
          block.length() <= SHORT_BLOCK_CHARS ? List.of(block) : Sentences.of(block)) {
        List<Dates.Place> places = Dates.of(piece);
        places.forEach(place -> dates.add(place.date()));
        figures.addAll(Figures.of(piece, places));
        BARE_ADDRESS
            .matcher(piece)
            .results()
            .forEach(address -> links.add(new Link(address.group(), address.group())));
      }
    }

    Collection<DateMention> uniqueDates = firstOfEach(dates, DateMention::written);
    Collection<Figure> uniqueFigures = firstOfEach(figures, Figure::written);
    Collection<Link> uniqueLinks = firstOfEach(links, Link::target);
    return new Extraction(
        wordCount(prose) + wordCount(listed) + wordCount(titlesAndRows(outline)),
        wordCount(candidates),
        outline.headings().stream()
            .limit(HEADINGS_MAX)
            .map(h -> new Heading(h.level(), shortened(h.text())))
            .toList(),
        keySentences(candidates),
        uniqueDates.stream().limit(DATES_MAX).toList(),
        uniqueFigures.stream().limit(FIGURES_MAX).toList(),
        uniqueLinks.stream()
            .limit(LINKS_MAX)
            .map(l -> new Link(shortened(l.text()), shortened(l.target())))
            .toList(),
        new Extraction.Counts(
            outline.headings().size(),
            prose.size() + listed.size(),
            uniqueDates.size(),
            uniqueFigures.size(),
            uniqueLinks.size()));
  }

  /** True if a file of that name is read as Markdown. */
  public static boolean isMarkdown(String name) {
    return name.toLowerCase(Locale.ROOT).matches(".*\\.(md|markdown|mdown|mkd)");
  }

  private List<String> keySentences(List<String> candidates) {
    return new LexRank(candidates)
        .best(keySentences, similarMax).stream()
            .sorted(Comparator.naturalOrder())
            .map(candidates::get)
            .toList();
  }

  private boolean mayBeChosen(String sentence) {
    int words = Sentences.words(BARE_ADDRESS.matcher(sentence).replaceAll("")).size();
    return words >= wordsMin && words <= wordsMax;
  }

  private static List<String> titlesAndRows(Outline outline) {
    List<String> texts = new ArrayList<>(outline.rows());
    outline.headings().forEach(heading -> texts.add(heading.text()));
    return sentences(texts);
  }

  private static List<String> sentences(List<String> blocks) {
    return blocks.stream().flatMap(block -> Sentences.of(block).stream()).toList();
  }

  private static int wordCount(List<String> sentences) {
    return sentences.stream().mapToInt(sentence -> Sentences.words(sentence).size()).sum();
  }

  private static String shortened(String text) {
    return text.codePointCount(0, text.length()) <= TITLE_CHARS_MAX
        ? text
        : text.substring(0, text.offsetByCodePoints(0, TITLE_CHARS_MAX)) + "…";
  }

  private static <T> Collection<T> firstOfEach(List<T> all, Function<T, String> by) {
    Map<String, T> first = new LinkedHashMap<>();
    all.forEach(each -> first.putIfAbsent(by.apply(each), each));
    return first.values();
  }
}
