package io.nucleusmem.ledger;

import io.nucleusmem.store.Row;
import java.util.ArrayList;
import java.util.List;

/**
 * Which rows of a {@link PastState} may go when instants before a time are no longer told: those
 * that were superseded by then, and removals, which hide nothing any more once those are gone. Sees
 * the rows in their order, newest first for each row of state.
 */
final class PastCut {
  private final long oldest;
  private StateKey state;
  private boolean superseded; // by what was seen of the same row of state
  private Row removal; // the newest by then: goes last, or what it removed would be there again

  /**
   * @param oldest the first time that is told
   */
  PastCut(long oldest) {
    this.oldest = oldest;
  }

  /** What may go now that this row is seen. */
  List<Row> goes(Row row) {
    LedgerKeys.PastKey key = LedgerKeys.parsePast(row.key());
    List<Row> gone = new ArrayList<>();
    if (!key.state().equals(state)) {
      gone.addAll(rest());
      state = key.state();
      superseded = false;
    }
    if (superseded) {
      gone.add(row);
    } else if (key.timestamp() <= oldest) {
      superseded = true;
      removal = PastState.isRemoval(row) ? row : null;
    }
    return gone;
  }

  /** What goes when all have been seen. */
  List<Row> rest() {
    List<Row> last = removal == null ? List.of() : List.of(removal);
    removal = null;
    return last;
  }
}
