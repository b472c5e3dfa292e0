package io.nucleusmem.ledger;

import org.junit.jupiter.api.Test;

/** G1 to G4, G7, G12 under thousands of schedules. A failure names the seed that shows it again. */
class LedgerSimulationTest {
  private static final long SEED = Long.getLong("simulation.seed", 1);
  private static final int COUNT = Integer.getInteger("simulation.count", 1_500);

  @Test
  void oneOwnerOnAnEmbeddedStoreThatCrashes() {
    Simulation.runAll(SEED, COUNT, seed -> Simulation.Plan.EMBEDDED);
  }

  @Test
  void ownersThatEachBelieveTheyAreTheOwner() {
    Simulation.runAll(SEED, COUNT, seed -> Simulation.Plan.RIVALS);
  }

  @Test
  void ownersOnAStoreThatIsCutIntoRegions() {
    Simulation.runAll(SEED, COUNT / 3, seed -> Simulation.Plan.RIVALS_BY_REGION);
  }
}
