package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.LogRecord;
import io.nucleusmem.ledger.LogRow;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;

/** The claims of a space that have not expired, counted. Owned by the space's thread. */
final class OpenClaims {
  private record Expiry(long at, EntryRef entry) {}

  private final Map<EntryRef, Long> until = new HashMap<>();
  private final PriorityQueue<Expiry> expiries =
      new PriorityQueue<>((a, b) -> Long.compare(a.at(), b.at()));

  int count(long nowMillis) {
    while (!expiries.isEmpty() && expiries.peek().at() <= nowMillis) {
      Expiry expiry = expiries.poll();
      until.remove(expiry.entry(), expiry.at()); // unless it was renewed
    }
    return until.size();
  }

  void add(EntryRef entry, SpaceRows.ClaimRow row) {
    until.put(entry, row.expiresAt());
    expiries.add(new Expiry(row.expiresAt(), entry));
  }

  /** Follows a commit. */
  void committed(LogRow row) {
    for (LogRecord record : row.records()) {
      for (Change change : record.changes()) {
        if (change instanceof Change.OfState state && state.key().table() == SpaceRows.CLAIMS) {
          EntryRef entry = SpaceRows.claimedEntry(state.key());
          if (state.value() == null) {
            until.remove(entry);
          } else {
            add(entry, SpaceRows.ClaimRow.decode(state.value()));
          }
        }
      }
    }
  }
}
