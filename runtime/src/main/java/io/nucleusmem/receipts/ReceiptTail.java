package io.nucleusmem.receipts;

import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The rounds of all nodes that are not indexed yet. They never change, so those that were read
 * before are kept, as long as they are not indexed. Safe for many threads.
 */
final class ReceiptTail {
  private static final int PAGE = 1_024;

  private final KvStore store;
  private final Map<Long, List<Round>> kept = new ConcurrentHashMap<>(); // by node
  private volatile long oldestOpen; // all nodes before are closed for good

  ReceiptTail(KvStore store) {
    this.store = store;
  }

  /** Those of nodes whose log has not ended, in the order of each. */
  CompletionStage<List<Round>> read() {
    return open(ReceiptKeys.nodesFrom(oldestOpen), new ArrayList<>())
        .thenCompose(
            nodes -> {
              oldestOpen = nodes.isEmpty() ? oldestOpen : nodes.get(0);
              kept.keySet().retainAll(Set.copyOf(nodes));
              CompletionStage<List<Round>> all =
                  CompletableFuture.completedStage(new ArrayList<>());
              for (long node : nodes) {
                all =
                    all.thenCombine(
                        of(node),
                        (list, rounds) -> {
                          list.addAll(rounds);
                          return list;
                        });
              }
              return all;
            });
  }

  private CompletionStage<List<Long>> open(KeyRange range, List<Long> nodes) {
    return store
        .scan(range, PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              for (Row row : page.rows()) {
                if (NodeRow.decode(row.value()).isOpen()) {
                  nodes.add(ReceiptKeys.nodeOf(row.key()));
                }
              }
              return page.rest().isEmpty()
                  ? CompletableFuture.completedStage(nodes)
                  : open(page.rest().get(), nodes);
            });
  }

  /** Those of a node. */
  CompletionStage<List<Round>> of(long node) {
    return store
        .get(ReceiptKeys.indexed(node))
        .thenCompose(
            row -> {
              long indexed = row.map(value -> new BytesReader(value).i64()).orElse(0L);
              List<Round> rounds = new ArrayList<>(kept.getOrDefault(node, List.of()));
              rounds.removeIf(round -> round.number() <= indexed);
              long last = rounds.isEmpty() ? indexed : rounds.get(rounds.size() - 1).number();
              return more(ReceiptKeys.roundsAfter(node, last), rounds);
            })
        .thenApply(
            rounds -> {
              kept.put(node, List.copyOf(rounds));
              return rounds;
            });
  }

  private CompletionStage<List<Round>> more(KeyRange range, List<Round> rounds) {
    return store
        .scan(range, PAGE, Direction.ASCENDING)
        .thenCompose(
            page -> {
              page.rows().forEach(row -> rounds.add(Round.decode(row.key(), row.value())));
              return page.rest().isEmpty()
                  ? CompletableFuture.completedStage(rounds)
                  : more(page.rest().get(), rounds);
            });
  }
}
