package io.nucleusmem.memspace;

import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.LedgerCopy;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.PastState;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * Writes a space as its file is read, under ids that nobody knows; the space appears with the last
 * commit, when the whole file has been checked. Used by one thread at a time.
 */
final class SpaceImport {
  private static final long BATCH_BYTES = 1 << 20;
  private static final int ANCHOR_EVERY = 256;

  /** Tables whose rows travel. */
  static final Set<Byte> TABLES = Set.of(KeepingChanges.QUARANTINE);

  private final KvStore store;
  private final String name;
  private final Principal caller;
  private final LedgerId space;
  private final MessageDigest digest = ExportFormat.sha256();
  private final Map<String, LedgerId> topics = new LinkedHashMap<>();
  private final List<LedgerId> ids = new ArrayList<>();
  private final List<ExportFormat.Ledger> ledgers = new ArrayList<>(); // in the order of ids
  private final Map<StateKey, Bytes> state = new LinkedHashMap<>();

  private ExportFormat.Header header;
  private ExportFormat.Ledger ledger; // the one that is being read; null before the first
  private LedgerId id;
  private long next = -1; // revision that the ledger's next commit must begin with; -1: any
  private long commits;
  private long bytes;
  private long importedAt; // store's time in milliseconds
  private boolean ended;
  private long endedAt; // first byte behind the end
  private volatile boolean appearing; // the space is there, or may be

  SpaceImport(KvStore store, String name, Principal caller, LedgerId space) {
    this.store = store;
    this.name = name;
    this.caller = caller;
    this.space = space;
    digest.update(ExportFormat.MAGIC.shared());
    bytes = ExportFormat.MAGIC.length();
  }

  /** Ledgers that were begun. */
  List<LedgerId> ids() {
    return List.copyOf(ids);
  }

  /** True once the commit that makes the space may have been sent. */
  boolean isAppearing() {
    return appearing;
  }

  LedgerId space() {
    return space;
  }

  /** Takes the next block. */
  CompletionStage<Void> take(ExportReader.Block block) {
    try {
      if (ended) {
        throw damaged(block, "something behind its end");
      }
      if ((header == null) != (block.kind() == ExportFormat.HEADER)) {
        throw damaged(block, header == null ? "no header" : "a second header");
      }
      CompletionStage<Void> written = read(block);
      if (!ended) {
        // the block as it stood in the file
        digest.update(ExportFormat.block(block.kind(), block.payload()).shared());
        bytes += block.length();
      }
      return written;
    } catch (MemSpaceException refused) {
      return CompletableFuture.failedStage(refused);
    } catch (RuntimeException unreadable) {
      return CompletableFuture.failedStage(
          damaged(block, "a block that cannot be read (%s)".formatted(unreadable.getMessage())));
    }
  }

  private CompletionStage<Void> read(ExportReader.Block block) {
    return switch (block.kind()) {
      case ExportFormat.HEADER -> header(block);
      case ExportFormat.LEDGER -> ledger(block);
      case ExportFormat.COMMITS -> commits(block);
      case ExportFormat.VERSIONS -> versions(block);
      case ExportFormat.STATE -> state(block);
      case ExportFormat.END -> end(block);
      default -> throw damaged(block, "a block of unknown kind [%s]".formatted(block.kind()));
    };
  }

  private static CompletionStage<Void> done() {
    return CompletableFuture.completedStage(null);
  }

  private CompletionStage<Void> header(ExportReader.Block block) {
    header = StateJson.decode(block.payload(), ExportFormat.Header.class);
    if (header.version() != ExportFormat.VERSION) {
      throw new MemSpaceException(
          ErrorCode.DAMAGED_FILE,
          "the file has format [%d]; this node reads [%d]"
              .formatted(header.version(), ExportFormat.VERSION),
          Map.of("byte", block.at(), "block", block.number()));
    }
    return store
        .now()
        .thenAccept(
            now -> {
              importedAt = Timestamps.millis(now);
              if (header.timestamp() >= now) {
                throw MemSpaceException.invalid(
                    "file",
                    "written at " + Timestamps.instant(header.timestamp()),
                    "an instant before this store's time, " + Timestamps.instant(now));
              }
            });
  }

  /** What the header says must make a space: one that cannot be read would spoil every listing. */
  private void requireFit(ExportReader.Block block) {
    try {
      manifest().info(0, Optional.empty());
      Limits.labels(header.labels());
      requireAtLeast(1, header.retentionMillis());
      requireAtLeast(1, header.retentionVersions());
      requireAtLeast(0, header.retentionBytes());
    } catch (RuntimeException unfit) {
      throw damaged(block, "a header that makes no space (%s)".formatted(unfit.getMessage()));
    }
  }

