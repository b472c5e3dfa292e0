package io.nucleusmem.memspace;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Long-running work, as it is now.
 *
 * @param id names it on every node
 * @param kind what it does, such as {@code compact}
 * @param about what it is about, and what it tells of itself by name, such as {@code space}
 * @param progress how far it is: counts by name; empty at the beginning
 * @param result what came of it; empty unless it is done
 * @param error why it failed; empty unless it has
 * @param startedBy the principal that asked for it
 * @param endedAt empty while it runs
 */
public record OperationInfo(
    String id,
    String kind,
    State state,
    Map<String, Object> about,
    Map<String, Object> progress,
    Map<String, Object> result,
    Optional<Failure> error,
    String startedBy,
    Instant startedAt,
    Instant updatedAt,
    Optional<Instant> endedAt) {

  /** Running, or ended one way or the other. */
  public enum State {
    RUNNING,
    DONE,
    FAILED;

    /** The name in JSON. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Why an operation failed.
   *
   * @param code as a refused call would have
   */
  public record Failure(String code, String detail) {}

  public OperationInfo {
    about = new LinkedHashMap<>(about);
    progress = new LinkedHashMap<>(progress);
    result = new LinkedHashMap<>(result);
  }
}
