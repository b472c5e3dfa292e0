package io.nucleusmem.memspace;

import akka.actor.typed.ActorSystem;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.LogRow;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Compacts spaces that have a policy, from time to time: starts an operation where something would
 * go.
 */
final class RetentionSweep {
  private static final int REMEMBERED_MAX = 100_000;

  private final MemSpaceNode node;
  private final SpaceKeepingClient keeping;
  private final CatalogueSweep sweep;
  private final Map<LedgerId, Long> quiet =
      new ConcurrentHashMap<>(); // newest revision at which nothing would go, by size alone

  RetentionSweep(
      ActorSystem<?> system, MemSpaceNode node, Catalogue catalogue, SpaceKeepingClient keeping) {
    this.node = node;
    this.keeping = keeping;
    this.sweep =
        new CatalogueSweep(
            system, catalogue, "retention", each -> lookAt(each.name(), each.row().ledger()));
  }

  void start(Duration interval) {
    sweep.start(interval);
  }

  private CompletionStage<Void> lookAt(String name, LedgerId id) {
    if (quiet.size() > REMEMBERED_MAX) {
      quiet.clear();
    }
    LedgerReader reader = new LedgerReader(node.store(), id);
    return reader
        .state(SpaceRows.MANIFEST_KEY)
        .thenCompose(
            row -> {
              SpaceRows.Manifest manifest =
                  row.map(bytes -> StateJson.decode(bytes, SpaceRows.Manifest.class)).orElse(null);
              if (sweep.isStopped()
                  || manifest == null
                  || manifest.retention().keepsAll()
                  || manifest.state().equals(SpaceRows.Manifest.DELETED)
                  || keeping.locks().isBusy(id)) {
                return CompletableFuture.completedStage(null);
              }
              boolean aged = manifest.retention().maxAge().isPresent();
              return reader
                  .newestRow()
                  .thenApply(newest -> newest.map(LogRow::last).orElse(0L))
                  .thenCompose(
                      newest ->
                          !aged && newest.equals(quiet.get(id))
                              ? CompletableFuture.completedStage(null)
                              : compactIfDue(name, manifest.owner(), id, newest));
            });
  }

  private CompletionStage<Void> compactIfDue(String name, String owner, LedgerId id, long newest) {
    return keeping
        .compaction()
        .run(id, OptionalLong.empty(), true, (what, value) -> {})
        .thenCompose(
            plan -> {
              if (!isDue(plan)) {
                if (((List<?>) plan.get("topics")).isEmpty()) {
                  quiet.put(id, newest); // topics have revisions of their own
                }
                return CompletableFuture.completedStage(null);
              }
              return keeping
                  // the owner's, so that he can look at it
                  .compact(new Principal(owner, true), name, OptionalLong.empty(), false)
                  .thenApply(operation -> null);
            });
  }

  private static boolean isDue(Map<String, Object> plan) {
    long goes = ((Number) plan.get("versions")).longValue();
    for (Object topic : (List<?>) plan.get("topics")) {
      goes += ((Number) ((Map<?, ?>) topic).get("messages")).longValue();
    }
    return goes > 0;
  }
}
