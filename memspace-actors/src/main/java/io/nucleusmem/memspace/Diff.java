package io.nucleusmem.memspace;

import java.util.List;
import java.util.Optional;

/**
 * A page of differences, by region and key.
 *
 * @param before name and revision of the first side
 * @param next cursor of the next page; a page may be empty and not the last
 */
public record Diff(List<Difference> items, State before, State after, Optional<String> next) {

  /** A space at a revision. */
  public record State(String space, long revision) {}

  public Diff {
    items = List.copyOf(items);
  }
}
