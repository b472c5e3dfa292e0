package io.nucleusmem.memspace;

import io.nucleusmem.store.Direction;
import java.util.Optional;

/**
 * A page of the entries whose names begin with a prefix, in the order of their names' UTF-8 bytes.
 *
 * @param at ignored with a cursor: the pages of one scan show one revision
 * @param values whether the values are wanted, or only what describes them
 * @param limit 1 to 1,000
 * @param cursor from the page before
 */
public record ScanRequest(
    Region region,
    String prefix,
    ReadAt at,
    Direction direction,
    boolean values,
    int limit,
    Optional<String> cursor) {

  /** The first 100 entries below a prefix, newest state, with values. */
  public static ScanRequest of(Region region, String prefix) {
    return new ScanRequest(
        region, prefix, ReadAt.LATEST, Direction.ASCENDING, true, 100, Optional.empty());
  }

  /** The same at another state. */
  public ScanRequest at(ReadAt other) {
    return new ScanRequest(region, prefix, other, direction, values, limit, cursor);
  }

  /** The same in another order. */
  public ScanRequest direction(Direction other) {
    return new ScanRequest(region, prefix, at, other, values, limit, cursor);
  }

  /** The same with or without values. */
  public ScanRequest values(boolean wanted) {
    return new ScanRequest(region, prefix, at, direction, wanted, limit, cursor);
  }

  /** The same with pages of another size. */
  public ScanRequest limit(int other) {
    return new ScanRequest(region, prefix, at, direction, values, other, cursor);
  }

  /** The page behind another one. */
  public ScanRequest after(String pageCursor) {
    return new ScanRequest(region, prefix, at, direction, values, limit, Optional.of(pageCursor));
  }
}
