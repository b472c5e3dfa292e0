package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.EntryRef;
import io.nucleusmem.ledger.LedgerCopy;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.Version;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Row;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Reads a space as a file, block by block, as fast as it is taken. Holds one page of rows. Used by
 * one taker at a time.
 */
final class SpaceExport {
  private static final int PAGE_BYTES = 1 << 20;
  private static final int PAGE_ROWS_FIRST = 4; // of the largest values
  private static final int PAGE_ROWS_MAX = 1_024;

  /**
   * A ledger to be read, with what it shows of others.
   *
   * @param base what it stands on
   * @param slices oldest first
   */
  record Part(LedgerId id, ExportFormat.Ledger ledger, Base base, List<Slice> slices) {
    Part {
      slices = List.copyOf(slices);
    }
  }

  /**
   * Revisions that are one ledger's: those behind {@code above}, up to {@code upTo}.
   *
   * @param commits false where compaction has taken commits behind these, so that they can't be
   *     told
   */
  record Slice(LedgerId id, long above, long upTo, boolean commits) {}

  private final KvStore store;
  private final List<Part> parts;
  private final UnaryOperator<Version> mask;
  private final Deque<Supplier<CompletionStage<List<Bytes>>>> steps = new ArrayDeque<>();
  private final Deque<Bytes> ready = new ArrayDeque<>();
  private final MessageDigest digest = ExportFormat.sha256();
  private long blocks = -1; // the magic is none
  private long bytes;
  private long reached; // newest revision of the ledger whose commit was read; -1 before the first
  private int rowsPerPage = PAGE_ROWS_FIRST;

  /**
   * An export.
   *
   * @param state a block of rows of state that travel; empty if there are none
   * @param mask what is shown of a version
   */
  SpaceExport(
      KvStore store,
      ExportFormat.Header header,
      List<Part> parts,
      Optional<Bytes> state,
      UnaryOperator<Version> mask) {
    this.store = store;
    this.parts = parts;
    this.mask = mask;
    ready.add(ExportFormat.MAGIC);
    ready.add(ExportFormat.json(ExportFormat.HEADER, header));
    for (Part part : parts) {
      steps.add(
          () -> {
            reached = -1;
            return CompletableFuture.completedStage(
                List.of(ExportFormat.json(ExportFormat.LEDGER, part.ledger())));
          });
      part.slices().stream()
          .filter(Slice::commits)
          .forEach(
              slice ->
                  steps.add(
                      () ->
                          commits(
                              part,
                              slice,
                              LedgerKeys.log(slice.id(), slice.above() + 1, slice.upTo() + 1))));
      steps.add(() -> whole(part));
      for (Region region : Region.values()) {
        for (Slice slice : part.slices()) {
          KeyRange range = LedgerKeys.versions(slice.id(), region.code(), Bytes.EMPTY);
          steps.add(() -> versions(slice, range));
        }
      }
    }
    state.ifPresent(block -> steps.add(() -> CompletableFuture.completedStage(List.of(block))));
    steps.add(this::end);
  }

  /** The next bytes of the file; empty behind its end. */
  CompletionStage<Optional<Bytes>> next() {
    Bytes block = ready.poll();
    if (block != null) {
      blocks++;
      bytes += block.length();
      digest.update(block.shared());
      return CompletableFuture.completedStage(Optional.of(block));
    }
    Supplier<CompletionStage<List<Bytes>>> step = steps.poll();
    if (step == null) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    return step.get()
        .thenCompose(
            made -> {
              ready.addAll(made);
              return next();
            });
  }

  private CompletionStage<List<Bytes>> whole(Part part) {
    if (reached != part.ledger().revision()) {
      throw overtaken(part, "commits end at [%d]".formatted(reached));
    }
    return CompletableFuture.completedStage(List.of());
  }

  private CompletionStage<List<Bytes>> commits(Part part, Slice slice, KeyRange range) {
    return store
        .scan(range, rowsPerPage, Direction.ASCENDING)
        .thenApply(
            page -> {
              BytesWriter out = ExportFormat.payload();
              for (Row row : page.rows()) {
                long first = LedgerKeys.firstOf(row.key());
                if (reached >= 0 && first != reached + 1) {
                  throw overtaken(part, "commits behind [%d] are gone".formatted(reached));
                }
                LogRow bare = LedgerCopy.bare(LogRow.decode(first, row.value())).upTo(slice.upTo());
                out.i64(first).bytes(bare.encode(false));
                reached = bare.last();
              }
              adapt(page.rows());
              page.rest().ifPresent(rest -> steps.addFirst(() -> commits(part, slice, rest)));
              return blocksOf(ExportFormat.COMMITS, out);
            });
  }

