package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.PendingView;
import io.nucleusmem.ledger.Version;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeSet;

/**
 * The claimable entries below one prefix, oldest first by the revision of their current version;
 * bounded, filled by a scan of what is there and then by commits, so that a claim never scans over
 * what is claimed or done. Owned by the space's thread.
 *
 * <p>Holds what is committed. What the commit under way has changed is looked up in its view.
 */
final class ClaimQueue {
  /** A claimable entry. */
  record Item(long revision, EntryRef entry) implements Comparable<Item> {
    @Override
    public int compareTo(Item other) {
      int byRevision = Long.compare(revision, other.revision);
      return byRevision != 0 ? byRevision : entry.key().compareTo(other.entry.key());
    }
  }

  private record Expiry(long at, EntryRef entry) {}

  private final EntryRef prefix;
  private final int max;
  private final TreeSet<Item> free = new TreeSet<>();
  private final Map<EntryRef, Long> revisions =
      new HashMap<>(); // current version of what is free or claimed here
  private final Map<EntryRef, Long> claimed = new HashMap<>(); // until when
  private final PriorityQueue<Expiry> expiries =
      new PriorityQueue<>((a, b) -> Long.compare(a.at(), b.at()));
  private final List<MemSpace.MakeClaim> waiting = new ArrayList<>();
  private Map<EntryRef, Boolean> changedWhileLoading; // null unless a scan is under way
  // the oldest that did not fit; what is newer waits with it for the next scan, in its turn
  private long dropped = Long.MAX_VALUE;
  private boolean loadedOnce;

  ClaimQueue(EntryRef prefix, int max) {
    this.prefix = prefix;
    this.max = max;
  }

  boolean covers(EntryRef entry) {
    return entry.region() == prefix.region() && entry.key().startsWith(prefix.key());
  }

  /** True if claims can be decided. */
  boolean isReady() {
    return changedWhileLoading == null
        && !(dropped != Long.MAX_VALUE && free.isEmpty())
        && loadedOnce;
  }

  /**
   * Keeps a claim until the queue is filled. True if that is under way; else the caller starts it.
   */
  boolean await(MemSpace.MakeClaim message) {
    waiting.add(message);
    if (changedWhileLoading != null) {
      return true;
    }
    changedWhileLoading = new HashMap<>();
    dropped = Long.MAX_VALUE;
    return false;
  }

  /** An entry met by the scan. */
  void scanned(Version version) {
    if (!version.deleted() && !changedWhileLoading.containsKey(version.entry())) {
      current(version.entry(), version.revision());
    }
  }

  /** A claim that is open. */
  void claimed(EntryRef entry, SpaceRows.ClaimRow row) {
    claimed.put(entry, row.expiresAt());
    expiries.add(new Expiry(row.expiresAt(), entry));
    Long revision = revisions.get(entry);
    if (revision != null) {
      free.remove(new Item(revision, entry));
    }
  }

  /** The queue is filled; the claims that waited for it. */
  List<MemSpace.MakeClaim> loaded() {
    changedWhileLoading = null;
    loadedOnce = true;
    List<MemSpace.MakeClaim> ready = List.copyOf(waiting);
    waiting.clear();
    return ready;
  }

  /** Follows a commit. */
  void committed(LogRow row) {
    for (int i = 0; i < row.records().size(); i++) {
      for (Change change : row.records().get(i).changes()) {
        if (change instanceof Change.OfEntry entry && covers(entry.entry())) {
          if (changedWhileLoading != null) {
            changedWhileLoading.put(entry.entry(), true);
          }
          if (entry.deleted()) {
            forget(entry.entry());
          } else {
            current(entry.entry(), row.first() + i);
          }
        } else if (change instanceof Change.OfState state
            && state.key().table() == SpaceRows.CLAIMS) {
          EntryRef entry = SpaceRows.claimedEntry(state.key());
          if (covers(entry)) {
            if (state.value() == null) {
              freed(entry);
            } else {
              claimed(entry, SpaceRows.ClaimRow.decode(state.value()));
            }
          }
        }
      }
    }
  }

  /**
   * The oldest entries that may be claimed now; nothing is changed until the claim is committed.
   */
  List<Item> take(int wanted, long nowMillis, PendingView view, MountInfo mount) {
    expire(nowMillis);
    List<Item> taken = new ArrayList<>();
    for (Item item : free) {
      if (taken.size() == wanted) {
        break;
      }
      boolean touched =
          view.pending(item.entry()).isPresent()
              || view.state(SpaceRows.claimKey(item.entry()))
                  .map(row -> SpaceRows.ClaimRow.decode(row).expiresAt() > nowMillis)
                  .orElse(false);
      if (!touched
          && mount.covers(Region.ofCode(item.entry().region()), item.entry().key().utf8())) {
        taken.add(item);
      }
    }
    return taken;
  }

  private void expire(long nowMillis) {
    while (!expiries.isEmpty() && expiries.peek().at() <= nowMillis) {
      Expiry expiry = expiries.poll();
      Long until = claimed.get(expiry.entry());
      if (until != null && until <= nowMillis) { // not renewed since
        freed(expiry.entry());
      }
    }
  }

  private void current(EntryRef entry, long revision) {
    Long old = revisions.put(entry, revision);
    if (old != null) {
      free.remove(new Item(old, entry));
    }
    if (claimed.containsKey(entry)) {
      return;
    }
    if (revision < dropped) {
      free.add(new Item(revision, entry));
    } else {
      revisions.remove(entry);
    }
    if (free.size() > max) {
      Item newest = free.pollLast();
      revisions.remove(newest.entry());
      dropped = newest.revision();
    }
  }

  private void freed(EntryRef entry) {
    claimed.remove(entry);
    Long revision = revisions.get(entry);
    if (revision != null) {
      current(entry, revision);
    }
  }

  private void forget(EntryRef entry) {
    Long old = revisions.remove(entry);
    if (old != null) {
      free.remove(new Item(old, entry));
    }
  }
}
