package io.nucleusmem.receipts;

import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
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
 * the next one, and then nothing can follow there. If the node is a member of the cluster all the
 * same, it begins another log, which says what it follows, and the lives go on in it; what was
 * refused stands there first.
 */
final class RoundWriter {
  private static final Logger LOG = LoggerFactory.getLogger(ReceiptLog.class);
  private static final int RECORDS_MAX = 10_000; // of a round
  private static final int RECORD_BYTES = 96; // about, besides its texts
  private static final long PAUSE_MIN_NANOS = 1_000_000;
  private static final long PAUSE_MAX_NANOS = 500_000_000;
  private static final long PAUSE_GIVEN_UP_NANOS = 60_000_000; // of a node that stops
  private static final long PAUSE_UNUSED_NANOS = 100_000_000; // behind a log that got no round

  private final KvStore store;
  private final long roundBytesMax;
  private final String address;
  private final BooleanSupplier member;
  private final AtomicLong rounds = new AtomicLong(); // of all logs

  // the log that is written to
  private volatile long node;
  private long roundsBefore; // of the logs that it follows
  private NodeRow row;
  private ReceiptIndex index;
  private long number; // of its newest round
  private long bytes; // of all its rounds
  private boolean ended; // by another node

  /**
   * @param member whether the node is one of the cluster's
   */
  RoundWriter(
      KvStore store,
      long node,
      String address,
      BooleanSupplier member,
      long roundBytesMax,
      Executor background) {
    this.store = store;
    this.address = address;
    this.member = member;
    this.node = node;
    this.roundBytesMax = roundBytesMax;
    this.row = new NodeRow(address, NodeRow.OPEN);
    this.index = new ReceiptIndex(store, node, background);
  }

  long rounds() {
    return rounds.get();
  }

  /** The incarnation of the log that is written to. */
  long node() {
    return node;
  }

  /** Writes down that the node's incarnation is there. */
  CompletionStage<Void> begin() {
    return store.commit(WriteBatch.at(node).insert(ReceiptKeys.node(node), row.encode()).build());
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
   * @throws IllegalStateException if another node has ended this log, and the node is no member
   */
  void write(List<LogRecord> records, Runnable written, BooleanSupplier stopping) {
    while (true) {
      Long timestamp = now(stopping);
      if (timestamp == null) {
        return;
      }
      Round round = new Round(node, number + 1, timestamp, bytes, records);
      Bytes content = round.encode();
      long count = roundsBefore + round.number();
      Runnable there =
          () -> {
            rounds.accumulateAndGet(count, Math::max); // it may run late
            written.run();
          };
      Bytes key = ReceiptKeys.round(node, round.number());
      Boolean done = untilDone(() -> commit(timestamp, key, content, there), stopping);
      if (done == null) {
        return;
      }
      if (done) {
        number = round.number();
        bytes += content.length();
        there.run();
        index.add(round, content.length());
        return;
      }
      if (!beginAgain(stopping)) {
        return;
      }
    }
  }

  private Long now(BooleanSupplier stopping) {
    return untilDone(() -> store.now().toCompletableFuture().join(), stopping);
  }

  /** Another log, in place of the one that another node has ended; false if it was given up. */
  private boolean beginAgain(BooleanSupplier stopping) {
    if (!member.getAsBoolean()) {
      ended = true;
      throw new IllegalStateException(
          "another node took this one for dead and ended its receipts, and it is no member of the cluster any more; start it again");
    }
    LOG.warn(
        "another node took {} for dead and ended its receipts at round {}; they go on in another log",
        address,
        number);
    if (number == 0) {
      LockSupport.parkNanos(PAUSE_UNUSED_NANOS);
    }
    Long next = now(stopping);
    NodeRow follows = new NodeRow(address, NodeRow.OPEN, node);
    if (next == null
        || untilDone(
                () -> commit(next, ReceiptKeys.node(next), follows.encode(), () -> {}), stopping)
            == null) {
      ended = true;
      return false;
    }
    row = follows;
    roundsBefore += number;
    number = 0;
    bytes = 0;
    index = index.followedBy(next);
    node = next;
    return true;
  }

  /**
   * Inserts a row, the same batch each time.
   *
   * @param written runs when it is there, on the store's thread
   * @return false if another's is there
   */
  private boolean commit(long timestamp, Bytes key, Bytes row, Runnable written) {
    try {
      CompletableFuture<Void> committing =
          store.commit(WriteBatch.at(timestamp).insert(key, row).build()).toCompletableFuture();
      committing.thenRun(written);
      committing.join();
      return true;
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof RefusedCommitException refused)) {
        throw e;
      }
      return refused.found().equals(Optional.of(row)); // a request before had written it
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
      index.end(row.at(NodeRow.CLOSED)).toCompletableFuture().join();
    } catch (RuntimeException closed) {
      LOG.debug("the store closed before the receipts' index was written", closed);
    }
  }
}
