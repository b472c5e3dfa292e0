package io.nucleusmem.ledger;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** The simulation finds what it is there to find: each of these ledgers is careless in one way. */
class MutantsTest {
  private static final int SCHEDULES = 3_000;

  private static void isFound(Simulation.Plan plan) {
    assertThatThrownBy(() -> Simulation.runAll(1, SCHEDULES, plan))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("seed");
  }

  @Test
  void rowKeyedByItsLastRevision() {
    isFound(Simulation.Plan.RIVALS.with(Mutant.KeyedByLast::new));
  }

  @Test
  void noRequireOfTheRowBefore() {
    isFound(Simulation.Plan.RIVALS.with(Mutant.NoRequire::new));
  }

  @Test
  void indexWrittenByWhoeverIsLate() {
    isFound(Simulation.Plan.RIVALS_BY_REGION.with(Mutant.IndexWithoutFence::new));
  }

  @Test
  void resendWithNewContent() {
    isFound(Simulation.Plan.RIVALS.with(Mutant.ResendsOtherContent::new));
  }

  @Test
  void replyBeforeSettled() {
    isFound(Simulation.Plan.EMBEDDED.with(Mutant.AnswersBeforeSettled::new));
  }

  @Test
  void replyWhenDecided() {
    isFound(Simulation.Plan.EMBEDDED.leaking());
  }

  @Test
  void absentRowTakenAsNotDone() {
    isFound(Simulation.Plan.RIVALS.with(Mutant.AbsentIsNotDone::new));
  }

  @Test
  void refusalsAndInstantsFromMemoryAlthoughAnotherOwnerLives() {
    isFound(
        Simulation.Plan.RIVALS.with(
            (id, store, settings, host, owner, sole) ->
                new Ledger(id, store, settings, host, owner, true)));
  }
}
