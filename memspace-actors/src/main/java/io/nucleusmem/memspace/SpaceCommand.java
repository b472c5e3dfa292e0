package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.Command;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.PendingView;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.store.Bytes;
import java.util.List;
import java.util.Map;

/** A command on a space: who sends it, under which request, and the checks that all share. */
abstract class SpaceCommand implements Command {
  private final String author;
  private final RequestStamp request;
  private final boolean maybeRetried;

  SpaceCommand(String author, RequestStamp request, boolean maybeRetried) {
    this.author = author;
    this.request = request;
    this.maybeRetried = maybeRetried;
  }

  @Override
  public final String sender() {
    return author;
  }

  @Override
  public final RequestStamp request() {
    return request;
  }

  @Override
  public final boolean maybeRetried() {
    return maybeRetried;
  }

  @Override
  public int bytes() {
    return 256;
  }

  @Override
  public List<EntryRef> reads() {
    return List.of();
  }

  /** The manifest, if the space can be written. */
  static SpaceRows.Manifest writable(PendingView view) {
    SpaceRows.Manifest manifest = manifest(view);
    if (manifest.state().equals(SpaceRows.Manifest.ARCHIVED)) {
      throw new MemSpaceException(
          ErrorCode.SPACE_ARCHIVED,
          "space [%s] is archived: it can be read, not written".formatted(manifest.name()));
    }
    return manifest;
  }

  /** The manifest, if the space is there. */
  static SpaceRows.Manifest manifest(PendingView view) {
    if (isDeleted(view)) {
      throw gone(anyManifest(view).name());
    }
    return anyManifest(view);
  }

  static boolean isDeleted(PendingView view) {
    return anyManifest(view).state().equals(SpaceRows.Manifest.DELETED);
  }

  private static SpaceRows.Manifest anyManifest(PendingView view) {
    return Decoded.of(view.state(SpaceRows.MANIFEST_KEY).orElseThrow(), SpaceRows.Manifest.class);
  }

  static MemSpaceException gone(String space) {
    return new MemSpaceException(
        ErrorCode.SPACE_NOT_FOUND, "there is no space [%s]".formatted(space));
  }

  /** The mount that a command comes through. */
  static MountInfo mount(PendingView view, String mountId, SpaceRows.Manifest manifest) {
    Bytes row = view.state(SpaceRows.mountKey(mountId)).orElseThrow(() -> revoked(mountId));
    return Decoded.mount(row, mountId, manifest.name());
  }

  static MemSpaceException revoked(String mountId) {
    return new MemSpaceException(
        ErrorCode.MOUNT_REVOKED,
        "mount [%s] is revoked: nothing can be done with it; mount the space again"
            .formatted(mountId),
        Map.of("mount", mountId));
  }

  static MemSpaceException notCovered(MountInfo mount, String what) {
    return new MemSpaceException(
        ErrorCode.FORBIDDEN,
        "mount [%s] (%s) does not let its holder write [%s]"
            .formatted(mount.id(), mount.access().label(), what));
  }

  /** Changes that are nothing but rows of state. */
  static List<Change> state(io.nucleusmem.ledger.StateKey key, Bytes value) {
    return List.of(SpaceRows.change(key, value));
  }
}
