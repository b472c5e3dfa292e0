package io.nucleusmem.receipts;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;

/**
 * What an agent was when a life of it began.
 *
 * @param owner the principal that spawned it
 * @param format how much of the life is recorded: 0 is what versions before {@link #FORMAT} did,
 *     without the order of results, blocking work, the router and watches of the behavior's own
 * @param seq number of the newest record of the life by then; 0 where it begins, more where its
 *     mounts change
 */
public record Began(
    String owner,
    String type,
    Map<String, String> config,
    List<Mounted> mounts,
    int format,
    long seq) {
  /** What this version records. */
  public static final int FORMAT = 1;

  public Began {
    config = Map.copyOf(config);
    mounts = List.copyOf(mounts);
  }

  /** Of a life that this version records. */
  public static Began of(
      String owner, String type, Map<String, String> config, List<Mounted> mounts) {
    return new Began(owner, type, config, mounts, FORMAT, 0);
  }

  Began at(long newest) {
    return new Began(owner, type, config, mounts, format, newest);
  }

  /**
   * A mount that it had.
   *
   * @param unrecorded true: what came through it is not in the receipts; else null
   */
  public record Mounted(
      String space,
      String mount,
      String access,
      @JsonInclude(JsonInclude.Include.NON_NULL) Boolean unrecorded) {
    /** One whose receipts are kept. */
    public static Mounted of(String space, String mount, String access) {
      return new Mounted(space, mount, access, null);
    }

    /** Whether what came through it is in the receipts. */
    boolean isRecorded() {
      return !Boolean.TRUE.equals(unrecorded);
    }
  }
}
