package io.nucleusmem.memspace;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.PendingView;
import io.nucleusmem.ledger.RequestStamp;
import io.nucleusmem.ledger.Version;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** A batch of operations through a mount, decided as one. */
final class SpaceWrite extends SpaceCommand {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String mountId;
  private final List<Operation> operations;
  private final transient List<EntryRef> refs; // one per operation, in their order
  private final transient List<EntryRef> reads; // these two follow from the operations
  private final int bytes;
  private final int valueBytesMax; // also of a value that grows

  SpaceWrite(
      String mountId,
      String author,
      RequestStamp request,
      boolean maybeRetried,
      List<Operation> operations,
      int bytes,
      int valueBytesMax) {
    super(author, request, maybeRetried);
    this.mountId = mountId;
    this.operations = operations;
    this.bytes = bytes;
    this.valueBytesMax = valueBytesMax;
    this.refs = new ArrayList<>(operations.size());
    List<EntryRef> needed = List.of();
    for (Operation operation : operations) {
      EntryRef ref = SpaceRows.ref(operation.key());
      refs.add(ref);
      boolean blind =
          operation instanceof Operation.Append
              || operation instanceof Operation.Put && operation.ifRevision().isEmpty();
      if (!blind) {
        needed = needed.isEmpty() ? new ArrayList<>() : needed;
        needed.add(ref);
      }
    }
    this.reads = needed;
  }

  @Override
  public int bytes() {
    return bytes;
  }

  @Override
  public List<EntryRef> reads() {
    return reads;
  }

  @Override
  public List<Change> decide(PendingView view, long revision, long timestamp) {
    MountInfo mount = mount(view, mountId, writable(view));
    List<Change> changes = new ArrayList<>(operations.size());
    Map<EntryRef, Integer> appended = null;
    for (int i = 0; i < operations.size(); i++) {
      Operation operation = operations.get(i);
      EntryRef ref = refs.get(i);
      boolean allowed =
          mount.covers(operation.key().region(), operation.key().name())
              && (operation instanceof Operation.Append
                  ? mount.access().mayAppend()
                  : mount.access().mayWrite());
      if (!allowed) {
        throw notCovered(mount, operation.key().toString());
      }
      if (operation instanceof Operation.Append append) {
        appended = appended == null ? new HashMap<>() : appended;
        int ordinal = appended.merge(ref, 1, Integer::sum) - 1;
        changes.add(
            put(
                new EntryRef(ref.region(), appendKey(ref.key(), revision, ordinal)),
                append.content()));
      } else {
        decideKeyed(operation, ref, i, view, timestamp, changes);
      }
    }
    return changes;
  }

  /** The key of the n-th append of a batch under one prefix: keys sort by order of arrival. */
  static Bytes appendKey(Bytes prefix, long revision, int ordinal) {
    String suffix = "%020d".formatted(revision);
    return prefix.concat(Bytes.utf8(ordinal == 0 ? suffix : suffix + "." + ordinal));
  }

  private void decideKeyed(
      Operation operation,
      EntryRef ref,
      int index,
      PendingView view,
      long timestamp,
      List<Change> changes) {
    Optional<Version> newest =
        reads.contains(ref)
            ? view.newest(ref).filter(version -> !version.deleted())
            : Optional.empty();
    checkRevision(operation, index, newest, view);
    if (operation instanceof Operation.Check) {
      return;
    }
    boolean endsClaim = checkClaim(operation, ref, view, timestamp);
    if (operation instanceof Operation.Put put) {
      changes.add(put(ref, put.content()));
      endsClaim &= put.claimDone() || put.claim().isEmpty();
    } else if (operation instanceof Operation.Delete) {
      if (newest.isEmpty()) {
        throw new MemSpaceException(
            ErrorCode.ENTRY_NOT_FOUND,
            "nothing to delete at [%s]".formatted(operation.key()),
            Map.of("index", index));
      }
      changes.add(new Change.OfEntry(ref, true, null, 0, null));
    } else if (operation instanceof Operation.Add add) {
      changes.add(put(ref, grown(add(add, readable(newest, view), index))));
      endsClaim &= add.claim().isEmpty();
    } else if (operation instanceof Operation.Merge merge) {
      changes.add(put(ref, grown(merge(merge, readable(newest, view), index))));
      endsClaim &= merge.claim().isEmpty();
    }
    if (endsClaim) {
      changes.add(new Change.OfState(SpaceRows.claimKey(ref), null));
    }
  }

