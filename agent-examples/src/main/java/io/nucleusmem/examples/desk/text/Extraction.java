package io.nucleusmem.examples.desk.text;

import java.util.List;

/**
 * What a document says in short. Everything is in the order of the document; lists end at their
 * limits, and the counts tell how many there were.
 *
 * @param sentenceWords how the words are spread: the number of words in sentences that could have
 *     been chosen
 * @param dates each once, by how it is written
 * @param figures each once, by how it is written
 * @param links each target once
 */
public record Extraction(
    int words,
    int sentenceWords,
    List<Heading> headings,
    List<String> keySentences,
    List<DateMention> dates,
    List<Figure> figures,
    List<Link> links,
    Counts counts) {

  /** Of a text that says nothing. */
  public static final Extraction NOTHING =
      new Extraction(
          0, 0, List.of(), List.of(), List.of(), List.of(), List.of(), new Counts(0, 0, 0, 0, 0));

  /** How many there were, before the limits. */
  public record Counts(int headings, int sentences, int dates, int figures, int links) {}

  public Extraction {
    headings = List.copyOf(headings);
    keySentences = List.copyOf(keySentences);
    dates = List.copyOf(dates);
    figures = List.copyOf(figures);
    links = List.copyOf(links);
  }

  /** The same with other key sentences. */
  public Extraction withKeySentences(List<String> other) {
    return new Extraction(words, sentenceWords, headings, other, dates, figures, links, counts);
  }
}
