package io.nucleusmem.agent;

import io.nucleusmem.memspace.MountInfo;
import java.util.List;
import java.util.Map;

/**
 * What an agent is and how it is doing.
 *
 * @param node address of the node that hosts it
 * @param restarts crashes since it was spawned or its node started
 * @param cursors last revision handled: {@code SPACE/WATCH} of its watches, {@code inbox} of its
 *     inbox
 */
public record AgentInfo(
    String id,
    String type,
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
}
