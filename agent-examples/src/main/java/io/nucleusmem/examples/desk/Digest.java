package io.nucleusmem.examples.desk;

import io.nucleusmem.examples.desk.Desk.Document;
import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.examples.desk.Desk.Verdict;
import io.nucleusmem.examples.desk.text.DateMention;
import io.nucleusmem.examples.desk.text.Extraction;
import io.nucleusmem.examples.desk.text.Figure;
import io.nucleusmem.examples.desk.text.Heading;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes the digest: one section per document, in the order of their paths, then what was left out.
 * Neither times nor agents' names are in it, so the same documents give the same digest however
 * often the work was interrupted; who said what and when is in the store.
 */
final class Digest {

  /** All of a digest fits into one value of 1 MiB. */
  static final int BYTES_MAX = 900 << 10;

  private static final int NAMED_PER_REASON = 50;
  private static final int NAMED_MAX = 300;

  /** How much of each list a section shows; the first level that fits is taken. */
  private enum Detail {
    FULL(30, 30),
    SHORT(8, 8),
    SENTENCES(0, 0),
    NAME(0, 0);

    final int headings;
    final int others;

    Detail(int headings, int others) {
      this.headings = headings;
      this.others = others;
    }
  }

  /**
   * What a digest is made of.
   *
   * @param folder the last name of the folder's path
   * @param results by path; those of documents that changed since or are gone are passed over
   * @param leftOut reasons by path
   */
  record Sources(
      String folder,
      SortedMap<String, Document> documents,
      Map<String, Result> results,
      Map<String, Verdict> verdicts,
      SortedMap<String, String> leftOut) {

    /** The result for a document as it is now; null if there is none yet. */
    Result resultOf(Document document) {
      Result result = results.get(document.path());
      return result != null && result.hash().equals(document.hash()) ? result : null;
    }

    /** True if the critic has had the last word on a document. */
    boolean isDone(Document document) {
      Result result = resultOf(document);
      Verdict verdict = verdicts.get(document.path());
      return result != null
          && verdict != null
          && verdict.accepted()
          && verdict.hash().equals(document.hash())
          && verdict.round() == result.round();
    }

    /** How many documents the critic has accepted. */
    int done() {
      return (int) documents.values().stream().filter(this::isDone).count();
    }

    /** True if nothing is left to do. */
    boolean complete() {
      return done() == documents.size();
    }
  }

  private Digest() {}

  /** The digest as Markdown, with {@code \n} at each line's end. */
  static String render(Sources sources) {
    var out = new StringBuilder();
    out.append("# Digest of ").append(escaped(sources.folder())).append("\n\n");
    out.append(summaryLine(sources));
    int budget = BYTES_MAX * 3 / 4 / Math.max(1, sources.documents().size());
    boolean shortened = false;
    int used = 0;
    int missing = 0;
    for (Document document : sources.documents().values()) {
      for (Detail detail : Detail.values()) {
        String section = section(sources, document, detail);
        int size = size(section);
        if (size <= budget || detail == Detail.NAME) {
          boolean fits = used + size <= BYTES_MAX * 3 / 4;
          out.append(fits ? section : "");
          used += fits ? size : 0;
          missing += fits ? 0 : 1;
          shortened |= detail != Detail.FULL;
          break;
        }
      }
    }
    if (missing > 0) {
      out.append("\n… and %d more documents.\n".formatted(missing));
    }
    if (shortened) {
      out.append("\n(Shortened to fit. The whole of it: entries summary:")
          .append(Desk.RESULTS)
          .append("PATH of space ")
          .append(Desk.SPACE)
          .append(".)\n");
    }
    out.append(leftOut(sources.leftOut()));
    return out.toString();
  }

  private static String summaryLine(Sources sources) {
    long revised =
        sources.documents().values().stream()
            .map(sources::resultOf)
            .filter(result -> result != null && result.round() > 1)
            .count();
    int all = sources.documents().size();
    String line = "%d %s".formatted(all, all == 1 ? "document" : "documents");
    if (!sources.complete()) {
      line += ", %d of them done".formatted(sources.done());
    }
    return line
        + (revised > 0 ? "; %d revised after review".formatted(revised) : "")
        + (sources.leftOut().isEmpty() ? "" : "; %d left out".formatted(sources.leftOut().size()))
        + ".\n";
  }

