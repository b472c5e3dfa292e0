package io.nucleusmem.memspace;

import java.time.Instant;
import java.util.Map;

/**
 * What a space is.
 *
 * @param state active, or archived: then it can be read and not be written
 * @param revision its newest
 */
public record SpaceInfo(
    String name,
    SpaceKind kind,
    String owner,
    Map<String, String> labels,
    State state,
    long revision,
    Instant createdAt,
    Retention retention) {

  /** Whether a space can be written. */
  public enum State {
    ACTIVE,
    ARCHIVED
  }

  public SpaceInfo {
    labels = Map.copyOf(labels);
  }
}
