package io.nucleusmem.agent;

import io.nucleusmem.memspace.MountInfo;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An agent as it was at an instant. How often it had crashed and how far its watches had come is
 * not kept.
 *
 * @param state {@code RUNNING}, or {@code STARTING} if it had not begun to run
 * @param node where it had begun to run last; empty if it had not
 * @param mounts that it held
 */
public record AgentAt(
    String id,
    String type,
    AgentInfo.State state,
    Optional<String> node,
    List<MountInfo> mounts,
    Map<String, String> config) {

  public AgentAt {
    mounts = List.copyOf(mounts);
    config = Map.copyOf(config);
  }
}
