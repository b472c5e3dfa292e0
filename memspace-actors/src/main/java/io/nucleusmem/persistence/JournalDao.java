package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * The journal's rows on a {@link KvStore}; {@link PersistenceKeys} says where they lie.
 *
 * <p><b>Fence.</b> A write inserts its numbers and requires the row before the first of them; the
 * first write of an id inserts the id's own row instead. Neither the newest event's row nor the
 * id's is ever removed, so whoever knows less than the whole journal is refused, however late his
 * request lands: the number he would take is there, or was removed, and then so was the one before.
 *
 * <p><b>Deletes.</b> {@code deleteTo(n)} first moves the delete marker, from which on the events up
 * to n are not replayed, then removes their rows in bounded batches, except for the newest of all:
 * its number outlives it, and the next delete removes it. A delete that a crash cut short is
 * finished by the next one.
 */
final class JournalDao {
  private static final int MARKER_FORMAT = 1;
  private static final int ID_FORMAT = 1;
  private static final int FIRST_PAGE_ROWS = 32; // before the size of an id's events is known

  private final KvStore store;
  private final JournalSettings settings;
  private final WriteQueues writes = new WriteQueues();
  private final WriteQueues deletes = new WriteQueues(); // apart: their failure fails no write

  JournalDao(KvStore store, JournalSettings settings) {
    this.store = store;
    this.settings = settings;
  }

  /** A page of a replay. {@code next} is the first number not looked at; empty at the end. */
  record EventPage(List<EventRow> rows, Optional<Long> next) {}

  /** How far events were deleted, and how far of these the rows are gone. */
  private record DeleteMarker(long deletedTo, long removedTo) {
    static final DeleteMarker NONE = new DeleteMarker(0, 0);

    Bytes encode() {
      return new RowWriter(17).int8(MARKER_FORMAT).int64(deletedTo).int64(removedTo).toBytes();
    }

    static DeleteMarker decode(Row row) {
      return RowReader.decode(row, MARKER_FORMAT, in -> new DeleteMarker(in.int64(), in.int64()));
    }
  }

  /**
   * Writes groups of events with rising numbers without gaps. A group is written whole or not at
   * all; groups share a commit as far as the limit allows.
   *
   * @param groups of rows within {@link JournalSettings#atomicWriteBytesMax()} each
   * @return fails with {@link StaleWriterException}, or as the store does; then a first part of the
   *     groups may have been written
   */
  CompletionStage<Void> write(String persistenceId, List<List<EventRow>> groups) {
    List<List<EventRow>> commits = pack(persistenceId, groups);
    return writes.add(persistenceId, () -> writeAll(persistenceId, commits));
  }

  /** Bytes that a group takes in a commit, keys included, at most. */
  static long bytes(String persistenceId, List<EventRow> group) {
    long idBytes = PersistenceKeys.id(persistenceId).length();
    return group.stream().mapToLong(row -> idBytes + row.bytes()).sum();
  }

  /** The highest number ever written for an id, events deleted or rejected included; 0 if none. */
  CompletionStage<Long> highestSequenceNr(String persistenceId) {
    return writes.afterWrites(persistenceId, () -> readHighest(persistenceId));
  }

  /**
   * Hands over the events with numbers in [from, to], oldest first, none that was deleted, at most
   * so many. Reads page by page; the consumer runs on the store's callback executor.
   */
  CompletionStage<Void> replay(
      String persistenceId, long from, long to, long max, Consumer<EventRow> consumer) {
    return writes.afterWrites(
        persistenceId,
        () -> Stages.repeat(new Replay(persistenceId, from, to, max, consumer)::step));
  }

  /** The events that one look at so many numbers finds in [from, to], none that was deleted. */
  CompletionStage<EventPage> page(String persistenceId, long from, long to, int rowsMax) {
    return marker(persistenceId)
        .thenCompose(
            marker -> {
              long begin = Math.max(Math.max(1, from), marker.deletedTo() + 1);
              if (begin > to) { // all deleted: nothing will come there any more
                return Stages.value(
                    new EventPage(List.of(), from > to ? Optional.empty() : Optional.of(to + 1)));
              }
              KeyRange range = PersistenceKeys.events(persistenceId, begin, to);
              return store.scan(range, rowsMax, Direction.ASCENDING).thenApply(JournalDao::decode);
            });
  }

  /** Deletes the events with numbers up to one. */
  CompletionStage<Void> deleteTo(String persistenceId, long to) {
    return deletes.add(
        persistenceId,
        () ->
            writes.afterWrites(
                persistenceId,
                () ->
                    readHighest(persistenceId)
                        .thenCombine(
                            marker(persistenceId),
                            (highest, before) -> new Delete(persistenceId, to, highest, before))
                        .thenCompose(delete -> Stages.repeat(delete::step))));
  }

  /** The ids that have written, in the order of their bytes: a page behind an id. */
  CompletionStage<List<String>> idsAfter(Optional<String> id, int rowsMax) {
    KeyRange range = id.map(PersistenceKeys::idsAfter).orElse(PersistenceKeys.ALL_IDS);
    return store
        .scan(range, rowsMax, Direction.ASCENDING)
        .thenApply(
            page -> page.rows().stream().map(row -> PersistenceKeys.idOf(row.key())).toList());
  }

  private List<List<EventRow>> pack(String persistenceId, List<List<EventRow>> groups) {
    var commits = new ArrayList<List<EventRow>>();
    long bytes = Long.MAX_VALUE;
    for (List<EventRow> group : groups) {
      long groupBytes = bytes(persistenceId, group);
      if (bytes == Long.MAX_VALUE || bytes + groupBytes > settings.atomicWriteBytesMax()) {
        commits.add(new ArrayList<>());
        bytes = 0;
      }
      commits.get(commits.size() - 1).addAll(group);
      bytes += groupBytes;
    }
    return commits;
  }

