package io.nucleusmem.memspace;

import akka.Done;
import akka.NotUsed;
import akka.stream.Materializer;
import akka.stream.javadsl.Sink;
import akka.stream.javadsl.Source;
import akka.util.ByteString;
import io.nucleusmem.ledger.Base;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerKeys;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.StateKey;
import io.nucleusmem.ledger.Version;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;

/** Takes spaces out as files, and in again. */
final class SpaceTransfer {
  private final MemSpaceNode node;
  private final Topics topics;
  private final Catalogue catalogue;

  SpaceTransfer(MemSpaceNode node, Topics topics, Catalogue catalogue) {
    this.node = node;
    this.topics = topics;
    this.catalogue = catalogue;
  }

  // ---- out ----

  CompletionStage<SpaceKeeping.Exported> export(
      LedgerId id, Instant at, long from, UnaryOperator<Version> mask) {
    long timestamp = Timestamps.lastOf(at.toEpochMilli());
    return part(node.spaces(), id, null, timestamp)
        .thenCompose(
            space ->
                new LedgerReader(node.store(), id)
                    .state()
                    .thenCompose(
                        state ->
                            topics(id, timestamp)
                                .thenApply(
                                    topics -> {
                                      List<SpaceExport.Part> parts = new ArrayList<>();
                                      parts.add(space);
                                      parts.addAll(topics);
                                      return export(state, parts, timestamp, mask);
                                    })))
        .thenApply(export -> new SpaceKeeping.Exported(at, source(export, from)));
  }

  private SpaceExport export(
      TreeMap<StateKey, Bytes> state,
      List<SpaceExport.Part> parts,
      long timestamp,
      UnaryOperator<Version> mask) {
    SpaceRows.Manifest manifest =
        StateJson.decode(state.get(SpaceRows.MANIFEST_KEY), SpaceRows.Manifest.class);
    ExportFormat.Header header =
        new ExportFormat.Header(
            ExportFormat.VERSION,
            manifest.name(),
            manifest.kind(),
            manifest.labels(),
            manifest.retentionMillis(),
            manifest.retentionVersions(),
            manifest.retentionBytes(),
            parts.get(0).ledger().revision(),
            timestamp,
            manifest.createdAt(),
            parts.size() - 1);
    return new SpaceExport(node.store(), header, parts, travelling(state), mask);
  }

  private static Optional<Bytes> travelling(TreeMap<StateKey, Bytes> state) {
    BytesWriter out = ExportFormat.payload();
    state.forEach(
        (key, row) -> {
          if (SpaceImport.TABLES.contains(key.table())) {
            out.u8(key.table()).bytes(key.key()).bytes(row);
          }
        });
    Bytes payload = out.toBytes();
    return payload.isEmpty()
        ? Optional.empty()
        : Optional.of(ExportFormat.block(ExportFormat.STATE, payload));
  }

  /** Those that were there then, by name; with those that a fork inherits. */
  private CompletionStage<List<SpaceExport.Part>> topics(LedgerId space, long timestamp) {
    return topics
        .listed(space)
        .thenCompose(
            listed -> {
              CompletionStage<List<SpaceExport.Part>> parts =
                  CompletableFuture.completedStage(new ArrayList<>());
              for (String name : new TreeSet<>(listed.keySet())) {
                parts =
                    parts.thenCompose(
                        list ->
                            topics
                                .find(space, name)
                                .thenCompose(
                                    topic ->
                                        topic.isEmpty()
                                            ? CompletableFuture.completedStage(list)
                                            : part(node.topics(), topic.get(), name, timestamp)
                                                .thenApply(part -> with(list, part))));
              }
              return parts;
            });
  }

  private static List<SpaceExport.Part> with(List<SpaceExport.Part> parts, SpaceExport.Part part) {
    if (part.ledger().revision() >= 0) {
      parts.add(part);
    }
    return parts;
  }

  /** A ledger as it was at a time, which is closed by asking. */
  private CompletionStage<SpaceExport.Part> part(
      Owners owners, LedgerId id, String topic, long timestamp) {
    return node.calls()
        .<Long>call(
            (promise, again) -> owners.tell(id, new LedgerOwner.RevisionAt(timestamp, promise)))
        .thenCompose(revision -> Indexed.newest(node, owners, id).thenApply(done -> revision))
        .thenCombine(
            Base.find(node.store(), id),
            (revision, base) ->
                Indexed.below(node, owners, base)
                    .thenCompose(done -> part(id, topic, timestamp, revision, base)))
        .thenCompose(part -> part);
  }

  private CompletionStage<SpaceExport.Part> part(
      LedgerId id, String topic, long timestamp, long revision, Base base) {
    return SpaceExport.floor(node.store(), id, base)
        .thenCombine(
            slices(id, base, revision),
            (floor, slices) -> {
              if (revision < 0 && topic == null) {
                throw MemSpaceException.invalid(
                    "at", Timestamps.instant(timestamp), "an instant after the space was made");
              }
              if (revision >= 0 && revision < floor) {
                throw new CompactedException(revision, floor);
              }
              return new SpaceExport.Part(
                  id, new ExportFormat.Ledger(topic, revision, floor), base, slices);
            });
  }

