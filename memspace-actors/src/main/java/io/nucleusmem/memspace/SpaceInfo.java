package io.nucleusmem.memspace;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What a space is.
 *
 * @param state active, or archived: then it can be read and not be written
 * @param revision its newest
 * @param base where a fork comes from; empty for a space that is none
 */
public record SpaceInfo(
    String name,
    SpaceKind kind,
    String owner,
    Map<String, String> labels,
    State state,
    long revision,
    Instant createdAt,
    Retention retention,
    Optional<ForkBase> base) {

  /** Whether a space can be written. */
  public enum State {
    ACTIVE,
    ARCHIVED
  }

  public SpaceInfo {
    labels = Map.copyOf(labels);
  }
}
