package io.nucleusmem.receipts;

import java.time.Instant;
import java.util.List;

/**
 * What a version may have led to: who got it, what those wrote afterwards, who got that, and so on.
 *
 * @param readers each agent once, by the first version of these that it got
 * @param derived versions that readers wrote behind that, in the order in which they were found
 * @param edges from a version to a reader, and from a reader to what it wrote
 * @param complete false where a limit ended the search, something lies in spaces that the caller
 *     may not see, or receipts of the version may have been let go
 */
public record Containment(
    Version start,
    List<Reader> readers,
    List<Derived> derived,
    List<Edge> edges,
    boolean complete) {
  public Containment {
    readers = List.copyOf(readers);
    derived = List.copyOf(derived);
    edges = List.copyOf(edges);
  }

  Containment completeIf(boolean also) {
    return new Containment(start, readers, derived, edges, complete && also);
  }

  /** A version and the name of its space. */
  public record Version(String space, SeenVersion version) {}

  /**
   * An agent that got one of the versions.
   *
   * @param first that it got
   */
  public record Reader(String agent, Version first, Instant at, How how, boolean confirmed) {}

  /** What a reader wrote, or published, after it had got one of the versions. */
  public record Derived(Version version, String agent, Instant at) {}

  /**
   * A step.
   *
   * @param wrote false: the agent got the version; true: it wrote it
   */
  public record Edge(String agent, Version version, boolean wrote) {}
}
