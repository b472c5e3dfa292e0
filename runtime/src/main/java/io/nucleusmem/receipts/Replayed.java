package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Content;
import java.time.Instant;
import java.util.Optional;

/**
 * A receipt with what was delivered, byte for byte.
 *
 * @param state whether the content can still be shown
 * @param author of the version; empty where it can't be shown
 * @param writtenAt empty where it can't be shown
 * @param content empty where it can't be shown, and of a deletion
 */
public record Replayed(
    Receipt receipt,
    State state,
    Optional<String> author,
    Optional<Instant> writtenAt,
    Optional<Content> content) {

  /** Whether a version can still be shown. */
  public enum State {
    /** It is there. */
    PRESENT,
    /** It is there: it is a deletion. */
    DELETION,
    /** Somebody had its content erased. */
    ERASED,
    /** Somebody has put it away as bad. */
    QUARANTINED,
    /** The space's retention has let go of it. */
    COMPACTED,
    /** Its space has been deleted. */
    SPACE_DELETED
  }
}
