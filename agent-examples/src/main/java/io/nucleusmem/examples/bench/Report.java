package io.nucleusmem.examples.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What was measured: a line on the terminal at once, a JSON file at the end. */
final class Report {
  private final List<Map<String, Object>> rows = new ArrayList<>();

  Report() {
    System.out.printf(
        "%-34s %14s %-8s %14s %8s  %s%n", "name", "value", "unit", "baseline", "ratio", "to reach");
  }

  /** A value beside its baseline; NaN if it has none. */
  void add(String name, double value, String unit, double baseline, String target) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("name", name);
    row.put("value", round(value));
    row.put("unit", unit);
    row.put("baseline", Double.isNaN(baseline) ? null : round(baseline));
    row.put("ratio", Double.isNaN(baseline) ? null : round(value / baseline));
    rows.add(row);
    System.out.printf(
        Locale.ROOT,
        "%-34s %14s %-8s %14s %8s  %s%n",
        name,
        text(value),
        unit,
        Double.isNaN(baseline) ? "-" : text(baseline),
        Double.isNaN(baseline) ? "-" : String.format(Locale.ROOT, "%.2f", value / baseline),
        target);
  }

  void write(Path file) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(file.toFile(), rows);
    System.out.println("written to " + file);
  }

  private static double round(double value) {
    return Math.round(value * 1_000) / 1_000.0;
  }

  private static String text(double value) {
    return Math.abs(value) >= 100
        ? String.format(Locale.ROOT, "%,.0f", value)
        : String.format(Locale.ROOT, "%.3f", value);
  }
}
