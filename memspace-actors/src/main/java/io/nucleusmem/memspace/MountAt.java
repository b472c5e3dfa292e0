package io.nucleusmem.memspace;

import java.util.Optional;

/**
 * A mount as it was at an instant, or the word that a space can't tell.
 *
 * @param mount empty if the space's log does not reach back to the instant any more: which mounts
 *     it had is not known
 * @param oldestRevision the oldest that the space can read; 0 where the mount is known
 */
public record MountAt(String space, Optional<MountInfo> mount, long oldestRevision) {}
