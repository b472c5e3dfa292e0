package io.nucleusmem.memspace;

import java.util.Map;
import java.util.Optional;

/**
 * A write named a revision that its key is not at (any more). Carries what is there, so that the
 * next try can be right.
 */
public final class RevisionMismatchException extends MemSpaceException {
  private static final long serialVersionUID = 1L;

  private final int index;
  private final long currentRevision;
  private final transient Entry current;

  /**
   * @param index place of the refused operation in its batch, from 0
   * @param currentRevision 0 if the key is absent or deleted
   * @param current the entry as it is; null if absent
   */
  public RevisionMismatchException(
      int index, EntryKey key, long expected, long currentRevision, Entry current) {
    super(
        ErrorCode.REVISION_MISMATCH,
        "write of [%s] expected revision [%d]; it is at [%d]"
            .formatted(key, expected, currentRevision),
        Map.of("index", index, "current_revision", currentRevision));
    this.index = index;
    this.currentRevision = currentRevision;
    this.current = current;
  }

  /** The same as another node has told. */
  RevisionMismatchException(String message, Map<String, Object> details, Entry current) {
    super(ErrorCode.REVISION_MISMATCH, message, details);
    this.index = ((Number) details.get("index")).intValue();
    this.currentRevision = ((Number) details.get("current_revision")).longValue();
    this.current = current;
  }

  /** Place of the refused operation in its batch, from 0. */
  public int index() {
    return index;
  }

  /** The revision that the key is at; 0 if absent or deleted. */
  public long currentRevision() {
    return currentRevision;
  }

  /** The entry as it is; empty if absent. */
  public Optional<Entry> current() {
    return Optional.ofNullable(current);
  }
}
