package io.nucleusmem.agent;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.MountRequest;
import io.nucleusmem.memspace.Region;
import java.util.List;
import java.util.Set;

/**
 * A space that an agent is to have mounted. Empty limits mean none.
 *
 * @param space its name; each at most once per agent
 * @param receipts false: what the agent gets through it is not recorded; else null
 */
public record AgentMount(
    String space,
    Access access,
    Set<Region> regions,
    List<String> prefixes,
    Set<String> topics,
    @JsonInclude(JsonInclude.Include.NON_NULL) Boolean receipts) {
  public AgentMount {
    receipts = Boolean.FALSE.equals(receipts) ? false : null; // so are mounts stored from before it
    regions = regions == null ? Set.of() : Set.copyOf(regions);
    prefixes = prefixes == null ? List.of() : List.copyOf(prefixes);
    topics = topics == null ? Set.of() : Set.copyOf(topics);
  }

  /** All of a space. */
  public static AgentMount of(String space, Access access) {
    return new AgentMount(space, access, Set.of(), List.of(), Set.of(), null);
  }

  /** The same, but nobody can tell afterwards what the agent got through it. */
  public AgentMount withoutReceipts() {
    return new AgentMount(space, access, regions, prefixes, topics, false);
  }

  boolean isRecorded() {
    return receipts == null;
  }

  MountRequest requestFor(String holder) {
    return new MountRequest(holder, access, regions, prefixes, topics);
  }
}
