package io.nucleusmem.receipts;

import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.memspace.MemSpaceSystem;
import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.WriteBatch;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits rounds and the rows that follow from them. Blocks; used by one thread.
 *
 * <p>On a store of scope {@code ALL} the derived rows ride in the round's own batch. On one of
 * scope {@code REGION} the round alone is the commit, and they are written behind it, in batches of
 * several rounds.
 */
final class RoundWriter {
  private static final Logger LOG = LoggerFactory.getLogger(ReceiptLog.class);
  private static final int RECORDS_MAX = 10_000; // of a round
  private static final int RECORD_BYTES = 96; // about, besides its texts
  private static final int ROUNDS_BEHIND_MAX = 1_000; // rounds whose derived rows are not written
  private static final long BEHIND_BYTES_MAX = 1L << 20;
  private static final long PAUSE_MIN_NANOS = 1_000_000;
  private static final long PAUSE_MAX_NANOS = 500_000_000;
  private static final long PAUSE_GIVEN_UP_NANOS = 60_000_000; // of a node that stops

  private final KvStore store;
  private final long node;
  private final long roundBytesMax;
  private final String address;
  private final AtomicLong rounds = new AtomicLong();
  private final Map<Bytes, Bytes> behind = new LinkedHashMap<>(); // derived rows to be written
  private long behindBytes;
  private long indexed;

  RoundWriter(KvStore store, long node, String address, long roundBytesMax) {
    this.store = store;
    this.address = address;
    this.node = node;
    this.roundBytesMax = roundBytesMax;
  }

  StoreScope scope() {
    return store.scope();
  }

  long rounds() {
    return rounds.get();
  }

  /** Writes down that the node's incarnation is there. */
  CompletionStage<Void> begin() {
    return store.commit(WriteBatch.at(node).insert(ReceiptKeys.node(node), nodeRow(false)).build());
  }

  private Bytes nodeRow(boolean closed) {
    return new BytesWriter(64).text(address).u8(closed ? 1 : 0).toBytes();
  }

  static boolean isClosed(Bytes nodeRow) {
    BytesReader in = new BytesReader(nodeRow);
    in.text();
    return in.u8() == 1;
  }

  /** Moves records into a round, as many as fit. */
  void take(Deque<LogRecord> from, List<LogRecord> to) {
    long bytes = 0;
    while (!from.isEmpty() && to.size() < RECORDS_MAX) {
      bytes += size(from.peek());
      if (bytes > roundBytesMax && !to.isEmpty()) {
        return;
      }
      to.add(from.poll());
    }
  }

  /** At least what the record takes, with its derived rows. */
  private static long size(LogRecord record) {
    long bytes = RECORD_BYTES + 2L * record.agent().length();
    if (record instanceof LogRecord.Delivered it) {
      for (SeenVersion version : it.versions()) {
        bytes += RECORD_BYTES + 4L * version.key().length();
      }
    } else if (record instanceof LogRecord.Acted it) {
      for (SeenVersion version : it.versions()) {
        bytes += RECORD_BYTES + 3L * version.key().length();
      }
    } else if (record instanceof LogRecord.Called it) {
      bytes += it.reply().length();
    } else if (record instanceof LogRecord.LifeBegan it) {
      bytes += 2L * StateJson.encode(it.what()).length(); // in the round and in its own row
    }
    return bytes;
  }

  /**
   * Writes a round, again and again until it is on disk.
   *
   * @param stopping ends the tries; what waits is failed then, and nothing of it was delivered
   * @return false if it was given up
   */
  boolean write(List<LogRecord> records, BooleanSupplier stopping) {
    long timestamp = now(stopping);
    if (timestamp < 0) {
      return false;
    }
    Round round = new Round(node, rounds.get() + 1, timestamp, records);
    WriteBatch.Builder batch = WriteBatch.at(timestamp);
    batch.insert(ReceiptKeys.round(node, round.number()), round.encode());
    Map<Bytes, Bytes> derived = derived(round);
    if (store.scope() == StoreScope.ALL) {
      derived.forEach(batch::put);
    }
    if (!settle(batch.build(), stopping)) {
      return false;
    }
    rounds.incrementAndGet();
    if (store.scope() == StoreScope.REGION) {
      derived.forEach(this::later);
      if (behindBytes > BEHIND_BYTES_MAX || round.number() - indexed >= ROUNDS_BEHIND_MAX) {
        index(false, stopping);
      }
    }
    return true;
  }