  private CompletionStage<Void> writeAll(String persistenceId, List<List<EventRow>> commits) {
    Iterator<List<EventRow>> left = commits.iterator();
    return Stages.repeat(
        () -> left.hasNext() ? commit(persistenceId, left.next()) : Stages.value(false));
  }

  private CompletionStage<Boolean> commit(String persistenceId, List<EventRow> rows) {
    long first = rows.get(0).sequenceNr();
    return store
        .now()
        .thenCompose(
            time -> Fence.commit(store, batch(persistenceId, rows, time), persistenceId, first))
        .thenApply(ignored -> true);
  }

  private static WriteBatch batch(String persistenceId, List<EventRow> rows, long timestamp) {
    var batch = WriteBatch.at(timestamp);
    long first = rows.get(0).sequenceNr();
    if (first == 1) {
      batch.insert(
          PersistenceKeys.id(persistenceId),
          new RowWriter(9).int8(ID_FORMAT).int64(timestamp).toBytes());
    } else {
      batch.require(PersistenceKeys.event(persistenceId, first - 1));
    }
    long expected = first;
    for (EventRow row : rows) {
      if (row.sequenceNr() != expected++) {
        throw new IllegalArgumentException(
            "events of [%s] jump to number [%d]; [%d] comes next"
                .formatted(persistenceId, row.sequenceNr(), expected - 1));
      }
      batch.insert(PersistenceKeys.event(persistenceId, row.sequenceNr()), row.encode(timestamp));
    }
    return batch.build();
  }

  private CompletionStage<Long> readHighest(String persistenceId) {
    return store
        .scan(PersistenceKeys.events(persistenceId, 1, Long.MAX_VALUE), 1, Direction.DESCENDING)
        .thenApply(
            page ->
                page.rows().isEmpty() ? 0L : PersistenceKeys.numberOf(page.rows().get(0).key()));
  }

  private static EventPage decode(Page page) {
    List<Row> rows = page.rows();
    boolean more = page.rest().isPresent() && !rows.isEmpty();
    return new EventPage(
        rows.stream().map(EventRow::decode).filter(row -> row.event().isPresent()).toList(),
        more
            ? Optional.of(PersistenceKeys.numberOf(rows.get(rows.size() - 1).key()) + 1)
            : Optional.empty());
  }

  /** A replay under way. Its steps run one after the other, so its fields need no lock. */
  private final class Replay {
    private final String persistenceId;
    private final long to;
    private final Consumer<EventRow> consumer;
    private long from;
    private long left;
    private int pageRows = FIRST_PAGE_ROWS;

    Replay(String persistenceId, long from, long to, long max, Consumer<EventRow> consumer) {
      this.persistenceId = persistenceId;
      this.from = from;
      this.to = to;
      this.left = max;
      this.consumer = consumer;
    }

    CompletionStage<Boolean> step() {
      if (left <= 0) {
        return Stages.value(false);
      }
      int rowsMax = (int) Math.min(left, Math.min(pageRows, settings.replayPageRowsMax()));
      return page(persistenceId, from, to, rowsMax).thenApply(this::handOver);
    }

    private boolean handOver(EventPage page) {
      page.rows().forEach(consumer);
      left -= page.rows().size();
      // So many rows that events as large as the largest of this page fill the next one's bytes.
      long largest = page.rows().stream().mapToLong(EventRow::bytes).max().orElse(1);
      pageRows =
          (int) Math.max(1, Math.min(Integer.MAX_VALUE, settings.replayPageBytes() / largest));
      page.next().ifPresent(next -> from = next);
      return page.next().isPresent();
    }
  }

  private CompletionStage<DeleteMarker> marker(String persistenceId) {
    Bytes key = PersistenceKeys.deleteMarker(persistenceId);
    return store
        .get(key)
        .thenApply(
            value ->
                value.map(v -> DeleteMarker.decode(new Row(key, v))).orElse(DeleteMarker.NONE));
  }

  /** A delete under way; its steps run one after the other. */
  private final class Delete {
    private final String persistenceId;
    private final long removeTo; // the newest row stays
    private DeleteMarker marker;
    private boolean markerMoved;

    Delete(String persistenceId, long to, long highest, DeleteMarker before) {
      this.persistenceId = persistenceId;
      long deletedTo = Math.max(before.deletedTo(), Math.min(to, highest));
      marker = new DeleteMarker(deletedTo, before.removedTo());
      markerMoved = deletedTo > before.deletedTo();
      removeTo = Math.min(deletedTo, highest - 1);
    }

    CompletionStage<Boolean> step() {
      long removedTo = Math.min(removeTo, marker.removedTo() + settings.deleteRowsMax());
      if (markerMoved) {
        markerMoved = false; // alone and first: rows never go while the marker says they are there
        return commit(marker);
      }
      return removedTo > marker.removedTo()
          ? commit(new DeleteMarker(marker.deletedTo(), removedTo))
          : Stages.value(false);
    }

    private CompletionStage<Boolean> commit(DeleteMarker next) {
      return store
          .now()
          .thenCompose(
              time -> {
                var batch = WriteBatch.at(time);
                batch.put(PersistenceKeys.deleteMarker(persistenceId), next.encode());
                for (long nr = marker.removedTo() + 1; nr <= next.removedTo(); nr++) {
                  batch.delete(PersistenceKeys.event(persistenceId, nr));
                }
                return store.commit(batch.build());
              })
          .thenApply(
              ignored -> {
                marker = next;
                return true;
              });
    }
  }
}
