package io.nucleusmem.memspace;

import akka.actor.Cancellable;
import akka.actor.typed.ActorSystem;
import akka.cluster.typed.Cluster;
import io.nucleusmem.ledger.Pace;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * Looks through the catalogue from time to time, one space after the other. One node of a cluster
 * does that, its leader; two at a time, when that changes, must do no harm.
 */
final class CatalogueSweep {
  private static final int PAGE = 100;
  private static final int SPACES_PER_SECOND = 2_000;

  private final ActorSystem<?> system;
  private final Catalogue catalogue;
  private final String what;
  private final Function<Catalogue.Named, CompletionStage<Void>> look;
  private final Pace pace = new Pace(SPACES_PER_SECOND); // what is done has its own
  private volatile boolean running;
  private volatile boolean stopped;

  /**
   * A sweep.
   *
   * @param what it is for, as the log names it
   * @param look at a space; a failure ends the round
   */
  CatalogueSweep(
      ActorSystem<?> system,
      Catalogue catalogue,
      String what,
      Function<Catalogue.Named, CompletionStage<Void>> look) {
    this.system = system;
    this.catalogue = catalogue;
    this.what = what;
    this.look = look;
  }

  void start(Duration interval) {
    Cancellable timer =
        system
            .scheduler()
            .scheduleWithFixedDelay(interval, interval, this::begin, system.executionContext());
    system
        .getWhenTerminated()
        .whenComplete(
            (done, failure) -> {
              stopped = true;
              timer.cancel();
            });
  }

  boolean isStopped() {
    return stopped;
  }

  private void begin() {
    Cluster cluster = Cluster.get(system);
    if (running || !cluster.selfMember().address().equals(cluster.state().getLeader())) {
      return;
    }
    running = true;
    run()
        .whenComplete(
            (done, failure) -> {
              running = false;
              if (failure != null && !stopped) {
                system.log().info("{} waits for its next round: {}", what, failure.toString());
              }
            });
  }

  /** One round, whoever is the leader. */
  CompletionStage<Void> run() {
    return from("");
  }

  private CompletionStage<Void> from(String after) {
    return catalogue
        .page(after, PAGE)
        .thenCompose(
            page -> {
              CompletionStage<Void> all = CompletableFuture.completedStage(null);
              for (Catalogue.Named each : page) {
                all =
                    all.thenCompose(
                        done ->
                            stopped ? CompletableFuture.completedStage(null) : look.apply(each));
              }
              String last = page.isEmpty() ? "" : page.get(page.size() - 1).name();
              return all.thenCompose(done -> pace.after(page.size()))
                  .thenCompose(
                      done ->
                          page.size() < PAGE || stopped
                              ? CompletableFuture.completedStage(null)
                              : from(last));
            });
  }
}
