package io.nucleusmem.cli.evaluate;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** Accuracy against threshold as an SVG image: drawn without fonts or a display of this machine. */
final class Plot {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 460;
  private static final int LEFT = 60;
  private static final int TOP = 50;
  private static final int SIDE_X = 500;
  private static final int SIDE_Y = 350;

  private final StringBuilder svg = new StringBuilder();
  private int legend;

  private Plot() {}

  static String svg(List<Figures.Point> points, double clearFrom) {
    return new Plot().draw(points, clearFrom);
  }

  private String draw(List<Figures.Point> points, double clearFrom) {
    add(
        "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' viewBox='0 0 %d %d'"
            + " font-family='sans-serif' font-size='12'>",
        WIDTH, HEIGHT, WIDTH, HEIGHT);
    add("<rect width='%d' height='%d' fill='white'/>", WIDTH, HEIGHT);
    add(
        "<text x='%d' y='28' font-size='16'>Routing by embeddings: accuracy against"
            + " threshold</text>",
        LEFT);
    for (int tenth = 0; tenth <= 10; tenth += 2) {
      double value = tenth / 10.0;
      line(x(0), y(value), x(1), y(value), "#ddd");
      line(x(value), y(0), x(value), y(1), "#eee");
      add("<text x='%d' y='%.1f' text-anchor='end'>%.1f</text>", LEFT - 8, y(value) + 4, value);
      add("<text x='%.1f' y='%.1f' text-anchor='middle'>%.1f</text>", x(value), y(0) + 18, value);
    }
    add(
        "<text x='%.1f' y='%.1f' text-anchor='middle'>threshold of the score</text>",
        x(0.5), y(0) + 38);
    series(points, Figures.Point::accuracy, "#1f77b4", "accuracy, in scope");
    series(points, Figures.Point::precision, "#2ca02c", "right among those routed");
    series(points, Figures.Point::oosRecall, "#d62728", "out-of-scope recall");
    line(x(clearFrom), y(0), x(clearFrom), y(1), "#888");
    entry("#888", String.format(Locale.ROOT, "clear from %.2f", clearFrom));
    return svg.append("</svg>\n").toString();
  }

  private void series(
      List<Figures.Point> points, ToDoubleFunction<Figures.Point> of, String colour, String name) {
    StringBuilder path = new StringBuilder();
    for (Figures.Point point : points) {
      double value = of.applyAsDouble(point);
      if (!Double.isNaN(value)) {
        path.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(point.threshold()), y(value)));
      }
    }
    if (!path.isEmpty()) {
      add("<polyline fill='none' stroke='%s' stroke-width='2' points='%s'/>", colour, path);
      entry(colour, name);
    }
  }

  private void entry(String colour, String name) {
    int y = TOP + 20 + 22 * legend++;
    add("<rect x='%d' y='%d' width='14' height='4' fill='%s'/>", LEFT + SIDE_X + 20, y - 4, colour);
    add("<text x='%d' y='%d'>%s</text>", LEFT + SIDE_X + 40, y + 2, name);
  }

  private void line(double x1, double y1, double x2, double y2, String colour) {
    add("<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s'/>", x1, y1, x2, y2, colour);
  }

  private void add(String format, Object... values) {
    svg.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  private static double x(double value) {
    return LEFT + SIDE_X * value;
  }

  private static double y(double value) {
    return TOP + SIDE_Y * (1 - value);
  }
}
