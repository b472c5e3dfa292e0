package io.nucleusmem.memspace;

import java.util.Map;
import java.util.Optional;

/**
 * A fork to be merged into its base.
 *
 * @param fork through a mount of all of it
 * @param base through a read-write mount: the writes are its holder's
 * @param resolve what to do with single keys, by their names: goes before the policy, and before
 *     what three ways give. So {@code THEIRS} also takes back what only the base has changed since
 *     the fork was made, and {@code OURS} keeps what only the fork has changed out
 * @param requestId 16 to 128 characters, remembered by the fork as those of writes are: the same
 *     merge under it gives the first answer again, and one that was cut short goes on with the fork
 *     as it was then
 */
public record MergeRequest(
    MountedSpace fork,
    MountedSpace base,
    MergePolicy policy,
    Map<String, MergePolicy> resolve,
    Optional<String> requestId) {
  public MergeRequest {
    resolve = Map.copyOf(resolve);
  }

  /** A merge without an id. */
  public MergeRequest(
      MountedSpace fork, MountedSpace base, MergePolicy policy, Map<String, MergePolicy> resolve) {
    this(fork, base, policy, resolve, Optional.empty());
  }
}
