package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * The command that raises the oldest revision that can be read; what is below goes once it is
 * committed.
 *
 * @param most how far it may be raised, by what the state says when this is decided: pins
 * @param notAfter timestamp up to which this may be decided; later nothing is raised
 */
record Floor(long revision, ToLongFunction<PendingView> most, long notAfter) implements Command {
  static long decode(Bytes row) {
    return new BytesReader(row).varint();
  }

  /** The row of state that says it. */
  static Change change(long revision) {
    return new Change.OfState(StateKey.FLOOR, new BytesWriter(10).varint(revision).toBytes());
  }

  @Override
  public String sender() {
    return "compaction";
  }

  @Override
  public RequestStamp request() {
    return null;
  }

  @Override
  public int bytes() {
    return 16;
  }

  @Override
  public List<EntryRef> reads() {
    return List.of();
  }

  @Override
  public List<Change> decide(PendingView view, long next, long timestamp) {
    if (revision < 1 || revision >= next) {
      throw new IllegalArgumentException(
          "compaction floor is [%d]; it must be 1 to the newest revision [%d]"
              .formatted(revision, next - 1));
    }
    long raised = Math.min(revision, most.applyAsLong(view));
    long now = view.state(StateKey.FLOOR).map(Floor::decode).orElse(0L);
    return raised <= now || timestamp > notAfter ? NOTHING : List.of(change(raised));
  }
}
