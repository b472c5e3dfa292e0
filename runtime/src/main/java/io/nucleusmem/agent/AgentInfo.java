package io.nucleusmem.agent;

import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.Principal;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What an agent is and how it is doing.
 *
 * <p>Who did not spawn the agent is told no mounts, no configuration, and of the cursors that of
 * the inbox alone: they name spaces that do not exist for him.
 *
 * @param owner who spawned it; empty while its host cannot be asked
 * @param node address of the node that hosts it
 * @param restarts crashes since it was spawned or its node started
 * @param cursors last revision handled: {@code SPACE/WATCH} of its watches, {@code inbox} of its
 *     inbox
 */
public record AgentInfo(
    String id,
    String type,
    String owner,
    State state,
    String node,
    List<MountInfo> mounts,
    int restarts,
    Map<String, Long> cursors,
    Map<String, String> config) {

  /** What an agent is doing. */
  public enum State {
    /** Spawned, its mounts are being acquired. */
    STARTING,
    RUNNING,
    /** Crashed; starts again after a pause. */
    BACKING_OFF,
    STOPPED
  }

  public AgentInfo {
    mounts = List.copyOf(mounts);
    cursors = Map.copyOf(cursors);
    config = Map.copyOf(config);
  }

  /** As a caller is told of it. */
  AgentInfo toldTo(Principal caller) {
    if (isTold(caller, owner)) {
      return this;
    }
    Map<String, Long> inbox = new HashMap<>(cursors);
    inbox.keySet().retainAll(Set.of(ContextWatches.INBOX));
    return new AgentInfo(id, type, owner, state, node, List.of(), restarts, inbox, Map.of());
  }

  /** True if a caller is told what an agent of that owner's may use. */
  static boolean isTold(Principal caller, String owner) {
    return caller.admin() || owner.equals(caller.name());
  }
}
