package io.nucleusmem.memspace;

import java.util.List;
import java.util.Optional;

/**
 * A page of something.
 *
 * @param revision the state that all pages of this listing show; 0 where there is no such thing
 * @param next cursor of the next page; empty on the last one
 */
public record Paged<T>(List<T> items, long revision, Optional<String> next) {
  public Paged {
    items = List.copyOf(items);
  }
}
