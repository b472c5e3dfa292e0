package io.nucleusmem.memspace;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.nucleusmem.ledger.Change;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The rows of state that a space keeps in its ledger, and their keys. */
final class SpaceRows {
  static final byte MANIFEST = 1;
  static final byte MOUNTS = 2;
  static final byte CLAIMS = 3;
  static final byte TOPICS = 4;
  static final byte PINS = 5; // see ForkRows, also the next two
  static final byte BOOKMARKS = 6;
  static final byte FORKED_FROM = 7;
  static final byte MERGED = 12;

  static final StateKey MANIFEST_KEY = new StateKey(MANIFEST, Bytes.EMPTY);

  private SpaceRows() {}

  /** What a space is. */
  record Manifest(
      String name,
      String kind,
      String owner,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, String> labels,
      Long retentionMillis,
      Long retentionVersions,
      Long retentionBytes,
      String state,
      long createdAt,
      Long importedAt) {
    static final String ACTIVE = "active";
    static final String ARCHIVED = "archived";
    static final String DELETED = "deleted";

    Manifest {
      labels = labels == null ? Map.of() : labels;
    }

    static Manifest of(CreateSpace request, String owner, long createdAtMillis) {
      return new Manifest(
          request.name(),
          request.kind().label(),
          owner,
          request.labels(),
          millisOf(request.retention()),
          versionsOf(request.retention()),
          bytesOf(request.retention()),
          ACTIVE,
          createdAtMillis,
          null);
    }

    Manifest with(UpdateSpace change) {
      Long millis = retentionMillis;
      Long versions = retentionVersions;
      Long bytes = retentionBytes;
      if (change.retention().isPresent()) {
        millis = millisOf(change.retention().get());
        versions = versionsOf(change.retention().get());
        bytes = bytesOf(change.retention().get());
      }
      return new Manifest(
          name,
          kind,
          change.owner().orElse(owner),
          change.labels().orElse(labels),
          millis,
          versions,
          bytes,
          state,
          createdAt,
          importedAt);
    }

    private static Long millisOf(Retention retention) {
      return retention.maxAge().map(Duration::toMillis).orElse(null);
    }

    private static Long versionsOf(Retention retention) {
      return retention.maxVersions().isPresent()
          ? Long.valueOf(retention.maxVersions().getAsLong())
          : null;
    }

    private static Long bytesOf(Retention retention) {
      return retention.maxBytes().isPresent()
          ? Long.valueOf(retention.maxBytes().getAsLong())
          : null;
    }

    Manifest withState(String other) {
      return new Manifest(
          name,
          kind,
          owner,
          labels,
          retentionMillis,
          retentionVersions,
          retentionBytes,
          other,
          createdAt,
          importedAt);
    }

    /** True if the space was there at a time: an imported one is, from its import on. */
    boolean wasThere(long millis) {
      return createdAt <= millis && (importedAt == null || importedAt <= millis);
    }

    Retention retention() {
      return new Retention(
          Optional.ofNullable(retentionMillis).map(Duration::ofMillis),
          optional(retentionVersions),
          optional(retentionBytes));
    }

    private static OptionalLong optional(Long value) {
      return value == null ? OptionalLong.empty() : OptionalLong.of(value);
    }

    boolean isPrivate() {
      return kind.equals(SpaceKind.PRIVATE.label());
    }

    SpaceInfo info(long revision, Optional<Bytes> forkedFrom) {
      return new SpaceInfo(
          name,
          SpaceKind.ofLabel(kind),
          owner,
          labels,
          state.equals(ARCHIVED) ? SpaceInfo.State.ARCHIVED : SpaceInfo.State.ACTIVE,
          revision,
          java.time.Instant.ofEpochMilli(createdAt),
          retention(),
          forkedFrom.map(row -> StateJson.decode(row, ForkRows.ForkedFrom.class).info()));
    }
  }

