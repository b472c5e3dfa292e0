package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.Change;
import java.util.List;

/**
 * What a new space begins with beside its manifest.
 *
 * @param from null for a space that is no fork
 */
record ForkOrigin(Base base, ForkRows.ForkedFrom from) {
  static final ForkOrigin NOTHING = new ForkOrigin(Base.NONE, null);

  List<Change> changes() {
    return from == null
        ? List.of()
        : List.of(SpaceRows.change(ForkRows.FORKED_FROM_KEY, StateJson.encode(from)));
  }
}