  private void later(Bytes key, Bytes value) {
    behind.put(key, value);
    behindBytes += key.length() + value.length();
  }

  /** Writes the derived rows of the rounds so far, and that they are there. */
  private void index(boolean last, BooleanSupplier stopping) {
    long upTo = rounds.get();
    WriteBatch.Builder batch = WriteBatch.at(now(stopping));
    for (Map.Entry<Bytes, Bytes> row : behind.entrySet()) {
      if (batch.bytes() > KvStore.BATCH_BYTES_MAX / 2) {
        settle(batch.build(), stopping);
        batch = WriteBatch.at(now(stopping));
      }
      batch.put(row.getKey(), row.getValue());
    }
    batch.put(ReceiptKeys.indexed(node), new BytesWriter(8).i64(upTo).toBytes());
    if (last) {
      batch.put(ReceiptKeys.node(node), nodeRow(true));
    }
    if (settle(batch.build(), stopping)) {
      behind.clear();
      behindBytes = 0;
      indexed = upTo;
    }
  }

  /** Sends a batch, the same bytes each time, until it is settled; false if it was given up. */
  private boolean settle(WriteBatch batch, BooleanSupplier stopping) {
    Boolean done =
        untilDone(
            () -> {
              try {
                store.commit(batch).toCompletableFuture().join();
              } catch (CompletionException e) {
                if (!(e.getCause() instanceof RefusedCommitException)) {
                  throw e;
                } // by our own row: a request before had written it
              }
              return true;
            },
            stopping);
    return done != null;
  }

  /** A timestamp; -1 if it was given up. */
  private long now(BooleanSupplier stopping) {
    Long now = untilDone(() -> store.now().toCompletableFuture().join(), stopping);
    return now == null ? -1 : now;
  }

  /** Null if it was given up, because the node stops. */
  private static <T> T untilDone(Supplier<T> call, BooleanSupplier stopping) {
    long pause = PAUSE_MIN_NANOS;
    while (true) {
      try {
        return call.get();
      } catch (CompletionException failure) {
        if (pause == PAUSE_MIN_NANOS) {
          LOG.warn(
              "receipts can't be written, so agents get nothing; trying again: {}",
              failure.getCause().toString());
        }
      }
      if (stopping.getAsBoolean() && pause >= PAUSE_GIVEN_UP_NANOS) {
        return null;
      }
      LockSupport.parkNanos(pause);
      pause = Math.min(PAUSE_MAX_NANOS, pause * 2);
    }
  }

  /** How far a life has come, as {@link LogRecord.Confirmed} tells it. */
  record ConfirmedRow(Map<String, Long> upTo) {}

  /** What follows from a round: keys by which it is found, and the newest state of lives. */
  static Map<Bytes, Bytes> derived(Round round) {
    Map<Bytes, Bytes> rows = new LinkedHashMap<>();
    Place place = Place.of(round);
    for (LogRecord record : round.records()) {
      Life life = new Life(round.node(), record.life());
      if (record instanceof LogRecord.LifeBegan it) {
        rows.put(ReceiptKeys.began(it.agent(), life), StateJson.encode(it.what()));
      } else if (record instanceof LogRecord.Confirmed it) {
        rows.put(
            ReceiptKeys.confirmed(it.agent(), life), StateJson.encode(new ConfirmedRow(it.upTo())));
        continue; // nothing to list
      }
      rows.put(ReceiptKeys.ofAgent(record.agent(), place), Bytes.EMPTY);
      if (record instanceof LogRecord.Delivered it) {
        LedgerId space = MemSpaceSystem.spaceOf(it.mount());
        for (SeenVersion version : it.versions()) {
          if (version.revision() > 0) {
            rows.put(ReceiptKeys.ofVersion(space.bytes(), version, place), Bytes.EMPTY);
          }
        }
      }
    }
    return rows;
  }

  void failed(RuntimeException failure) {
    LOG.error("receipts are not written any more; agents of this node get nothing", failure);
  }

  /** Finishes the derived rows of an orderly end. */
  void end() {
    try {
      if (store.scope() == StoreScope.REGION) {
        index(true, () -> true);
      }
    } catch (RuntimeException closed) {
      LOG.debug("the store closed before the receipts' index was written", closed);
    }
  }
}
