package io.nucleusmem.receipts;

import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Before which time receipts may be gone: one for all nodes. It is written before anything is
 * removed, and read after anything was read. Each has a row of its own, the latest counts: so two
 * nodes that both set one can't move it back.
 */
final class ReceiptFloor {
  private static final int OLD_MAX = 1_000; // removed at a time

  private final KvStore store;

  ReceiptFloor(KvStore store) {
    this.store = store;
  }

  /** The timestamp; 0 if all receipts are there. */
  CompletionStage<Long> read() {
    return store
        .scan(ReceiptKeys.floors(), 1, Direction.DESCENDING)
        .thenApply(
            page -> page.rows().isEmpty() ? 0L : ReceiptKeys.floorOf(page.rows().get(0).key()));
  }

  /** Raises it; nothing happens where it is higher. */
  CompletionStage<Void> raise(long timestamp) {
    return read()
        .thenCompose(
            floor ->
                floor >= timestamp
                    ? CompletableFuture.completedStage(null)
                    : store
                        .scan(ReceiptKeys.floors(), OLD_MAX, Direction.ASCENDING)
                        .thenCombine(
                            store.now(),
                            (old, now) -> {
                              WriteBatch.Builder batch = WriteBatch.at(now);
                              batch.put(ReceiptKeys.floor(timestamp), Bytes.EMPTY);
                              for (Row row : old.rows()) {
                                if (ReceiptKeys.floorOf(row.key()) < timestamp) {
                                  batch.delete(row.key());
                                }
                              }
                              return batch.build();
                            })
                        .thenCompose(store::commit));
  }

  /** The oldest instant whose receipts are all there. */
  static Instant oldest(long floor) {
    return Timestamps.instant(floor + Timestamps.lastOf(0));
  }

  /** Refuses a start before the floor. */
  static void require(Place from, long floor) {
    if (from.timestamp() < floor) {
      Instant oldest = oldest(floor);
      throw new MemSpaceException(
          ErrorCode.COMPACTED,
          "receipts from [%s] on were asked for; those before [%s] are compacted, ask from then on"
              .formatted(Timestamps.instant(from.timestamp()), oldest),
          Map.of("oldest_at", oldest.toString()));
    }
  }
}
