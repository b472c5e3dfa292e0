package io.nucleusmem.receipts;

import io.nucleusmem.memspace.StateJson;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes what follows from rounds, behind them and several together: keys by which they are found,
 * and the newest state of lives. Who reads takes the rounds that are not indexed yet from the log.
 * The rows are a function of the log, so it does no harm to write them twice.
 *
 * <p>Used by one thread; its own work is done in the background.
 */
final class ReceiptIndex {
  private static final Logger LOG = LoggerFactory.getLogger(ReceiptLog.class);
  private static final int ROUNDS = 256; // that are indexed together
  private static final long BYTES = 256 << 10;
  private static final int BEHIND_MAX = 4; // times as much; then the log waits for its index
  private static final int BATCH_ROWS = 512; // a commit more of agents does not wait for many
  private static final long RETRY_MILLIS = 500;

  private final KvStore store;
  private final long node;
  private final Executor background;
  private List<Round> behind = new ArrayList<>();
  private long bytes;
  private CompletableFuture<Void> running = CompletableFuture.completedFuture(null);
  private volatile boolean ending;

  ReceiptIndex(KvStore store, long node, Executor background) {
    this.store = store;
    this.node = node;
    this.background = background;
  }

  /** A round is on disk. Blocks while the index is too far behind. */
  void add(Round round, long size) {
    behind.add(round);
    bytes += size;
    if (behind.size() < ROUNDS && bytes < BYTES) {
      return;
    }
    if (!running.isDone()
        && (behind.size() >= BEHIND_MAX * ROUNDS || bytes >= BEHIND_MAX * BYTES)) {
      running.join();
    }
    if (running.isDone()) {
      List<Round> due = behind;
      behind = new ArrayList<>();
      bytes = 0;
      running = CompletableFuture.runAsync(() -> {}, background).thenCompose(go -> again(due));
    }
  }

  /** The index of the log that follows this one, which another node has indexed and ended. */
  ReceiptIndex followedBy(long next) {
    ending = true;
    ReceiptIndex index = new ReceiptIndex(store, next, background);
    index.running = running.handle((done, failure) -> null);
    return index;
  }

  /** Indexes what is left, and writes down that the node is closed. */
  CompletionStage<Void> end(NodeRow closed) {
    ending = true;
    return running.thenCompose(done -> write(store, node, behind, Optional.of(closed)));
  }

  /** Until it is done: the rounds stay in the log's tail meanwhile. */
  private CompletionStage<Void> again(List<Round> rounds) {
    return write(store, node, rounds, Optional.empty())
        .handle(
            (done, failure) -> {
              if (failure == null) {
                return CompletableFuture.<Void>completedStage(null);
              }
              if (ending) { // nothing behind these may be called indexed
                return CompletableFuture.<Void>failedStage(failure);
              }
              LOG.warn("the index of receipts waits: {}", failure.toString());
              return CompletableFuture.runAsync(
                      () -> {},
                      CompletableFuture.delayedExecutor(
                          RETRY_MILLIS, TimeUnit.MILLISECONDS, background))
                  .thenCompose(go -> again(rounds));
            })
        .thenCompose(stage -> stage);
  }

  /**
   * Indexes rounds of a node that follow each other, oldest first.
   *
   * @param ends what the node's row says from then on
   */
  static CompletionStage<Void> write(
      KvStore store, long node, List<Round> rounds, Optional<NodeRow> ends) {
    Map<Bytes, Bytes> rows = derived(rounds);
    if (!rounds.isEmpty()) {
      long upTo = rounds.get(rounds.size() - 1).number();
      rows.put(ReceiptKeys.indexed(node), new BytesWriter(8).i64(upTo).toBytes());
    }
    ends.ifPresent(row -> rows.put(ReceiptKeys.node(node), row.encode()));
    return write(store, List.copyOf(rows.entrySet()), 0);
  }

  private static CompletionStage<Void> write(
      KvStore store, List<Map.Entry<Bytes, Bytes>> rows, int from) {
    if (from >= rows.size()) {
      return CompletableFuture.completedStage(null);
    }
    return store
        .now()
        .thenCompose(
            now -> {
              WriteBatch.Builder batch = WriteBatch.at(now);
              int next = from;
              while (next < rows.size()
                  && batch.size() < BATCH_ROWS
                  && (next == from || batch.bytes() < KvStore.BATCH_BYTES_MAX / 2)) {
                Map.Entry<Bytes, Bytes> row = rows.get(next++);
                batch.put(row.getKey(), row.getValue());
              }
              int rest = next;
              return store.commit(batch.build()).thenCompose(done -> write(store, rows, rest));
            });
  }

  /** How far a life has come, as {@link LogRecord.Confirmed} tells it. */
  record ConfirmedRow(Map<String, Long> upTo) {}

  /** What follows from rounds. */
  static Map<Bytes, Bytes> derived(List<Round> rounds) {
    Map<Bytes, Bytes> rows = new LinkedHashMap<>();
    Map<Bytes, LogRecord.Confirmed> confirmed = new LinkedHashMap<>(); // the newest of each life
    ReceiptListing listing = new ReceiptListing();
    for (Round round : rounds) {
      derive(round, rows, confirmed);
      listing.add(round);
    }
    rows.putAll(listing.rows());
    confirmed.forEach(
        (key, newest) -> rows.put(key, StateJson.encode(new ConfirmedRow(newest.upTo()))));
    return rows;
  }

  private static void derive(
      Round round, Map<Bytes, Bytes> rows, Map<Bytes, LogRecord.Confirmed> confirmed) {
    for (LogRecord record : round.records()) {
      if (record instanceof LogRecord.LifeBegan it) {
        rows.put(ReceiptKeys.began(it.agent(), it.life()), StateJson.encode(it.what()));
      } else if (record instanceof LogRecord.Confirmed it) {
        confirmed.put(ReceiptKeys.confirmed(it.agent(), it.life()), it);
      }
    }
  }
}
