package io.nucleusmem.cli.evaluate;

import io.nucleusmem.routing.Route;
import io.nucleusmem.routing.Target;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The labels of a file as routes. A label may be any text, a route's name may not: so they are
 * numbered.
 */
final class Labels {
  private final List<String> labels;
  private final Map<String, String> names = new HashMap<>();
  private final List<Route> routes = new ArrayList<>();

  private Labels(TreeMap<String, List<String>> examples, boolean describe) {
    this.labels = List.copyOf(examples.keySet());
    examples.forEach(
        (label, texts) -> {
          String name = "route-%05d".formatted(names.size());
          names.put(label, name);
          String words = label.replaceAll("[_./-]+", " ").strip();
          routes.add(
              new Route(name, new Target.Agent(name), describe ? words : "", texts, Map.of()));
        });
  }

  /**
   * @param oos rows of this label make no route; null if there is none
   * @param describe whether a label's words are its route's description
   */
  static Labels of(List<LabelledTexts.Row> rows, String oos, boolean describe) {
    TreeMap<String, List<String>> examples = new TreeMap<>();
    for (LabelledTexts.Row row : rows) {
      if (!row.route().equals(oos)) {
        examples.computeIfAbsent(row.route(), label -> new ArrayList<>()).add(row.text());
      }
    }
    return new Labels(examples, describe);
  }

  List<Route> routes() {
    return routes;
  }

  boolean knows(String label) {
    return names.containsKey(label);
  }

  String name(String label) {
    return names.get(label);
  }

  String label(String name) {
    return labels.get(Integer.parseInt(name.substring(name.lastIndexOf('-') + 1)));
  }
}
