package io.nucleusmem.memspace;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.PendingView;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The rows of state by which a space keeps what others need of its past, and by which a fork knows
 * where it comes from.
 *
 * <p>A pin is committed in the base's log before its fork is made, so compaction, which asks the
 * same log, never passes it: the floor stays at or below every pin and every bookmark. A topic of
 * the base is needed from {@link Pin#timestamp} on.
 */
final class ForkRows {
  /** By which a fork that gets copies of what it inherits may write them; by the run's token. */
  static final byte COPYING = 21;

  /** Forks that have copies of what they took from this space, and may not be pinned any more. */
  static final byte COPIES = 22;

  /** Merges of a fork by their request ids, as long as those are remembered. */
  static final byte MERGES = 23;

  /** Compactions that let go of topics' messages now, by their tokens: until when, a timestamp. */
  static final byte LETTING_GO = 24;

  /** Where a fork comes from. */
  static final StateKey FORKED_FROM_KEY = new StateKey(SpaceRows.FORKED_FROM, Bytes.EMPTY);

  /** How far a fork is merged into its base. */
  static final StateKey MERGED_KEY = new StateKey(SpaceRows.MERGED, Bytes.EMPTY);

  private ForkRows() {}

  static StateKey mergeKey(Bytes request) {
    return new StateKey(MERGES, request);
  }

  /**
   * A merge that was asked for under a request id. The row's key is the id, as 16 bytes.
   *
   * @param hash of what was asked
   * @param upTo the fork's revision that is merged
   * @param at store's time in milliseconds
   * @param base the base's newest revision when it began: its parts are behind that; null where it
   *     was not written down
   * @param done null while it has not come to its end
   */
  record MergeAsked(long hash, long upTo, long at, Long base, MergeDone done) {}

  /** What it did, see {@link io.nucleusmem.memspace.Merged}. */
  record MergeDone(int keys, long revision, int parts) {}

  /** The fork's revision up to which it is merged. */
  record Merged(long revision) {}

  /**
   * A fork needs this space as it was at a revision. The row's key is the id of the fork's ledger.
   *
   * @param fork name of the fork
   * @param timestamp store's time at which the fork takes the topics
   * @param by who forked
   * @param at store's time in milliseconds
   */
  record Pin(String fork, long revision, long timestamp, String by, long at) {}

  /**
   * A named revision. The row's key is the name.
   *
   * @param timestamp store's time that the name stands for
   */
  record Bookmark(long revision, long timestamp, String by, long at) {
    io.nucleusmem.memspace.Bookmark info(String name) {
      return new io.nucleusmem.memspace.Bookmark(
          name, revision, Timestamps.instant(timestamp), by, Instant.ofEpochMilli(at));
    }
  }

  /**
   * Where a fork comes from.
   *
   * @param space name of the base
   * @param id its ledger
   * @param ownSince store's time in milliseconds since which the fork has copies of its own of all
   *     that it inherited, its topics too; null while it does not
   * @param aloneSince since when whoever looks finds that; some time later nobody reads the base
   *     for it any more. Null until then
   */
  record ForkedFrom(
      String space, String id, long revision, long timestamp, Long ownSince, Long aloneSince) {
    static ForkedFrom of(LedgerId id, String space, long revision, long timestamp) {
      return new ForkedFrom(space, id.toString(), revision, timestamp, null, null);
    }

    LedgerId ledger() {
      return LedgerId.parse(id);
    }

    boolean isOwn() {
      return ownSince != null;
    }

    ForkedFrom ownSince(long millis) {
      return new ForkedFrom(space, id, revision, timestamp, millis, null);
    }

    ForkedFrom aloneSince(long millis) {
      return new ForkedFrom(space, id, revision, timestamp, ownSince, millis);
    }

    ForkBase info() {
      return new ForkBase(space, revision, Timestamps.instant(timestamp));
    }
  }

  /**
   * A fork has copies of what was this space's. The row's key is the id of the fork's ledger.
   *
   * @param fork its name
   * @param at store's time in milliseconds
   */
  record Copy(String fork, long at) {}

  /** A fork that needs its base. */
  record PinnedBy(LedgerId fork, Pin pin) {}

  static StateKey pinKey(LedgerId fork) {
    return new StateKey(SpaceRows.PINS, fork.bytes());
  }

  static StateKey copyKey(LedgerId fork) {
    return new StateKey(COPIES, fork.bytes());
  }

  static StateKey copyingKey(Bytes token) {
    return new StateKey(COPYING, token);
  }

  static StateKey bookmarkKey(String name) {
    return new StateKey(SpaceRows.BOOKMARKS, Bytes.utf8(name));
  }

  static LedgerId forkOf(StateKey pinKey) {
    return new LedgerId(pinKey.key());
  }

  /** The forks among rows of the table {@link SpaceRows#PINS}. */
  static List<PinnedBy> pins(Map<StateKey, Bytes> rows) {
    List<PinnedBy> pins = new ArrayList<>();
    rows.forEach(
        (key, row) -> {
          if (key.table() == SpaceRows.PINS) {
            pins.add(new PinnedBy(forkOf(key), Decoded.of(row, Pin.class)));
          }
        });
    return pins;
  }

  /** The forks that have copies of what was the space's, among its rows. */
  static List<LedgerId> copies(Map<StateKey, Bytes> rows) {
    return rows.keySet().stream()
        .filter(key -> key.table() == COPIES)
        .map(ForkRows::forkOf)
        .toList();
  }

  /** The oldest revision that a fork or a bookmark needs; empty if none does. */
  static OptionalLong oldestNeeded(PendingView view) {
    long oldest = Long.MAX_VALUE;
    for (Bytes row : view.table(SpaceRows.PINS).values()) {
      oldest = Math.min(oldest, Decoded.of(row, Pin.class).revision());
    }
    for (Bytes row : view.table(SpaceRows.BOOKMARKS).values()) {
      oldest = Math.min(oldest, Decoded.of(row, Bookmark.class).revision());
    }
    return oldest == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(oldest);
  }
}