  private static String section(Sources sources, Document document, Detail detail) {
    var out = new StringBuilder("\n## " + escaped(document.path()) + "\n");
    Result result = sources.resultOf(document);
    if (result == null) {
      return out.append("\nNot analysed yet.\n").toString();
    }
    if (detail == Detail.NAME) {
      return out.toString();
    }
    Extraction found = result.extraction();
    out.append(
        "\n%d words, %d bytes, %s."
            .formatted(found.words(), document.bytes(), document.encoding()));
    Verdict verdict = sources.verdicts().get(document.path());
    if (result.round() > 1) {
      out.append(" Revised after review.");
    }
    if (sources.isDone(document) && !verdict.reason().isEmpty()) {
      out.append(" The critic's remark: ").append(escaped(verdict.reason())).append(".");
    } else if (!sources.isDone(document)) {
      out.append(" Under review.");
    }
    if (!result.note().isEmpty()) {
      out.append(" Note: ").append(escaped(result.note())).append(".");
    }
    out.append("\n");
    if (!result.summary().isBlank()) {
      out.append("\nSummary (").append(escaped(result.method())).append("):\n\n> ");
      out.append(escaped(result.summary().strip()).replaceAll("\\R", "\n> ")).append("\n");
    }
    list(
        out, "Key sentences", found.keySentences(), found.keySentences().size(), Integer.MAX_VALUE);
    list(out, "Headings", indented(found.headings()), found.counts().headings(), detail.headings);
    inline(
        out,
        "Dates",
        found.dates().stream().map(Digest::date).toList(),
        found.counts().dates(),
        detail.others);
    inline(
        out,
        "Figures",
        found.figures().stream().map(Figure::written).map(Digest::escaped).toList(),
        found.counts().figures(),
        detail.others);
    inline(
        out,
        "Links",
        found.links().stream().map(link -> code(link.target())).toList(),
        found.counts().links(),
        detail.others);
    return out.toString();
  }

  /** Two spaces a level; never two levels at once, which Markdown would take for code. */
  private static List<String> indented(List<Heading> headings) {
    var lines = new ArrayList<String>();
    int depth = -1;
    for (Heading heading : headings) {
      depth = Math.min(heading.level() - 1, depth + 1);
      lines.add("  ".repeat(depth) + heading.text());
    }
    return lines;
  }

  private static String date(DateMention date) {
    return escaped(date.written())
        + (date.iso().isEmpty() || date.written().startsWith(date.iso())
            ? ""
            : " (" + date.iso() + ")");
  }

  private static void list(
      StringBuilder out, String title, List<String> lines, int all, int limit) {
    if (lines.isEmpty() || limit == 0) {
      return;
    }
    out.append("\n").append(title).append(":\n\n");
    for (String line : lines.subList(0, Math.min(lines.size(), limit))) {
      String text = line.stripLeading();
      out.append(line, 0, line.length() - text.length()).append("- ");
      out.append(escaped(text)).append("\n");
    }
    int shown = Math.min(lines.size(), limit);
    out.append(all > shown ? "- … and %d more\n".formatted(all - shown) : "");
  }

  private static void inline(
      StringBuilder out, String title, List<String> items, int all, int limit) {
    if (items.isEmpty() || limit == 0) {
      return;
    }
    int shown = Math.min(items.size(), limit);
    out.append("\n").append(title).append(": ");
    out.append(String.join(" · ", items.subList(0, shown)));
    out.append(all > shown ? " … and %d more".formatted(all - shown) : "").append("\n");
  }

  /** By reason; each file is named, up to a limit per reason. */
  private static String leftOut(SortedMap<String, String> leftOut) {
    if (leftOut.isEmpty()) {
      return "";
    }
    SortedMap<String, List<String>> byReason = new TreeMap<>();
    leftOut.forEach(
        (path, reason) -> byReason.computeIfAbsent(reason, r -> new ArrayList<>()).add(path));
    var out = new StringBuilder("\n## Left out\n\n");
    int named = 0;
    for (Map.Entry<String, List<String>> each : byReason.entrySet()) {
      List<String> paths = each.getValue();
      int shown = Math.min(paths.size(), Math.min(NAMED_PER_REASON, NAMED_MAX - named));
      if (shown <= 0) {
        return out.append("- … and other reasons\n").toString();
      }
      named += shown;
      out.append("- ").append(escaped(each.getKey())).append(": ");
      out.append(String.join(", ", paths.subList(0, shown).stream().map(Digest::code).toList()));
      out.append(paths.size() > shown ? " … and %d more".formatted(paths.size() - shown) : "");
      out.append("\n");
    }
    return out.toString();
  }

  private static int size(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /** Text that Markdown shows as it is. */
  private static String escaped(String text) {
    return text.replaceAll("[\\p{Cntrl}&&[^\\n]]", " ")
        .replaceAll("([\\\\`*\\[\\]<>])", "\\\\$1")
        .replaceAll("^([#+-])(?=\\s)", "\\\\$1")
        .replaceAll("^(\\d+)\\.(?=\\s)", "$1\\\\.");
  }

  private static String code(String text) {
    return "`" + text.replaceAll("[\\p{Cntrl}`]", " ") + "`";
  }
}
