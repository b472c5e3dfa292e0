package io.nucleusmem.receipts;

import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the logs of nodes that have died: indexes what they had not, and inserts the round that
 * would have been their next one. A node that was alive after all is refused that round, and so
 * notices; nothing that it wrote before is lost, and nothing that it writes can follow there.
 */
final class DeadLogs {
  private static final Logger LOG = LoggerFactory.getLogger(ReceiptLog.class);
  private static final int PAGE = 1_024;
  private static final int TRIES_MAX =
      5; // rounds that a node writes meanwhile: then it is not dead

  private final KvStore store;

  DeadLogs(KvStore store) {
    this.store = store;
  }

  /** All incarnations that are known, oldest first. */
  CompletionStage<Map<Long, NodeRow>> nodes() {
    return nodes(ReceiptKeys.nodesFrom(0), new TreeMap<>());
  }

  private CompletionStage<Map<Long, NodeRow>> nodes(KeyRange range, Map<Long, NodeRow> found) {
    return store
        .scan(range, PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              for (Row row : page.rows()) {
                found.put(ReceiptKeys.nodeOf(row.key()), NodeRow.decode(row.value()));
              }
              return page.rest().isEmpty()
                  ? CompletableFuture.completedStage(found)
                  : nodes(page.rest().get(), found);
            });
  }

  /**
   * Ends those whose address nobody has, or a newer incarnation.
   *
   * @param alive addresses of the cluster's members
   * @return how many were ended
   */
  CompletionStage<Integer> end(Set<String> alive) {
    return nodes()
        .thenCompose(
            nodes -> {
              Map<String, Long> newest = new HashMap<>();
              nodes.forEach((node, row) -> newest.merge(row.address(), node, Math::max));
              List<Long> dead = new ArrayList<>();
              nodes.forEach(
                  (node, row) -> {
                    if (row.isOpen()
                        && (!alive.contains(row.address()) || newest.get(row.address()) > node)) {
                      dead.add(node);
                    }
                  });
              CompletionStage<Integer> ended = CompletableFuture.completedStage(0);
              for (long node : dead) {
                ended =
                    ended.thenCompose(
                        count ->
                            end(node, nodes.get(node), TRIES_MAX)
                                .thenApply(done -> count + (done ? 1 : 0)));
              }
              return ended;
            });
  }

  private CompletionStage<Boolean> end(long node, NodeRow row, int tries) {
    // the last one first: what is written meanwhile stands where the log is to end, and refuses it
    return last(node)
        .thenCompose(
            last ->
                new ReceiptTail(store)
                    .of(node)
                    .thenCompose(
                        rounds -> ReceiptIndex.write(store, node, rounds, Optional.empty()))
                    .thenApply(indexed -> last))
        .thenCompose(last -> store.now().thenApply(now -> closing(node, last, now)))
        .thenCompose(
            closing ->
                store
                    .commit(
                        WriteBatch.at(closing.timestamp())
                            .insert(ReceiptKeys.round(node, closing.number()), closing.encode())
                            .build())
                    .thenCompose(
                        done ->
                            ReceiptIndex.write(
                                store, node, List.of(closing), Optional.of(row.at(NodeRow.ENDED)))))
        .handle((done, failure) -> failure)
        .thenCompose(
            failure -> {
              if (failure == null) {
                LOG.info(
                    "the receipts of node {} ended with it; they are indexed now", row.address());
                return CompletableFuture.completedStage(true);
              }
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (!(cause instanceof RefusedCommitException)) {
                return CompletableFuture.failedStage(cause);
              }
              return tries > 1
                  ? end(node, row, tries - 1)
                  : CompletableFuture.completedStage(false);
            });
  }

  /** The newest round of a node, which may have been removed; then its number is still known. */
  private CompletionStage<Round> last(long node) {
    return store
        .scan(ReceiptKeys.roundsAfter(node, 0), 1, Direction.DESCENDING)
        .thenCombine(
            store.get(ReceiptKeys.indexed(node)),
            (page, indexed) ->
                page.rows().stream()
                    .findFirst()
                    .map(row -> Round.decode(row.key(), row.value()))
                    .orElseGet(
                        () ->
                            new Round(
                                node,
                                indexed.map(row -> new BytesReader(row).i64()).orElse(0L),
                                0,
                                0,
                                List.of())));
  }

  private static Round closing(long node, Round last, long now) {
    return new Round(node, last.number() + 1, now, last.before(), List.of());
  }
}
