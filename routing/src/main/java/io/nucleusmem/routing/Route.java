package io.nucleusmem.routing;

import java.util.List;
import java.util.Map;

/**
 * What messages a target wants, in words.
 *
 * @param name unique among the routes; 1 to 128 of {@code [A-Za-z0-9._-]}, not starting with a dot
 * @param description what it is about, one or a few sentences; may be empty if there are examples
 * @param examples utterances that belong here; may be empty if there is a description
 * @param labels free
 */
public record Route(
    String name,
    Target target,
    String description,
    List<String> examples,
    Map<String, String> labels) {

  public Route {
    examples = List.copyOf(examples);
    labels = Map.copyOf(labels);
  }
}
