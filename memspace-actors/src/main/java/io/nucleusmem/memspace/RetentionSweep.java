package io.nucleusmem.memspace;

import akka.actor.Cancellable;
import akka.actor.typed.ActorSystem;
import akka.cluster.typed.Cluster;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LedgerReader;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.Pace;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Compacts spaces that have a policy, from time to time: looks through the catalogue, one space
 * after the other, and starts an operation where something would go. One node of a cluster does
 * that, its leader; two at a time, when that changes, do no harm.
 */
final class RetentionSweep {
  private static final int PAGE = 100;
  private static final int SPACES_PER_SECOND = 2_000;
  private static final int REMEMBERED_MAX = 100_000;

  private final ActorSystem<?> system;
  private final MemSpaceNode node;
  private final Catalogue catalogue;
  private final SpaceKeepingClient keeping;
  private final Pace pace; // of looking at spaces; what is removed has its own
  private final Map<LedgerId, Long> quiet =
      new ConcurrentHashMap<>(); // newest revision at which nothing would go, by size alone
  private volatile boolean running;
  private volatile boolean stopped;

  RetentionSweep(
      ActorSystem<?> system, MemSpaceNode node, Catalogue catalogue, SpaceKeepingClient keeping) {
    this.system = system;
    this.node = node;
    this.catalogue = catalogue;
    this.keeping = keeping;
    this.pace = new Pace(SPACES_PER_SECOND);
  }

  void start(Duration interval) {
    Cancellable timer =
        system
            .scheduler()
            .scheduleWithFixedDelay(interval, interval, this::sweep, system.executionContext());
    system
        .getWhenTerminated()
        .whenComplete(
            (done, failure) -> {
              stopped = true;
              timer.cancel();
            });
  }

  private void sweep() {
    Cluster cluster = Cluster.get(system);
    if (running || !cluster.selfMember().address().equals(cluster.state().getLeader())) {
      return;
    }
    running = true;
    quiet.keySet().removeIf(any -> quiet.size() > REMEMBERED_MAX);
    sweep("")
        .whenComplete(
            (done, failure) -> {
              running = false;
              if (failure != null && !stopped) {
                system.log().info("retention waits for its next round: {}", failure.toString());
              }
            });
  }

  private CompletionStage<Void> sweep(String after) {
    return catalogue
        .page(after, PAGE)
        .thenCompose(
            page -> {
              CompletionStage<Void> all = CompletableFuture.completedStage(null);
              for (Catalogue.Named each : page) {
                all = all.thenCompose(done -> lookAt(each.name(), each.row().ledger()));
              }
              String last = page.isEmpty() ? "" : page.get(page.size() - 1).name();
              return all.thenCompose(done -> pace.after(page.size()))
                  .thenCompose(
                      done ->
                          page.size() < PAGE || stopped
                              ? CompletableFuture.completedStage(null)
                              : sweep(last));
            });
  }

  private CompletionStage<Void> lookAt(String name, LedgerId id) {
    LedgerReader reader = new LedgerReader(node.store(), id);
    return reader
        .state(SpaceRows.MANIFEST_KEY)
        .thenCompose(
            row -> {
              SpaceRows.Manifest manifest =
                  row.map(bytes -> StateJson.decode(bytes, SpaceRows.Manifest.class)).orElse(null);
              if (stopped
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
