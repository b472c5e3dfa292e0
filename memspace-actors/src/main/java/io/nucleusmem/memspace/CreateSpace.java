package io.nucleusmem.memspace;

import java.util.Map;
import java.util.Optional;

/**
 * A space to be made.
 *
 * @param name 1 to 128 of {@code [A-Za-z0-9._-]}, not starting with a dot
 * @param owner default: the caller
 * @param labels at most 64, each name and value at most 128 characters
 */
public record CreateSpace(
    String name,
    SpaceKind kind,
    Optional<String> owner,
    Map<String, String> labels,
    Retention retention) {
  public CreateSpace {
    labels = Map.copyOf(labels);
  }

  /** A shared space of the caller. */
  public static CreateSpace shared(String name) {
    return new CreateSpace(name, SpaceKind.SHARED, Optional.empty(), Map.of(), Retention.KEEP_ALL);
  }

  /** A private space of the caller. */
  public static CreateSpace privateOf(String name) {
    return new CreateSpace(name, SpaceKind.PRIVATE, Optional.empty(), Map.of(), Retention.KEEP_ALL);
  }
}
