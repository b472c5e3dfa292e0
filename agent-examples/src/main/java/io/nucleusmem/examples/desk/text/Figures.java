package io.nucleusmem.examples.desk.text;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Finds numbers with a unit: 4 KiB, 1,200 ms, 99.9 %, $5 million, 3.2 GHz, 12,000 requests/s, 90
 * days. A number alone says little and is no figure. Digits inside of words, versions (2.8.5) and
 * dates do not count.
 */
final class Figures {

  private static final String NUMBER =
      "(?<n>\\d{1,3}(?:[,\\u202f']\\d{3})++(?:\\.\\d+)?|\\d+(?:[.,]\\d+)?)";
  private static final String SCALE = "(?:\\s?(?:thousand|million|billion|trillion))?";
  private static final String UNIT =
      "(?<u>%|‰|percent|per cent|°C|°F|K(?=\\b)|"
          + "(?:[kKMGTPE]i?)?B(?:/s)?|(?:[kMGT]i?)?bit(?:/s)?|[kMGT]bps|bytes?|characters?|tokens?|"
          + "ns|µs|μs|us|ms|s|sec|min|h|nanoseconds?|microseconds?|milliseconds?|seconds?|minutes?|"
          + "hours?|days?|weeks?|months?|years?|"
          + "(?:[kMG])?Hz|(?:[kMG])?Wh?|[mk]V|mA|"
          + "km/h|[kcmn]?m|m²|km²|m³|miles?|ft|inch(?:es)?|[kmµ]?g|t|tons?|tonnes?|ml|l|litres?|liters?|"
          + "€|EUR|USD|GBP|CHF|euros?|dollars?|pounds?|"
          + "(?:requests?|writes?|reads?|operations?|ops|commits?|messages?|events?|rows?|records?)/s|/s|"
          + "vCPUs?|cores?|nodes?|threads?|times|people|users?|pages?|points?|x)";

  private static final Pattern FIGURE =
      Pattern.compile(
          "(?<![\\p{L}\\p{N}_.,/-])(?:(?<c>[$€£])\\s?"
              + NUMBER
              + "(?:[kM]|bn)?"
              + SCALE
              + "|"
              + NUMBER.replace("<n>", "<m>")
              + "(?<sc>"
              + SCALE
              + ")\\s?"
              + UNIT
              + ")(?![\\p{L}\\p{N}_²³])");

  private Figures() {}

  /** The figures of a text in its order, repetitions included; none inside of a date. */
  static List<Figure> of(String text, List<Dates.Place> dates) {
    var figures = new ArrayList<Figure>();
    var matcher = FIGURE.matcher(text);
    while (matcher.find()) {
      int from = matcher.start();
      int to = matcher.end();
      if (dates.stream().noneMatch(d -> from < d.to() && d.from() < to)) {
        boolean currencyFirst = matcher.group("c") != null;
        String number = currencyFirst ? matcher.group("n") : matcher.group("m");
        String unit =
            currencyFirst
                ? matcher.group("c")
                : (matcher.group("sc").strip() + " " + matcher.group("u")).strip();
        figures.add(
            new Figure(
                matcher.group().replaceAll("\\s+", " "),
                number.replaceAll("[\\u202f']|,(?=\\d{3}(?:\\D|$))", ""),
                unit));
      }
    }
    return figures;
  }
}