  /** A mount. */
  record Mount(
      String holder,
      String access,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) Set<String> regions,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> prefixes,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) Set<String> topics,
      String grantedBy,
      boolean asAdmin,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) boolean showQuarantined) {

    Mount {
      regions = regions == null ? Set.of() : regions;
      prefixes = prefixes == null ? List.of() : prefixes;
      topics = topics == null ? Set.of() : topics;
    }

    static Mount of(MountRequest request, String grantedBy, boolean asAdmin) {
      return new Mount(
          request.holder(),
          request.access().label(),
          request.regions().stream()
              .map(Region::label)
              .collect(Collectors.toCollection(TreeSet::new)),
          request.prefixes(),
          new TreeSet<>(request.topics()),
          grantedBy,
          asAdmin,
          request.showQuarantined());
    }

    MountInfo info(String id, String space) {
      return new MountInfo(
          id,
          space,
          holder,
          Access.ofLabel(access),
          regions.stream().map(Region::ofLabel).collect(Collectors.toSet()),
          prefixes,
          topics,
          grantedBy,
          asAdmin,
          showQuarantined);
    }
  }

  /**
   * A claim.
   *
   * @param token revision at which it was made
   * @param expiresAt store's time in milliseconds
   * @param revision of the entry when it was claimed
   */
  record ClaimRow(String worker, long token, long expiresAt, long revision) {
    private static final int FORMAT = 1;

    /** In binary, unlike the other rows: claims are read and written at the pace of entries. */
    Bytes encode() {
      return new BytesWriter(40)
          .u8(FORMAT)
          .i64(token)
          .i64(expiresAt)
          .varint(revision)
          .text(worker)
          .toBytes();
    }

    static ClaimRow decode(Bytes row) {
      BytesReader from = new BytesReader(row);
      int format = from.u8();
      if (format != FORMAT) {
        throw new IllegalStateException(
            "row of a claim has format [%d]; this version reads [%d]".formatted(format, FORMAT));
      }
      long token = from.i64();
      long expiresAt = from.i64();
      long revision = from.varint();
      return new ClaimRow(from.text(), token, expiresAt, revision);
    }
  }

  /**
   * A topic's ledger.
   *
   * @param at store's time at which it was listed; null in rows of before that was written: always
   */
  record Topic(String id, Long at) {
    LedgerId ledger() {
      return LedgerId.parse(id);
    }
  }

  /** A change of a row of state. What a space was, and who had it mounted, stays known. */
  static Change change(StateKey key, Bytes value) {
    boolean kept = key.table() == MANIFEST || key.table() == MOUNTS || key.table() == FORKED_FROM;
    return new Change.OfState(key, value, kept);
  }

  static StateKey mountKey(String mountId) {
    return new StateKey(MOUNTS, Bytes.utf8(mountId));
  }

  static StateKey topicKey(String name) {
    return new StateKey(TOPICS, Bytes.utf8(name));
  }

  static StateKey claimKey(EntryRef entry) {
    return new StateKey(CLAIMS, Bytes.wrap(new byte[] {entry.region()}).concat(entry.key()));
  }

  static EntryRef claimedEntry(StateKey key) {
    return new EntryRef(key.key().at(0), key.key().slice(1, key.key().length()));
  }

  /** A mount's id: it names its space, so that whoever holds it need not say more. */
  static String mountId(LedgerId space, long revision) {
    return "m-" + space + "-" + revision;
  }

  /** The space in a mount's id. */
  static LedgerId spaceOf(String mountId) {
    String[] parts = mountId.split("-");
    if (parts.length == 3 && parts[0].equals("m") && parts[1].matches("[0-9a-f]{32}")) {
      return LedgerId.parse(parts[1]);
    }
    throw new MemSpaceException(
        ErrorCode.MOUNT_NOT_FOUND,
        "[%s] is no mount's id".formatted(mountId),
        Map.of("mount", mountId));
  }

  static EntryRef ref(EntryKey key) {
    return new EntryRef(key.region().code(), Bytes.utf8(key.name()));
  }

  static EntryKey key(EntryRef ref) {
    return new EntryKey(Region.ofCode(ref.region()), ref.key().utf8());
  }
}
