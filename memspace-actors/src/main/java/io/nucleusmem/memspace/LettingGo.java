package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.PendingView;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.Timestamps;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The commands by which compaction lets go of topics' messages, and forks and bookmarks keep them:
 * a topic's floor is decided in the topic's log, which knows nothing of pins. So while floors rise
 * a row of the space's log says so, and no pin is made; where there is a pin, there is no such row.
 */
final class LettingGo {
  /** How long a row stands at most: who wrote it may have died. */
  static final Duration PERMIT = Duration.ofSeconds(30);

  /**
   * How long floors may rise under it; a commit that is sent then is settled long before the end.
   */
  static final Duration RAISING = Duration.ofSeconds(15);

  private static final String AUTHOR = "compaction";

  private LettingGo() {}

  private static StateKey key(Bytes token) {
    return new StateKey(ForkRows.LETTING_GO, token);
  }

  /** Refuses a pin while messages are being let go; the caller's client tries again. */
  static void requireNone(PendingView view, long timestamp) {
    for (Bytes row : view.table(ForkRows.LETTING_GO).values()) {
      if (until(row) >= timestamp) {
        throw new MemSpaceException(
            ErrorCode.BUSY,
            "messages of the space's topics are being let go by its retention; try again in a moment");
      }
    }
  }

  private static long until(Bytes row) {
    return new BytesReader(row).i64();
  }

  /** Begins, or goes on; changes nothing where the space is pinned. */
  static final class BeginLettingGo extends SpaceCommand {
    private final Bytes token;

    BeginLettingGo(Bytes token) {
      super(AUTHOR, null, true);
      this.token = token;
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      manifest(view);
      if (ForkRows.oldestNeeded(view).isPresent()) {
        return NOTHING;
      }
      List<Change> changes = new ArrayList<>();
      for (Map.Entry<StateKey, Bytes> each : view.table(ForkRows.LETTING_GO).entrySet()) {
        if (until(each.getValue()) < timestamp) { // whoever that was has not ended it
          changes.add(new Change.OfState(each.getKey(), null));
        }
      }
      long until = Timestamps.firstOf(Timestamps.millis(timestamp) + PERMIT.toMillis());
      changes.removeIf(change -> ((Change.OfState) change).key().equals(key(token)));
      changes.add(new Change.OfState(key(token), new BytesWriter(8).i64(until).toBytes()));
      return changes;
    }
  }

  /** Ends: no floor rises any more under that token. */
  static final class EndLettingGo extends SpaceCommand {
    private final Bytes token;

    EndLettingGo(Bytes token) {
      super(AUTHOR, null, true);
      this.token = token;
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      return view.state(key(token)).isEmpty() ? NOTHING : state(key(token), null);
    }
  }
}
