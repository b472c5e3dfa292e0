package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.Ledger;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.PendingView;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The commands on a space that pin its past. */
final class ForkChanges {
  static final int BOOKMARKS_MAX = 1_000; // of one space: all are in its owner's memory

  private ForkChanges() {}

  /** Pins a revision for a fork that is about to be made. */
  static final class AddPin extends SpaceCommand {
    private final String mountId;
    private final LedgerId fork;
    private final String name;
    private final long revision;
    private final long takenAt;

    /**
     * @param mountId must cover the whole space
     * @param name of the fork
     * @param takenAt timestamp at which it takes the topics
     */
    AddPin(String author, String mountId, LedgerId fork, String name, long revision, long takenAt) {
      super(author, null, true);
      this.mountId = mountId;
      this.fork = fork;
      this.name = name;
      this.revision = revision;
      this.takenAt = takenAt;
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      SpaceRows.Manifest manifest = manifest(view);
      requireWhole(mount(view, mountId, manifest));
      requireThere(view, revision);
      if (view.state(ForkRows.pinKey(fork)).isPresent()) {
        return NOTHING;
      }
      LettingGo.requireNone(view, timestamp);
      KeepingChanges.requireNoErasure(view, manifest);
      ForkRows.Pin pin =
          new ForkRows.Pin(name, revision, takenAt, sender(), Timestamps.millis(timestamp));
      return state(ForkRows.pinKey(fork), StateJson.encode(pin));
    }
  }

  /** Lets go of what a fork needed that is gone, was never made, or has copies of its own. */
  static final class RemovePin extends SpaceCommand {
    private final LedgerId fork;
    private final boolean gone;

    /**
     * @param gone true if the fork is not there, so that it has no copies either
     */
    RemovePin(String author, LedgerId fork, boolean gone) {
      super(author, null, true);
      this.fork = fork;
      this.gone = gone;
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      List<Change> changes = new ArrayList<>();
      if (view.state(ForkRows.pinKey(fork)).isPresent()) {
        changes.add(new Change.OfState(ForkRows.pinKey(fork), null));
      }
      if (gone && view.state(ForkRows.copyKey(fork)).isPresent()) {
        changes.add(new Change.OfState(ForkRows.copyKey(fork), null));
      }
      return changes;
    }
  }

  /** Notes a fork that gets copies of what was this space's: erasures must reach it. */
  static final class AddCopy extends SpaceCommand {
    private final LedgerId fork;
    private final String name;

    AddCopy(String author, LedgerId fork, String name) {
      super(author, null, true);
      this.fork = fork;
      this.name = name;
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      manifest(view);
      return view.state(ForkRows.copyKey(fork)).isPresent()
          ? NOTHING
          : state(
              ForkRows.copyKey(fork),
              StateJson.encode(new ForkRows.Copy(name, Timestamps.millis(timestamp))));
    }
  }

  /** Permits a run to write copies of what a fork inherits, and no other run any more. */
  static final class BeginCopying extends SpaceCommand {
    private final Bytes token;

    BeginCopying(String author, Bytes token) {
      super(author, null, true);
      this.token = token;
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      KeepingChanges.requireNoErasure(view, manifest(view));
      if (view.state(ForkRows.copyingKey(token)).isPresent()) {
        return NOTHING;
      }
      List<Change> changes = new ArrayList<>(stopCopying(view));
      changes.add(new Change.OfState(ForkRows.copyingKey(token), Bytes.EMPTY));
      return changes;
    }
  }

  /** From now on a fork stands on its copies alone. */
  static final class EndCopying extends SpaceCommand {
    private final Bytes token;
    private final Bytes base;
    private final Map<String, SpaceRows.Topic> topics;

    /**
     * @param base the row that says what the fork stands on from now on
     * @param topics those that it inherited
     */
    EndCopying(String author, Bytes token, Bytes base, Map<String, SpaceRows.Topic> topics) {
      super(author, null, true);
      this.token = token;
      this.base = base;
      this.topics = topics;
    }

    @Override
    public int bytes() {
      return 256 + base.length() + 128 * topics.size();
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      manifest(view);
      if (view.state(ForkRows.copyingKey(token)).isEmpty()) {
        if (Base.of(view).isOwn()) {
          return NOTHING;
        }
        throw copyingStopped();
      }
      ForkRows.ForkedFrom from =
          StateJson.decode(
              view.state(ForkRows.FORKED_FROM_KEY).orElseThrow(), ForkRows.ForkedFrom.class);
      List<Change> changes = new ArrayList<>(stopCopying(view));
      changes.add(Base.decode(base).change());
      changes.add(
          SpaceRows.change(
              ForkRows.FORKED_FROM_KEY,
              StateJson.encode(from.ownSince(Timestamps.millis(timestamp)))));
      topics.forEach(
          (name, topic) -> {
            if (view.state(SpaceRows.topicKey(name)).isEmpty()) {
              changes.add(new Change.OfState(SpaceRows.topicKey(name), StateJson.encode(topic)));
            }
          });
      return changes;
    }
  }

