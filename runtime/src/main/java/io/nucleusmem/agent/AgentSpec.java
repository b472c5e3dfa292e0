package io.nucleusmem.agent;

import java.util.List;
import java.util.Map;

/**
 * An agent to be spawned.
 *
 * @param type name of its type
 * @param id 1 to 100 of {@code [A-Za-z0-9._-]}, not starting with a dot, not ending with {@code
 *     .dead}: that names the dead letters of another agent
 * @param mounts the spaces it has mounted when it starts
 * @param config free text by name, handed to the agent
 */
public record AgentSpec(
    String type, String id, List<AgentMount> mounts, Map<String, String> config) {
  /** The form of an id. */
  static final String ID = "[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}";

  public AgentSpec {
    mounts = List.copyOf(mounts);
    config = Map.copyOf(config);
  }

  /** An agent without configuration. */
  public static AgentSpec of(String type, String id, AgentMount... mounts) {
    return new AgentSpec(type, id, List.of(mounts), Map.of());
  }

  /** The same with configuration. */
  public AgentSpec config(Map<String, String> other) {
    return new AgentSpec(type, id, mounts, other);
  }

  /** What the agent is called as holder of mounts and author of writes. */
  public static String holder(String id) {
    return "agent/" + id;
  }
}