  private CompletionStage<List<Bytes>> versions(Slice slice, KeyRange range) {
    return store
        .scan(range, rowsPerPage, Direction.ASCENDING)
        .thenApply(
            page -> {
              List<Bytes> made = new ArrayList<>();
              BytesWriter out = ExportFormat.payload();
              long size = 0;
              for (Row row : page.rows()) {
                LedgerKeys.VersionKey key = LedgerKeys.parseVersion(row.key());
                if (key.revision() <= slice.above() || key.revision() > slice.upTo()) {
                  continue;
                }
                EntryRef entry = key.entry();
                Version shown = mask.apply(Version.decode(entry, key.revision(), row.value()));
                out.u8(entry.region()).bytes(entry.key()).i64(key.revision()).bytes(shown.encode());
                size += row.key().length() + row.value().length();
                if (size >= PAGE_BYTES) {
                  made.addAll(blocksOf(ExportFormat.VERSIONS, out));
                  out = ExportFormat.payload();
                  size = 0;
                }
              }
              made.addAll(blocksOf(ExportFormat.VERSIONS, out));
              adapt(page.rows());
              page.rest().ifPresent(rest -> steps.addFirst(() -> versions(slice, rest)));
              return made;
            });
  }

  private static List<Bytes> blocksOf(char kind, BytesWriter out) {
    Bytes payload = out.toBytes();
    return payload.isEmpty() ? List.of() : List.of(ExportFormat.block(kind, payload));
  }

  /** Pages of about one size, whatever the rows'; never more than twice as many rows as before. */
  private void adapt(List<Row> rows) {
    long size = 1;
    for (Row row : rows) {
      size += row.key().length() + row.value().length();
    }
    long fitting = Math.max(1, (long) rows.size() * PAGE_BYTES / size);
    rowsPerPage = (int) Math.max(1, Math.min(Math.min(fitting, rowsPerPage * 2L), PAGE_ROWS_MAX));
  }

  /** Compaction may have taken rows that were to be read: then the file is none. */
  private CompletionStage<List<Bytes>> end() {
    List<CompletionStage<Void>> checks = new ArrayList<>();
    for (Part part : parts) {
      checks.add(
          Base.find(store, part.id())
              .thenCompose(
                  base -> {
                    if (!base.equals(part.base())) {
                      throw overtaken(part, "it stands on other ledgers now");
                    }
                    return floor(store, part.id(), base);
                  })
              .thenAccept(
                  floor -> {
                    if (floor > part.ledger().floor()) {
                      throw overtaken(part, "the oldest revision is [%d] now".formatted(floor));
                    }
                  }));
    }
    CompletableFuture<?>[] all =
        checks.stream().map(CompletionStage::toCompletableFuture).toArray(CompletableFuture[]::new);
    return CompletableFuture.allOf(all)
        .thenApply(
            done ->
                List.of(
                    ExportFormat.json(
                        ExportFormat.END,
                        new ExportFormat.End(
                            blocks, bytes, ExportFormat.hex(copy(digest).digest())))));
  }

  /** The oldest revision from which on all can be read, through all that a ledger stands on. */
  static CompletionStage<Long> floor(KvStore store, LedgerId id, Base base) {
    CompletionStage<Long> floor = new LedgerReader(store, id).floor();
    for (int i = 0; i < base.layers().size(); i++) {
      boolean deepest = i == base.layers().size() - 1;
      long above = deepest ? -1 : base.layers().get(i + 1).revision();
      floor =
          floor.thenCombine(
              new LedgerReader(store, base.layers().get(i).id()).floor(),
              (oldest, its) -> its > above + 1 ? Math.max(oldest, its) : oldest);
    }
    return floor;
  }

  private static MessageDigest copy(MessageDigest digest) {
    try {
      return (MessageDigest) digest.clone();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("SHA-256 can be copied", e);
    }
  }

  private static MemSpaceException overtaken(Part part, String found) {
    return new MemSpaceException(
        ErrorCode.UNAVAILABLE,
        "%s has changed under its export: %s; export again"
            .formatted(
                part.ledger().topic() == null ? "the space" : "topic " + part.ledger().topic(),
                found));
  }

  /** Leaves out the first bytes of what comes. */
  static Optional<Bytes> skip(Bytes block, long from) {
    return from >= block.length()
        ? Optional.empty()
        : Optional.of(Bytes.wrap(Arrays.copyOfRange(block.shared(), (int) from, block.length())));
  }
}
