package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.PendingView;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The commands by which a fork remembers its merges. */
final class MergeChanges {
  private static final int REMEMBERED_MAX = 256; // all are in the owner's memory

  private MergeChanges() {}

  /** A merge begins under a request id, unless it has before. */
  static final class Begin extends SpaceCommand {
    private final String mountId;
    private final Bytes request;
    private final long hash;
    private final long upTo;
    private final long base;
    private final long rememberedMillis;

    /**
     * A beginning.
     *
     * @param upTo the fork's revision that is merged, if it has not begun before
     * @param base the base's newest revision
     * @param rememberedMillis how long request ids are remembered
     */
    Begin(
        String author,
        String mountId,
        Bytes request,
        long hash,
        long upTo,
        long base,
        long rememberedMillis) {
      super(author, null, true);
      this.mountId = mountId;
      this.request = request;
      this.hash = hash;
      this.upTo = upTo;
      this.base = base;
      this.rememberedMillis = rememberedMillis;
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      mount(view, mountId, manifest(view));
      Optional<Bytes> before = view.state(ForkRows.mergeKey(request));
      if (before.isPresent()) {
        if (Decoded.of(before.get(), ForkRows.MergeAsked.class).hash() != hash) {
          throw new MemSpaceException(
              ErrorCode.IDEMPOTENCY_KEY_REUSED,
              "the request id was used for another merge; use a new one");
        }
        return NOTHING;
      }
      long now = Timestamps.millis(timestamp);
      List<Change> changes = new ArrayList<>(forgotten(view, now));
      changes.add(
          new Change.OfState(
              ForkRows.mergeKey(request),
              StateJson.encode(new ForkRows.MergeAsked(hash, upTo, now, base, null))));
      return changes;
    }

    private List<Change> forgotten(PendingView view, long now) {
      List<Change> old = new ArrayList<>();
      int[] left = {view.table(ForkRows.MERGES).size()};
      view.table(ForkRows.MERGES)
          .forEach(
              (key, row) -> {
                long at = Decoded.of(row, ForkRows.MergeAsked.class).at();
                if (at + rememberedMillis < now) {
                  old.add(new Change.OfState(key, null));
                  left[0]--;
                }
              });
      if (left[0] >= REMEMBERED_MAX) {
        throw new MemSpaceException(
            ErrorCode.BUSY,
            "[%d] merges of the fork are remembered by their request ids, its limit; send it later, or without one"
                .formatted(left[0]));
      }
      return old;
    }
  }

  /** Notes how far a fork is merged, and what the merge did that a request id stands for. */
  static final class Note extends SpaceCommand {
    private final String mountId;
    private final long revision;
    private final Bytes request;
    private final ForkRows.MergeDone done;

    /**
     * A note.
     *
     * @param request null if the merge has no id
     */
    Note(String author, String mountId, long revision, Bytes request, ForkRows.MergeDone done) {
      super(author, null, true);
      this.mountId = mountId;
      this.revision = revision;
      this.request = request;
      this.done = done;
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      mount(view, mountId, manifest(view));
      List<Change> changes = new ArrayList<>();
      long before =
          view.state(ForkRows.MERGED_KEY)
              .map(row -> StateJson.decode(row, ForkRows.Merged.class).revision())
              .orElse(-1L);
      if (revision > before) {
        changes.add(
            new Change.OfState(
                ForkRows.MERGED_KEY, StateJson.encode(new ForkRows.Merged(revision))));
      }
      if (request != null && view.state(ForkRows.mergeKey(request)).isPresent()) {
        ForkRows.MergeAsked asked =
            Decoded.of(view.state(ForkRows.mergeKey(request)).get(), ForkRows.MergeAsked.class);
        if (asked.done() == null) {
          changes.add(
              new Change.OfState(
                  ForkRows.mergeKey(request),
                  StateJson.encode(
                      new ForkRows.MergeAsked(
                          asked.hash(), asked.upTo(), asked.at(), asked.base(), done))));
        }
      }
      return changes;
    }
  }
}
