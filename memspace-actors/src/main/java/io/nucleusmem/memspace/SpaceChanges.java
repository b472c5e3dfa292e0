package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.PendingView;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.Timestamps;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The commands that change what a space is, who may use it and who works on what. */
final class SpaceChanges {
  private SpaceChanges() {}

  /** Makes a mount; its id follows from the revision. */
  static final class AddMount extends SpaceCommand {
    private final LedgerId space;
    private final Principal caller;
    private final MountRequest mount;

    AddMount(
        LedgerId space,
        Principal caller,
        MountRequest mount,
        RequestStamp request,
        boolean maybeRetried) {
      super(caller.name(), request, maybeRetried);
      this.space = space;
      this.caller = caller;
      this.mount = mount;
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      SpaceRows.Manifest manifest = manifest(view);
      boolean owner = manifest.owner().equals(caller.name());
      boolean asAdmin = caller.admin() && !owner;
      if (manifest.isPrivate() && !asAdmin && !(owner && isOwners(manifest))) {
        throw new MemSpaceException(
            ErrorCode.NOT_OWNER,
            "space [%s] is private to its owner; [%s] can't mount it for [%s]"
                .formatted(manifest.name(), caller.name(), mount.holder()));
      }
      SpaceRows.Mount row = SpaceRows.Mount.of(mount, caller.name(), asAdmin);
      return state(SpaceRows.mountKey(SpaceRows.mountId(space, revision)), StateJson.encode(row));
    }

    /**
     * An owner mounts for itself and for agents that act for it, whose names are its own to give.
     */
    private boolean isOwners(SpaceRows.Manifest manifest) {
      return mount.holder().equals(manifest.owner()) || mount.holder().startsWith("agent/");
    }
  }

  /** Changes nothing; its answer proves that whoever gives it is the owner. */
  static final class Look extends SpaceCommand {
    Look(String mountId) {
      super(mountId, null, true);
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      return NOTHING;
    }
  }

  /** Ends a mount. */
  static final class Revoke extends SpaceCommand {
    private final String mountId;

    Revoke(String author, String mountId) {
      super(author, null, true);
      this.mountId = mountId;
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      return view.state(SpaceRows.mountKey(mountId)).isEmpty()
          ? NOTHING
          : state(SpaceRows.mountKey(mountId), null);
    }
  }

  /**
   * Changes labels, retention or owner. A private space that gets another owner has no mounts any
   * more but those of administrators: the others were its old owner's to give.
   */
  static final class Update extends SpaceCommand {
    private final Principal caller;
    private final UpdateSpace change;

    Update(Principal caller, UpdateSpace change) {
      super(caller.name(), null, true);
      this.caller = caller;
      this.change = change;
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      SpaceRows.Manifest manifest = manifest(view);
      requireOwner(manifest, caller);
      SpaceRows.Manifest changed = manifest.with(change);
      List<Change> changes = new ArrayList<>();
      changes.add(SpaceRows.change(SpaceRows.MANIFEST_KEY, StateJson.encode(changed)));
      if (changed.isPrivate() && !changed.owner().equals(manifest.owner())) {
        view.table(SpaceRows.MOUNTS)
            .forEach(
                (key, row) -> {
                  if (!Decoded.mount(row, key.key().utf8(), manifest.name()).asAdmin()) {
                    changes.add(SpaceRows.change(key, null));
                  }
                });
      }
      return changes;
    }
  }

  /** Archives or deletes; what is so already stays so. */
  static final class SetState extends SpaceCommand {
    private final Principal caller;
    private final String target;

    SetState(Principal caller, String target) {
      super(caller.name(), null, true);
      this.caller = caller;
      this.target = target;
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      if (isDeleted(view) && target.equals(SpaceRows.Manifest.DELETED)) {
        return NOTHING; // sent again, by who does not know that it was done
      }
      SpaceRows.Manifest manifest = manifest(view);
      requireOwner(manifest, caller);
      if (manifest.state().equals(target)) {
        return NOTHING;
      }
      List<Change> changes = new ArrayList<>();
      if (target.equals(SpaceRows.Manifest.DELETED)) {
        ForkChanges.requireNoForks(view, manifest);
        changes.addAll(ForkChanges.stopCopying(view));
      }
      changes.add(
          SpaceRows.change(SpaceRows.MANIFEST_KEY, StateJson.encode(manifest.withState(target))));
      return changes;
    }
  }

