package io.nucleusmem.receipts;

import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits rounds. Blocks; used by one thread. A round is one row, so that a delivery waits for as
 * little as possible; what follows from it is written behind ({@link ReceiptIndex}).
 *
 * <p>Rounds are inserted at 1, 2, 3 …: whoever takes this node for dead ends its log by inserting
 * the next one, and then this node writes no more.
 */
final class RoundWriter {
  private static final Logger LOG = LoggerFactory.getLogger(ReceiptLog.class);
  private static final int RECORDS_MAX = 10_000; // of a round
  private static final int RECORD_BYTES = 96; // about, besides its texts
  private static final long PAUSE_MIN_NANOS = 1_000_000;
  private static final long PAUSE_MAX_NANOS = 500_000_000;
  private static final long PAUSE_GIVEN_UP_NANOS = 60_000_000; // of a node that stops

  private final KvStore store;
  private final long node;
  private final long roundBytesMax;
  private final String address;
  private final AtomicLong rounds = new AtomicLong();
  private final ReceiptIndex index;
  private long bytes; // of all rounds so far
  private boolean ended; // by another node

  RoundWriter(KvStore store, long node, String address, long roundBytesMax, Executor background) {
    this.store = store;
    this.address = address;
    this.node = node;
    this.roundBytesMax = roundBytesMax;
    this.index = new ReceiptIndex(store, node, background);
  }

  long rounds() {
    return rounds.get();
  }

  /** Writes down that the node's incarnation is there. */
  CompletionStage<Void> begin() {
    return store.commit(
        WriteBatch.at(node)
            .insert(ReceiptKeys.node(node), new NodeRow(address, NodeRow.OPEN).encode())
            .build());
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
      bytes += it.failure().length();
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
   * @param written runs when it is, on any thread, perhaps more than once
   * @param stopping ends the tries; what waits is failed then, and nothing of it was delivered
   * @throws IllegalStateException if another node has ended this log
   */
  void write(List<LogRecord> records, Runnable written, BooleanSupplier stopping) {
    Long timestamp = untilDone(() -> store.now().toCompletableFuture().join(), stopping);
    if (timestamp == null) {
      return;
    }
    Round round = new Round(node, rounds.get() + 1, timestamp, bytes, records);
    Bytes row = round.encode();
    WriteBatch batch =
        WriteBatch.at(timestamp).insert(ReceiptKeys.round(node, round.number()), row).build();
    Runnable there =
        () -> {
          rounds.accumulateAndGet(round.number(), Math::max); // it may run late
          written.run();
        };
    Boolean done = untilDone(() -> commit(batch, row, there), stopping);
    if (done != null) {
      bytes += row.length();
      there.run();
      index.add(round, row.length());
    }
  }

  /** Sends the batch, the same bytes each time. */
  private boolean commit(WriteBatch batch, Bytes row, Runnable written) {
    try {
      CompletableFuture<Void> committing = store.commit(batch).toCompletableFuture();
      committing.thenRun(written);
      committing.join();
      return true;
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof RefusedCommitException refused)) {
        throw e;
      }
      if (!refused.found().equals(java.util.Optional.of(row))) {
        ended = true;
        throw new IllegalStateException(
            "another node took this one for dead and ended its receipts; start it again", refused);
      }
      return true; // a request before had written it
    }
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

  void failed(RuntimeException failure) {
    LOG.error("receipts are not written any more; agents of this node get nothing", failure);
  }

  /** Finishes the derived rows of an orderly end. */
  void end() {
    if (ended) {
      return;
    }
    try {
      index.end(new NodeRow(address, NodeRow.CLOSED)).toCompletableFuture().join();
    } catch (RuntimeException closed) {
      LOG.debug("the store closed before the receipts' index was written", closed);
    }
  }
}