  /** What of each ledger is shown, oldest first. */
  private CompletionStage<List<SpaceExport.Slice>> slices(LedgerId id, Base base, long revision) {
    List<SpaceExport.Slice> newestFirst = new ArrayList<>();
    LedgerId at = id;
    long upTo = revision;
    for (Base.Layer below : base.layers()) {
      newestFirst.add(new SpaceExport.Slice(at, below.revision(), upTo, true));
      at = below.id();
      upTo = Math.min(below.revision(), revision);
    }
    newestFirst.add(new SpaceExport.Slice(at, -1, upTo, true));
    newestFirst.removeIf(slice -> slice.above() >= slice.upTo());
    CompletionStage<Boolean> joined = CompletableFuture.completedStage(true);
    LinkedList<SpaceExport.Slice> slices = new LinkedList<>();
    for (SpaceExport.Slice slice : newestFirst) {
      joined =
          joined.thenCompose(
              commits -> {
                slices.addFirst(
                    new SpaceExport.Slice(slice.id(), slice.above(), slice.upTo(), commits));
                return commits
                    ? beginsAt(slice.id(), slice.above() + 1)
                    : CompletableFuture.completedStage(false);
              });
    }
    return joined.thenApply(done -> slices);
  }

  /** False where compaction has taken the first commits of a slice. */
  private CompletionStage<Boolean> beginsAt(LedgerId id, long revision) {
    return node.store().get(LedgerKeys.log(id, revision)).thenApply(Optional::isPresent);
  }

  private static Source<ByteString, NotUsed> source(SpaceExport export, long from) {
    return Source.unfoldAsync(
            from,
            (Long skip) ->
                export
                    .next()
                    .thenApply(
                        block ->
                            block.map(
                                bytes ->
                                    akka.japi.Pair.create(
                                        Math.max(0, skip - bytes.length()),
                                        SpaceExport.skip(bytes, skip).orElse(Bytes.EMPTY)))))
        .filter(bytes -> !bytes.isEmpty())
        .map(bytes -> ByteString.fromArrayUnsafe(bytes.shared()));
  }

  // ---- in ----

  CompletionStage<CreatedSpace> importSpace(
      Principal caller, String name, Source<ByteString, ?> bytes, Materializer materializer) {
    SpaceImport into = new SpaceImport(node.store(), name, caller, LedgerId.random());
    ExportReader reader = new ExportReader();
    return catalogue
        .find(name)
        .thenAccept(
            there -> {
              if (there.isPresent()) {
                throw exists(name);
              }
            })
        .thenCompose(
            free ->
                bytes
                    .statefulMapConcat(() -> part -> blocks(reader, part))
                    .mapAsync(1, block -> into.take(block).thenApply(done -> Done.getInstance()))
                    .runWith(Sink.ignore(), materializer))
        .thenCompose(done -> into.finish(reader.position(), reader.blocks()))
        .handle(
            (created, failure) ->
                failure == null
                    ? CompletableFuture.completedStage(created)
                    : undo(into, name, failure))
        .thenCompose(stage -> stage);
  }

  private static Iterable<ExportReader.Block> blocks(ExportReader reader, ByteString part) {
    reader.add(part.toArray());
    return () ->
        new Iterator<>() {
          private Optional<ExportReader.Block> next = reader.next();

          @Override
          public boolean hasNext() {
            return next.isPresent();
          }

          @Override
          public ExportReader.Block next() {
            ExportReader.Block block = next.orElseThrow();
            next = reader.next();
            return block;
          }
        };
  }

  private CompletionStage<CreatedSpace> undo(SpaceImport into, String name, Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (into.isAppearing() && !(cause instanceof RefusedCommitException)) {
      return CompletableFuture.failedStage(Calls.explain(cause)); // it may be there
    }
    RuntimeException told =
        cause instanceof RefusedCommitException ? exists(name) : Calls.explain(cause);
    return catalogue
        .find(name)
        .thenCompose(
            row -> // refused by an earlier sending of the same commit
            row.isPresent() && row.get().ledger().equals(into.space())
                    ? CompletableFuture.completedStage(into.made())
                    : discard(into, told));
  }

  private CompletionStage<CreatedSpace> discard(SpaceImport into, RuntimeException told) {
    return catalogue
        .discardStaged(into.ids())
        .handle(
            (done, left) -> { // what could not be removed goes when a node starts
              throw told;
            });
  }

  private static MemSpaceException exists(String name) {
    return new MemSpaceException(
        ErrorCode.SPACE_EXISTS,
        "there is a space [%s] already".formatted(name),
        Map.of("name", name));
  }
}