  /** What may be built upon: not what is erased or in quarantine. */
  private static Optional<Version> readable(Optional<Version> newest, PendingView view) {
    Optional<Version> shown = newest.map(KeepingChanges.rules(view)::show);
    shown.ifPresent(Tombstones::readable);
    return shown;
  }

  private static void checkRevision(
      Operation operation, int index, Optional<Version> newest, PendingView view) {
    OptionalLong expected = operation.ifRevision();
    long current = newest.map(Version::revision).orElse(0L);
    if (expected.isPresent() && expected.getAsLong() != current) {
      Optional<Entry> shown =
          newest
              .map(KeepingChanges.rules(view)::show)
              .filter(version -> !Tombstones.isOne(version))
              .map(version -> ContentCodec.entry(version, true));
      throw new RevisionMismatchException(
          index, operation.key(), expected.getAsLong(), current, shown.orElse(null));
    }
  }

  /**
   * True if there is a claim's row that goes if the entry goes, or that has expired and is in the
   * way.
   */
  private static boolean checkClaim(
      Operation operation, EntryRef ref, PendingView view, long timestamp) {
    Optional<SpaceRows.ClaimRow> row =
        view.state(SpaceRows.claimKey(ref)).map(SpaceRows.ClaimRow::decode);
    boolean held = row.isPresent() && row.get().expiresAt() > Timestamps.millis(timestamp);
    if (operation.claim().isPresent()) {
      long token = operation.claim().getAsLong();
      if (!held || row.get().token() != token) {
        throw lost(operation.key(), token);
      }
    } else if (held) {
      throw new MemSpaceException(
          ErrorCode.CLAIMED,
          "[%s] is claimed by [%s]; write it with the claim's token or wait until it ends"
              .formatted(operation.key(), row.get().worker()),
          Map.of("expires_at", java.time.Instant.ofEpochMilli(row.get().expiresAt()).toString()));
    }
    return row.isPresent();
  }

  static MemSpaceException lost(EntryKey key, long token) {
    return new MemSpaceException(
        ErrorCode.CLAIM_LOST,
        "the claim [%d] on [%s] is not held any more: it expired, ended or was never made"
            .formatted(token, key),
        Map.of("token", token));
  }

  private static Change put(EntryRef ref, Content content) {
    return new Change.OfEntry(
        ref, false, ContentCodec.encode(content), content.value().length(), null);
  }

  private Content grown(Content content) {
    if (content.value().length() > valueBytesMax) {
      throw MemSpaceException.tooLarge("value", content.value().length(), valueBytesMax, "bytes");
    }
    return content;
  }

  private static Content add(Operation.Add add, Optional<Version> newest, int index) {
    if (newest.isEmpty()) {
      return Content.text(Long.toString(add.amount()));
    }
    Content old = ContentCodec.decode(newest.get().body());
    try {
      BigInteger sum = new BigInteger(old.text().strip()).add(BigInteger.valueOf(add.amount()));
      return new Content(Bytes.utf8(sum.toString()), old.contentType(), old.metadata());
    } catch (NumberFormatException e) {
      throw new MemSpaceException(
          ErrorCode.NOT_A_NUMBER,
          "[%s] holds no whole number in decimal text, so [%d] can't be added"
              .formatted(add.key(), add.amount()),
          Map.of("index", index));
    }
  }

  private static Content merge(Operation.Merge merge, Optional<Version> newest, int index) {
    JsonNode patch = json(merge.patch(), "the patch for [%s]".formatted(merge.key()), index);
    Content old =
        newest.map(version -> ContentCodec.decode(version.body())).orElse(Content.json("null"));
    JsonNode target = json(old.text(), "[%s]".formatted(merge.key()), index);
    return new Content(
        Bytes.utf8(MergePatch.apply(target, patch).toString()),
        newest.isEmpty() ? Content.JSON : old.contentType(),
        old.metadata());
  }

  private static JsonNode json(String text, String what, int index) {
    try {
      JsonNode node = JSON.readTree(text);
      if (node != null && !node.isMissingNode()) {
        return node;
      }
    } catch (JsonProcessingException e) {
      // refused below
    }
    throw new MemSpaceException(
        ErrorCode.NOT_JSON, what + " is no JSON document", Map.of("index", index));
  }
}
