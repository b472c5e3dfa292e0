package io.nucleusmem.ledger;

import io.nucleusmem.store.tikv.RealCluster;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * The schedules of {@link LedgerSimulationTest} on the TiKV cluster that {@code NUCLEUSMEM_TEST_PD}
 * names: each under a key prefix of its own, which is empty afterwards.
 */
@EnabledIfEnvironmentVariable(named = RealCluster.PD, matches = ".+")
class TikvSimulationIT {
  private static final long SEED = Long.getLong("simulation.seed", 1);
  private static final int COUNT = Integer.getInteger("simulation.tikv.count", 20);

  @Test
  void ownersOnARealCluster() {
    Simulation.runAll(SEED, COUNT, Simulation.Plan.RIVALS_BY_REGION.on(OnRealTikv::new));
  }
}
