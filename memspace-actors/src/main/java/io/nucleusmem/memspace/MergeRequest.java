package io.nucleusmem.memspace;

import java.util.Map;

/**
 * A fork to be merged into its base.
 *
 * @param fork through a mount of all of it
 * @param base through a read-write mount: the writes are its holder's
 * @param resolve what to do with single keys, by their names: goes before the policy, and before
 *     what three ways give. So {@code THEIRS} also takes back what only the base has changed since
 *     the fork was made, and {@code OURS} keeps what only the fork has changed out
 */
public record MergeRequest(
    MountedSpace fork, MountedSpace base, MergePolicy policy, Map<String, MergePolicy> resolve) {
  public MergeRequest {
    resolve = Map.copyOf(resolve);
  }
}
