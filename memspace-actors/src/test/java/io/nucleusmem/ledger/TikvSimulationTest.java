package io.nucleusmem.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The schedules of {@link LedgerSimulationTest} over TiKV's protocol, fewer of them: {@code
 * -Dsimulation.tikv.count=N}, {@code -Dsimulation.seed=N}. And the price of a commit there.
 */
@Timeout(1_200)
class TikvSimulationTest {
  private static final long SEED = Long.getLong("simulation.seed", 1);
  private static final int COUNT = Integer.getInteger("simulation.tikv.count", 6);

  private static void run(Function<Simulation.Run, OnTikvServer> engine) {
    List<OnTikvServer> engines = new ArrayList<>();
    Simulation.runAll(
        SEED,
        COUNT,
        Simulation.Plan.RIVALS_BY_REGION.on(
            run -> {
              OnTikvServer made = engine.apply(run);
              engines.add(made);
              return made;
            }));
    assertThat(engines.stream().mapToInt(OnTikvServer::counted).sum())
        .describedAs("commits of log rows that were seen to be one prewrite and one Raft write")
        .isPositive();
  }

  @Test
  void ownersOnARegion() {
    run(OnTikvServer::whole);
  }

  @Test
  void ownersOnRegionsThatSplitAndMergeAndMove() {
    run(OnTikvServer::cut);
  }
}