  private static void requireAtLeast(long least, Long limit) {
    if (limit != null && limit < least) {
      throw new IllegalArgumentException("a limit of retention of [%d]".formatted(limit));
    }
  }

  private static void requireFit(ExportReader.Block block, ExportFormat.Ledger next) {
    try {
      if (next.topic() != null) {
        Limits.name("topic", next.topic());
      }
    } catch (MemSpaceException unfit) {
      throw damaged(block, "a topic that has no name (%s)".formatted(unfit.getMessage()));
    }
    if (next.floor() < 0 || next.floor() > next.revision()) {
      throw damaged(
          block, "a ledger of revisions [%d] to [%d]".formatted(next.floor(), next.revision()));
    }
  }

  private CompletionStage<Void> ledger(ExportReader.Block block) {
    requireWhole(block);
    ledger = StateJson.decode(block.payload(), ExportFormat.Ledger.class);
    requireFit(block, ledger);
    if ((ids.isEmpty()) != (ledger.topic() == null)
        || ledger.topic() != null && topics.containsKey(ledger.topic())) {
      throw damaged(block, "a ledger out of place");
    }
    id = ids.isEmpty() ? space : LedgerId.random();
    ids.add(id);
    ledgers.add(ledger);
    if (ledger.topic() != null) {
      topics.put(ledger.topic(), id);
    }
    next = -1;
    return store
        .now()
        .thenCompose(
            now ->
                store.commit(WriteBatch.at(now).put(Catalogue.stagedKey(id), Bytes.EMPTY).build()));
  }

  private CompletionStage<Void> commits(ExportReader.Block block) {
    requireLedger(block);
    BytesReader in = new BytesReader(block.payload());
    List<LogRow> rows = new ArrayList<>();
    while (!in.atEnd()) {
      LogRow row = LogRow.decode(in.i64(), in.bytes());
      if (next >= 0 && row.first() != next || row.last() > ledger.revision()) {
        throw damaged(block, "commit [%d] where [%d] belongs".formatted(row.first(), next));
      }
      next = row.last() + 1;
      rows.add(row);
    }
    return write(
        rows, (batch, row) -> LedgerCopy.commit(batch, id, row, commits++ % ANCHOR_EVERY == 0));
  }

  private record Stored(EntryRef entry, long revision, Bytes value) {}

  private CompletionStage<Void> versions(ExportReader.Block block) {
    requireLedger(block);
    BytesReader in = new BytesReader(block.payload());
    List<Stored> rows = new ArrayList<>();
    while (!in.atEnd()) {
      byte region = (byte) in.u8();
      Stored row = new Stored(new EntryRef(region, in.bytes()), in.i64(), in.bytes());
      if (row.revision() < 0 || row.revision() > ledger.revision()) {
        throw damaged(block, "a version of revision [%d]".formatted(row.revision()));
      }
      rows.add(row);
    }
    return write(
        rows,
        (batch, row) -> LedgerCopy.version(batch, id, row.entry(), row.revision(), row.value()));
  }

  private CompletionStage<Void> state(ExportReader.Block block) {
    BytesReader in = new BytesReader(block.payload());
    while (!in.atEnd()) {
      StateKey key = new StateKey((byte) in.u8(), in.bytes());
      Bytes row = in.bytes();
      if (!TABLES.contains(key.table())) {
        throw damaged(block, "state of a table [%d]".formatted(key.table()));
      }
      state.put(key, row);
    }
    return done();
  }

  private void requireLedger(ExportReader.Block block) {
    if (ledger == null) {
      throw damaged(block, "rows in front of their ledger");
    }
  }

  /** The ledger before must have come to its end. */
  private void requireWhole(ExportReader.Block block) {
    if (ledger != null && next != ledger.revision() + 1) {
      throw damaged(
          block,
          "the end of a ledger at revision [%d] of [%d]".formatted(next - 1, ledger.revision()));
    }
  }

  private interface Put<T> {
    void into(WriteBatch.Builder batch, T row);
  }

  private <T> CompletionStage<Void> write(List<T> rows, Put<T> put) {
    return rows.isEmpty() ? done() : write(rows, 0, put);
  }

  private <T> CompletionStage<Void> write(List<T> rows, int from, Put<T> put) {
    return store
        .now()
        .thenCompose(
            now -> {
              WriteBatch.Builder batch = WriteBatch.at(now);
              int at = from;
              while (at < rows.size() && batch.bytes() < BATCH_BYTES) {
                put.into(batch, rows.get(at++));
              }
              int reached = at;
              return Resent.commit(store, batch.build())
                  .thenCompose(
                      done ->
                          reached < rows.size()
                              ? write(rows, reached, put)
                              : CompletableFuture.completedStage(null));
            });
  }

