package io.nucleusmem.receipts;

import akka.actor.Cancellable;
import akka.actor.typed.ActorSystem;
import akka.cluster.Member;
import akka.cluster.typed.Cluster;
import io.nucleusmem.StoreExtension;
import io.nucleusmem.ledger.Pace;
import io.nucleusmem.store.KvStore;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Looks after the receipts of all nodes, from time to time: ends the logs of nodes that have died,
 * and removes what the retention of receipts lets go. One node of a cluster does that, its leader;
 * two at a time, when that changes, do no harm.
 */
public final class ReceiptKeeper {
  private final ActorSystem<?> system;
  private final DeadLogs dead;
  private final ReceiptCompactor compactor;
  private volatile boolean running;
  private volatile boolean stopped;

  private ReceiptKeeper(ActorSystem<?> system, KvStore store, ReceiptRetention retention) {
    this.system = system;
    this.dead = new DeadLogs(store);
    this.compactor = new ReceiptCompactor(store, retention, new Pace(retention.rowsPerSecond()));
  }

  /** Begins; ends with the system. */
  public static void start(ActorSystem<?> system) {
    ReceiptRetention retention = ReceiptRetention.from(system.settings().config());
    ReceiptKeeper keeper = new ReceiptKeeper(system, StoreExtension.get(system).store(), retention);
    Cancellable timer =
        system
            .scheduler()
            .scheduleWithFixedDelay(
                retention.interval(),
                retention.interval(),
                keeper::sweep,
                system.executionContext());
    system
        .getWhenTerminated()
        .whenComplete(
            (done, failure) -> {
              keeper.stopped = true;
              timer.cancel();
            });
  }

  private void sweep() {
    Cluster cluster = Cluster.get(system);
    if (running || !cluster.selfMember().address().equals(cluster.state().getLeader())) {
      return;
    }
    running = true;
    Set<String> alive = new HashSet<>();
    for (Member member : cluster.state().getMembers()) {
      alive.add(member.address().toString());
    }
    CompletionStage<Void> swept;
    try {
      swept = dead.end(alive).thenCompose(ended -> compactor.run(() -> stopped));
    } catch (RuntimeException closed) {
      swept = CompletableFuture.failedFuture(closed);
    }
    swept.whenComplete(
        (done, failure) -> {
          running = false;
          if (failure != null && !stopped) {
            system.log().info("receipts are looked after later: {}", failure.toString());
          }
        });
  }
}
