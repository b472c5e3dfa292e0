package io.nucleusmem.ledger;

import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.tikv.RealCluster;

/** A simulation's store over a corner of the TiKV cluster that the environment names. */
final class OnRealTikv extends OnTikv {
  private final RealCluster corner = new RealCluster();
  private KvStore tikv = corner.open();

  OnRealTikv(Simulation.Run run) {
    super(run);
  }

  @Override
  KvStore tikv() {
    return tikv;
  }

  /** PD's own: nobody can put it forward. */
  @Override
  public long millis() {
    return Timestamps.millis(now().toCompletableFuture().join());
  }

  @Override
  public void crash(int landed) {
    tikv.close();
    tikv = corner.open();
  }

  @Override
  public void close() {
    tikv.close();
    corner.clear();
  }
}
