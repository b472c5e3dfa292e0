package io.nucleusmem.agent;

import io.nucleusmem.memspace.Access;
import io.nucleusmem.memspace.MountRequest;
import io.nucleusmem.memspace.Region;
import java.util.List;
import java.util.Set;

/**
 * A space that an agent is to have mounted. Empty limits mean none.
 *
 * @param space its name; each at most once per agent
 */
public record AgentMount(
    String space, Access access, Set<Region> regions, List<String> prefixes, Set<String> topics) {
  public AgentMount {
    regions = regions == null ? Set.of() : Set.copyOf(regions);
    prefixes = prefixes == null ? List.of() : List.copyOf(prefixes);
    topics = topics == null ? Set.of() : Set.copyOf(topics);
  }

  /** All of a space. */
  public static AgentMount of(String space, Access access) {
    return new AgentMount(space, access, Set.of(), List.of(), Set.of());
  }

  MountRequest requestFor(String holder) {
    return new MountRequest(holder, access, regions, prefixes, topics);
  }
}
