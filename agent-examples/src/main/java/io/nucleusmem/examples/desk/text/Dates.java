package io.nucleusmem.examples.desk.text;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.YearMonth;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Finds dates: 2026-11-23 (with or without a time), 23 November 2026, November 23rd, 2026,
 * 23.11.2026, 11/23/2026, November 2026. Month names in English and German. What no calendar has,
 * as 2026-02-30, is no date.
 */
final class Dates {

  private static final Map<String, Integer> MONTHS =
      Map.ofEntries(
          Map.entry("jan", 1),
          Map.entry("feb", 2),
          Map.entry("mar", 3),
          Map.entry("mär", 3),
          Map.entry("apr", 4),
          Map.entry("may", 5),
          Map.entry("mai", 5),
          Map.entry("jun", 6),
          Map.entry("jul", 7),
          Map.entry("aug", 8),
          Map.entry("sep", 9),
          Map.entry("oct", 10),
          Map.entry("okt", 10),
          Map.entry("nov", 11),
          Map.entry("dec", 12),
          Map.entry("dez", 12));

  private static final String MONTH =
      "(?<month>January|February|March|April|May|June|July|August|September|October|November"
          + "|December|Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember"
          + "|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Okt|Nov|Dec|Dez)\\.?)";
  private static final String YEAR = "(?<year>1[0-9]{3}|2[0-9]{3})";

  private record Format(Pattern pattern, Function<MatchResult, String> iso) {}

  /** In order of precedence: where two fit at a place, the earlier one has it. */
  private static final List<Format> FORMATS =
      List.of(
          new Format(
              Pattern.compile(
                  "(?<![\\w.-])(\\d{4})-(\\d{2})-(\\d{2})"
                      + "(?:[T ]\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,9})?)?(?:Z|[+-]\\d{2}:?\\d{2})?)?"
                      + "(?![\\w-])"),
              m -> day(m.group(1), Integer.parseInt(m.group(2)), m.group(3))),
          new Format(
              Pattern.compile(
                  "(?<!\\w)(\\d{1,2})(?:st|nd|rd|th|\\.)?\\s+" + MONTH + ",?\\s+" + YEAR + "\\b"),
              m -> day(m.group(3), month(m.group(2)), m.group(1))),
          new Format(
              Pattern.compile(
                  "\\b" + MONTH + "\\s+(\\d{1,2})(?:st|nd|rd|th)?,?\\s+" + YEAR + "\\b"),
              m -> day(m.group(3), month(m.group(1)), m.group(2))),
          new Format(
              Pattern.compile("(?<![\\w./])(\\d{1,2})\\.(\\d{1,2})\\.(\\d{4})(?![\\w/]|\\.\\d)"),
              m -> day(m.group(3), Integer.parseInt(m.group(2)), m.group(1))),
          new Format(
              Pattern.compile("(?<![\\w./])(\\d{1,2})/(\\d{1,2})/(\\d{4})(?![\\w/]|\\.\\d)"),
              Dates::slashed),
          new Format(
              Pattern.compile("\\b" + MONTH + ",?\\s+" + YEAR + "\\b"),
              m -> YearMonth.of(Integer.parseInt(m.group(2)), month(m.group(1))).toString()));

  /** A date and where it stands. */
  record Place(int from, int to, DateMention date) {}

  private Dates() {}

  /** The dates of a text in its order, repetitions included; no two overlap. */
  static List<Place> of(String text) {
    var places = new ArrayList<Place>();
    for (Format format : FORMATS) {
      var matcher = format.pattern().matcher(text);
      while (matcher.find()) {
        int from = matcher.start();
        int to = matcher.end();
        if (places.stream().noneMatch(p -> from < p.to() && p.from() < to)) {
          try {
            String iso = format.iso().apply(matcher.toMatchResult());
            places.add(new Place(from, to, new DateMention(matcher.group(), iso)));
          } catch (DateTimeException noSuchDay) {
            continue; // looks like a date, and no calendar has it
          }
        }
      }
    }
    places.sort((a, b) -> Integer.compare(a.from(), b.from()));
    return places;
  }

  private static int month(String name) {
    return MONTHS.get(name.substring(0, 3).toLowerCase(Locale.ROOT));
  }

  private static String day(String year, int month, String day) {
    return LocalDate.of(Integer.parseInt(year), month, Integer.parseInt(day)).toString();
  }

  /** 11/23/2026 and 23/11/2026 can be told apart, 03/04/2026 cannot. */
  private static String slashed(MatchResult m) {
    int first = Integer.parseInt(m.group(1));
    int second = Integer.parseInt(m.group(2));
    if (first <= 12 && second <= 12 && first != second) {
      return "";
    }
    return second > 12 ? day(m.group(3), first, m.group(2)) : day(m.group(3), second, m.group(1));
  }
}