  private CompletionStage<Void> end(ExportReader.Block block) {
    requireLedger(block);
    requireWhole(block);
    ExportFormat.End end = StateJson.decode(block.payload(), ExportFormat.End.class);
    if (end.bytes() != bytes
        || end.blocks() != block.number()
        || topics.size() != header.topics()
        || !end.sha256().equals(ExportFormat.hex(digest.digest()))) {
      throw damaged(block, "a checksum of the whole that is wrong");
    }
    ended = true;
    endedAt = block.at() + block.length();
    return done();
  }

  /**
   * Makes the space of what was read.
   *
   * @param position where the bytes ended
   */
  CompletionStage<CreatedSpace> finish(long position, long blocks) {
    if (!ended) {
      return CompletableFuture.failedStage(
          ExportReader.damaged(position, blocks, "its end before it is complete,"));
    }
    if (position > endedAt) { // too few bytes for a block
      return CompletableFuture.failedStage(
          ExportReader.damaged(endedAt, blocks, "something behind its end"));
    }
    return complete().thenCompose(done -> appear(Creations.TRIES_MAX)).thenApply(done -> made());
  }

  private CompletionStage<Void> appear(int tries) {
    return new Creations(store)
        .open(name)
        .thenCompose(
            gate ->
                store
                    .now()
                    .thenCompose(now -> Resent.commit(store, appearance(gate, now)))
                    .exceptionallyCompose(
                        failure -> {
                          Throwable cause =
                              failure instanceof CompletionException ? failure.getCause() : failure;
                          return tries > 1
                                  && cause instanceof RefusedCommitException refused
                                  && refused.key().equals(gate)
                              ? appear(tries - 1)
                              : CompletableFuture.failedStage(cause);
                        }));
  }

  private WriteBatch appearance(Bytes gate, long now) {
    appearing = true;
    importedAt = Timestamps.millis(now); // it was not there before
    WriteBatch.Builder batch = WriteBatch.at(now).require(gate);
    batch.insert(Catalogue.key(name), StateJson.encode(new Catalogue.SpaceRow(space.toString())));
    Map<StateKey, Bytes> own =
        Map.of(
            SpaceRows.MANIFEST_KEY,
            StateJson.encode(manifest()),
            SpaceRows.mountKey(mountId()),
            StateJson.encode(mount()));
    own.forEach(
        (key, row) -> {
          put(batch, space, key, row);
          PastState.addRow(batch, space, key, now, row);
        });
    topics.forEach(
        (topic, its) ->
            put(
                batch,
                space,
                SpaceRows.topicKey(topic),
                StateJson.encode(new SpaceRows.Topic(its.toString(), null))));
    state.forEach((key, row) -> put(batch, space, key, row));
    ids.forEach(each -> batch.delete(Catalogue.stagedKey(each)));
    return batch.build();
  }

  /** The space that the last commit makes. */
  CreatedSpace made() {
    return new CreatedSpace(
        manifest().info(header.revision(), Optional.empty()), mount().info(mountId(), name));
  }

  private SpaceRows.Manifest manifest() {
    return new SpaceRows.Manifest(
        name,
        header.kind(),
        caller.name(),
        header.labels(),
        header.retentionMillis(),
        header.retentionVersions(),
        header.retentionBytes(),
        SpaceRows.Manifest.ACTIVE,
        header.createdAt(),
        importedAt);
  }

  private String mountId() {
    return SpaceRows.mountId(space, 0);
  }

  private SpaceRows.Mount mount() {
    return SpaceRows.Mount.of(
        MountRequest.of(caller.name(), Access.READ_WRITE), caller.name(), false);
  }

  /** Makes ledgers of the rows, before the space is made of them. */
  private CompletionStage<Void> complete() {
    return store
        .now()
        .thenCompose(
            now -> {
              WriteBatch.Builder batch = WriteBatch.at(now);
              for (int i = 0; i < ledgers.size(); i++) {
                ExportFormat.Ledger each = ledgers.get(i);
                LedgerCopy.complete(batch, store, ids.get(i), each.revision(), each.floor());
                if (each.topic() != null) {
                  TopicRows.Manifest row =
                      new TopicRows.Manifest(space.toString(), name, each.topic());
                  put(batch, ids.get(i), TopicRows.MANIFEST_KEY, StateJson.encode(row));
                }
              }
              return Resent.commit(store, batch.build());
            });
  }

  private static void put(WriteBatch.Builder batch, LedgerId id, StateKey key, Bytes row) {
    batch.put(LedgerKeys.state(id, key), row);
  }

  private static MemSpaceException damaged(ExportReader.Block block, String found) {
    return ExportReader.damaged(block.at(), block.number(), found);
  }
}
