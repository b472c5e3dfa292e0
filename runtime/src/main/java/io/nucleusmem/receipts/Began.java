package io.nucleusmem.receipts;

import java.util.List;
import java.util.Map;

/**
 * What an agent was when a life of it began.
 *
 * @param owner the principal that spawned it
 */
public record Began(String owner, String type, Map<String, String> config, List<Mounted> mounts) {
  public Began {
    config = Map.copyOf(config);
    mounts = List.copyOf(mounts);
  }

  /** A mount that it had. */
  public record Mounted(String space, String mount, String access) {}
}
