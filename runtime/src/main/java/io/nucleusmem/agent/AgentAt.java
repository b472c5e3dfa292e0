package io.nucleusmem.agent;

import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.Principal;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An agent as it was at an instant. How often it had crashed and how far its watches had come is
 * not kept.
 *
 * <p>Who did not spawn it is told no mounts and no configuration.
 *
 * @param owner who spawned it; empty where that was not written down
 * @param state {@code RUNNING}, or {@code STARTING} if it had not begun to run
 * @param node where it had begun to run last; empty if it had not
 * @param mounts that it held
 */
public record AgentAt(
    String id,
    String type,
    String owner,
    AgentInfo.State state,
    Optional<String> node,
    List<MountInfo> mounts,
    Map<String, String> config) {

  public AgentAt {
    mounts = List.copyOf(mounts);
    config = Map.copyOf(config);
  }

  /** As a caller is told of it. */
  AgentAt toldTo(Principal caller) {
    return AgentInfo.isTold(caller, owner)
        ? this
        : new AgentAt(id, type, owner, state, node, List.of(), Map.of());
  }
}
