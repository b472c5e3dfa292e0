package io.nucleusmem.memspace;

import java.util.List;
import java.util.Set;

/**
 * What a mount is to cover. An empty limit means no limit.
 *
 * @param holder who may use the mount; a principal or an agent
 * @param prefixes of entry names; an entry is covered if one of them fits
 * @param topics names of topics
 * @param showQuarantined true to read versions in quarantine as well, instead of being refused
 */
public record MountRequest(
    String holder,
    Access access,
    Set<Region> regions,
    List<String> prefixes,
    Set<String> topics,
    boolean showQuarantined) {
  public MountRequest {
    regions = Set.copyOf(regions);
    prefixes = List.copyOf(prefixes);
    topics = Set.copyOf(topics);
  }

  /** A mount that does not show what is in quarantine. */
  public MountRequest(
      String holder,
      Access access,
      Set<Region> regions,
      List<String> prefixes,
      Set<String> topics) {
    this(holder, access, regions, prefixes, topics, false);
  }

  /** The same, showing what is in quarantine. */
  public MountRequest withQuarantined() {
    return new MountRequest(holder, access, regions, prefixes, topics, true);
  }

  /** A mount of a whole space. */
  public static MountRequest of(String holder, Access access) {
    return new MountRequest(holder, access, Set.of(), List.of(), Set.of());
  }
}