  /** That a fork stands on its copies is written where whoever looks finds it. */
  static final class StandAlone extends SpaceCommand {
    StandAlone(String author) {
      super(author, null, true);
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      manifest(view);
      ForkRows.ForkedFrom from =
          StateJson.decode(
              view.state(ForkRows.FORKED_FROM_KEY).orElseThrow(), ForkRows.ForkedFrom.class);
      return !from.isOwn() || from.aloneSince() != null
          ? NOTHING
          : state(
              ForkRows.FORKED_FROM_KEY,
              StateJson.encode(from.aloneSince(Timestamps.millis(timestamp))));
    }
  }

  /** What takes all permits to copy away. */
  static List<Change> stopCopying(PendingView view) {
    return view.table(ForkRows.COPYING).keySet().stream()
        .<Change>map(key -> new Change.OfState(key, null))
        .toList();
  }

  static MemSpaceException copyingStopped() {
    return new MemSpaceException(
        ErrorCode.BUSY,
        "something of the fork was erased while it was copied, or another run has begun; flatten again, it goes on");
  }

  /** Sets or moves a bookmark. */
  static final class SetBookmark extends SpaceCommand {
    private final String mountId;
    private final String name;
    private final long revision;
    private final long takenAt;

    SetBookmark(
        String author,
        RequestStamp request,
        boolean maybeRetried,
        String mountId,
        String name,
        long revision,
        long takenAt) {
      super(author, request, maybeRetried);
      this.mountId = mountId;
      this.name = name;
      this.revision = revision;
      this.takenAt = takenAt;
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      requireWrite(mount(view, mountId, manifest(view)), name);
      requireThere(view, revision);
      LettingGo.requireNone(view, timestamp);
      int count = view.table(SpaceRows.BOOKMARKS).size();
      if (count >= BOOKMARKS_MAX && view.state(ForkRows.bookmarkKey(name)).isEmpty()) {
        throw MemSpaceException.tooLarge("bookmarks", count + 1, BOOKMARKS_MAX, "bookmarks");
      }
      ForkRows.Bookmark row =
          new ForkRows.Bookmark(revision, takenAt, sender(), Timestamps.millis(timestamp));
      return state(ForkRows.bookmarkKey(name), StateJson.encode(row));
    }
  }

  /** Removes a bookmark. */
  static final class RemoveBookmark extends SpaceCommand {
    private final String mountId;
    private final String name;

    RemoveBookmark(
        String author, RequestStamp request, boolean maybeRetried, String mountId, String name) {
      super(author, request, maybeRetried);
      this.mountId = mountId;
      this.name = name;
    }

    @Override
    public List<Change> decide(PendingView view, long next, long timestamp) {
      requireWrite(mount(view, mountId, manifest(view)), name);
      if (view.state(ForkRows.bookmarkKey(name)).isEmpty()) {
        throw noBookmark(name);
      }
      return state(ForkRows.bookmarkKey(name), null);
    }
  }

  static MemSpaceException noBookmark(String name) {
    return new MemSpaceException(
        ErrorCode.BOOKMARK_NOT_FOUND,
        "there is no bookmark [%s]".formatted(name),
        Map.of("bookmark", name));
  }

  /** A past state was asked for by a name that is no bookmark's. */
  static MemSpaceException noState(String field, String name) {
    return MemSpaceException.invalid(
        field,
        name,
        "a revision (digits), an instant such as 2026-11-23T14:03:07.123Z, or a bookmark of the space");
  }

  /** Refuses who does not see all of a space. */
  static void requireWhole(MountInfo mount) {
    if (!isWhole(mount)) {
      throw new MemSpaceException(
          ErrorCode.FORBIDDEN,
          "mount [%s] shows a part of [%s]; a fork or merge takes all of it, so it takes a mount without limits"
              .formatted(mount.id(), mount.space()));
    }
  }

  static boolean isWhole(MountInfo mount) {
    return mount.regions().isEmpty() && mount.prefixes().isEmpty() && mount.topics().isEmpty();
  }

  /** Refuses a space that forks need. */
  static void requireNoForks(PendingView view, SpaceRows.Manifest manifest) {
    List<String> forks =
        ForkRows.pins(view.table(SpaceRows.PINS)).stream().map(pin -> pin.pin().fork()).toList();
    if (!forks.isEmpty()) {
      throw new MemSpaceException(
          ErrorCode.SPACE_PINNED,
          "space [%s] is needed by [%d] forks, such as [%s]; delete them first"
              .formatted(manifest.name(), forks.size(), forks.get(0)),
          Map.of("forks", forks.subList(0, Math.min(forks.size(), Limits.PAGE_MAX))));
    }
  }

  private static void requireThere(PendingView view, long revision) {
    long floor = Ledger.floor(view);
    if (revision < floor) {
      throw new CompactedException(revision, floor);
    }
  }

  private static void requireWrite(MountInfo mount, String bookmark) {
    if (!mount.access().mayWrite() || !isWhole(mount)) {
      throw SpaceCommand.notCovered(mount, "bookmark " + bookmark);
    }
  }
}
