package io.nucleusmem.memspace;

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
   * A ledger to be read.
   *
   * @param revision newest one that is wanted
   */
  record Part(LedgerId id, ExportFormat.Ledger ledger) {}

  private final KvStore store;
  private final List<Part> parts;
  private final UnaryOperator<Version> mask;
  private final Deque<Supplier<CompletionStage<List<Bytes>>>> steps = new ArrayDeque<>();
  private final Deque<Bytes> ready = new ArrayDeque<>();
  private final MessageDigest digest = ExportFormat.sha256();
  private long blocks = -1; // the magic is none
  private long bytes;
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
          () ->
              CompletableFuture.completedStage(
                  List.of(ExportFormat.json(ExportFormat.LEDGER, part.ledger()))));
      steps.add(
          () -> commits(part, LedgerKeys.log(part.id(), 0, part.ledger().revision() + 1), -1));
      for (Region region : Region.values()) {
        steps.add(() -> versions(part, LedgerKeys.versions(part.id(), region.code(), Bytes.EMPTY)));
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

  private CompletionStage<List<Bytes>> commits(Part part, KeyRange range, long before) {
    return store
        .scan(range, rowsPerPage, Direction.ASCENDING)
        .thenApply(
            page -> {
              BytesWriter out = ExportFormat.payload();
              long last = before;
              for (Row row : page.rows()) {
                long first = LedgerKeys.firstOf(row.key());
                if (last >= 0 && first != last + 1) {
                  throw overtaken(part, "commits behind [%d] are gone".formatted(last));
                }
                LogRow bare = LedgerCopy.bare(LogRow.decode(first, row.value()));
                out.i64(first).bytes(bare.encode(false));
                last = bare.last();
              }
              adapt(page.rows());
              long reached = last;
              if (page.rest().isPresent()) {
                steps.addFirst(() -> commits(part, page.rest().get(), reached));
              } else if (reached != part.ledger().revision()) {
                throw overtaken(part, "commits end at [%d]".formatted(reached));
              }
              return blocksOf(ExportFormat.COMMITS, out);
            });
  }

  private CompletionStage<List<Bytes>> versions(Part part, KeyRange range) {
    return store
        .scan(range, rowsPerPage, Direction.ASCENDING)
        .thenApply(
            page -> {
              List<Bytes> made = new ArrayList<>();
              BytesWriter out = ExportFormat.payload();
              long size = 0;
              for (Row row : page.rows()) {
                LedgerKeys.VersionKey key = LedgerKeys.parseVersion(row.key());
                if (key.revision() > part.ledger().revision()) {
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
              page.rest().ifPresent(rest -> steps.addFirst(() -> versions(part, rest)));
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
          new LedgerReader(store, part.id())
              .floor()
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
        "compaction of %s was faster than its export: %s; export again"
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