  /** Lists a topic whose ledger has been made. */
  static final class AddTopic extends SpaceCommand {
    private final String mountId;
    private final String name;
    private final LedgerId ledger;

    /**
     * @param mountId null for a topic of the system's own (dead letters)
     */
    AddTopic(String author, String mountId, String name, LedgerId ledger) {
      super(author, null, true);
      this.mountId = mountId;
      this.name = name;
      this.ledger = ledger;
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      SpaceRows.Manifest manifest = writable(view);
      if (mountId != null) {
        MountInfo mount = mount(view, mountId, manifest);
        if (!mount.access().mayAppend() || !mount.coversTopic(name)) {
          throw notCovered(mount, "topic " + name);
        }
      }
      return view.state(SpaceRows.topicKey(name)).isPresent()
          ? NOTHING
          : state(
              SpaceRows.topicKey(name),
              StateJson.encode(new SpaceRows.Topic(ledger.toString(), timestamp)));
    }
  }

  /** Claims entries; what was claimed is told by the rows of state that the record holds. */
  static final class Claim extends SpaceCommand {
    private final String mountId;
    private final EntryKey prefix;
    private final String worker;
    private final long leaseMillis;
    private final int max;
    private final int claimsMax;
    private final OpenClaims open;
    private final ClaimQueue queue;

    Claim(
        String author,
        RequestStamp request,
        boolean maybeRetried,
        ClaimRequest claim,
        int claimsMax,
        OpenClaims open,
        ClaimQueue queue) {
      super(author, request, maybeRetried);
      this.mountId = claim.mountId();
      this.prefix = claim.prefix();
      this.worker = claim.worker();
      this.leaseMillis = claim.leaseMillis();
      this.max = claim.max();
      this.claimsMax = claimsMax;
      this.open = open;
      this.queue = queue;
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      MountInfo mount = mount(view, mountId, writable(view));
      if (!mount.access().mayWrite()) {
        throw notCovered(mount, prefix.toString());
      }
      long now = Timestamps.millis(timestamp);
      List<ClaimQueue.Item> items = queue.take(max, now, view, mount);
      if (!items.isEmpty() && open.count(now) + items.size() > claimsMax) {
        throw new MemSpaceException(
            ErrorCode.BUSY,
            "the space has [%d] open claims, its limit; finish or release some"
                .formatted(open.count(now)),
            Map.of("accepted", claimsMax));
      }
      return items.stream()
          .<Change>map(
              item ->
                  new Change.OfState(
                      SpaceRows.claimKey(item.entry()),
                      new SpaceRows.ClaimRow(worker, revision, now + leaseMillis, item.revision())
                          .encode()))
          .toList();
    }
  }

  /** What a claim asks for. */
  record ClaimRequest(String mountId, EntryKey prefix, String worker, long leaseMillis, int max) {}

  /** Prolongs a claim, or with no lease gives it back. */
  static final class RenewClaim extends SpaceCommand {
    private final String mountId;
    private final EntryKey key;
    private final long token;
    private final Long leaseMillis;

    RenewClaim(String author, String mountId, EntryKey key, long token, Long leaseMillis) {
      super(author, null, true);
      this.mountId = mountId;
      this.key = key;
      this.token = token;
      this.leaseMillis = leaseMillis;
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      MountInfo mount = mount(view, mountId, writable(view));
      if (!mount.access().mayWrite() || !mount.covers(key.region(), key.name())) {
        throw notCovered(mount, key.toString());
      }
      EntryRef ref = SpaceRows.ref(key);
      SpaceRows.ClaimRow row =
          view.state(SpaceRows.claimKey(ref))
              .map(SpaceRows.ClaimRow::decode)
              .filter(
                  claim ->
                      claim.token() == token && claim.expiresAt() > Timestamps.millis(timestamp))
              .orElseThrow(() -> SpaceWrite.lost(key, token));
      return state(
          SpaceRows.claimKey(ref),
          leaseMillis == null
              ? null
              : new SpaceRows.ClaimRow(
                      row.worker(),
                      token,
                      Timestamps.millis(timestamp) + leaseMillis,
                      row.revision())
                  .encode());
    }
  }

  static void requireOwner(SpaceRows.Manifest manifest, Principal caller) {
    if (!caller.admin() && !manifest.owner().equals(caller.name())) {
      throw new MemSpaceException(
          ErrorCode.NOT_OWNER,
          "space [%s] is owned by somebody else; only its owner or an administrator may change it"
              .formatted(manifest.name()));
    }
  }
}
