package io.nucleusmem.memspace;

import java.util.List;
import java.util.Set;

/**
 * A holder's right to use a space.
 *
 * @param id names the mount everywhere; tells nothing and opens nothing to anyone but its holder
 * @param space the space's name
 * @param grantedBy the principal that made the mount
 * @param asAdmin true if that principal could make it only because it is an administrator
 * @param showsQuarantined true if versions in quarantine can be read through it
 */
public record MountInfo(
    String id,
    String space,
    String holder,
    Access access,
    Set<Region> regions,
    List<String> prefixes,
    Set<String> topics,
    String grantedBy,
    boolean asAdmin,
    boolean showsQuarantined) {
  public MountInfo {
    regions = Set.copyOf(regions);
    prefixes = List.copyOf(prefixes);
    topics = Set.copyOf(topics);
  }

  /** A mount that does not show what is in quarantine. */
  public MountInfo(
      String id,
      String space,
      String holder,
      Access access,
      Set<Region> regions,
      List<String> prefixes,
      Set<String> topics,
      String grantedBy,
      boolean asAdmin) {
    this(id, space, holder, access, regions, prefixes, topics, grantedBy, asAdmin, false);
  }

  /** True if the mount covers an entry. */
  public boolean covers(Region region, String name) {
    return (regions.isEmpty() || regions.contains(region))
        && (prefixes.isEmpty() || prefixes.stream().anyMatch(name::startsWith));
  }

  /** True if the mount covers a topic. */
  public boolean coversTopic(String topic) {
    return (regions.isEmpty() || regions.contains(Region.COMM))
        && (topics.isEmpty() || topics.contains(topic));
  }
}
