package io.nucleusmem.examples.desk.text;

import java.util.List;

/**
 * The parts of a document that the analysis needs, with the marks of its format taken off.
 *
 * @param prose paragraphs, in the order of the document: where sentences are looked for first
 * @param items of lists: fragments more often than sentences
 * @param rows of tables, never sentences
 * @param links those that the format marks as such; bare addresses are still in the texts
 */
public record Outline(
    List<Heading> headings,
    List<String> prose,
    List<String> items,
    List<String> rows,
    List<Link> links) {
  public Outline {
    headings = List.copyOf(headings);
    prose = List.copyOf(prose);
    items = List.copyOf(items);
    rows = List.copyOf(rows);
    links = List.copyOf(links);
  }
}
