package io.nucleusmem.routing.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class MinuteBudgetTest {
  private final AtomicLong now = new AtomicLong(-5);

  @Test
  void noMinuteHasMoreCallsThanAllowed() {
    var budget = budget(2, 0);
    assertThat(budget.take(9, 0)).isPresent();
    passes(30);
    assertThat(budget.take(9, 0)).isPresent();
    passes(29);
    assertThat(budget.take(9, 0)).isEmpty();
    passes(1);
    assertThat(budget.take(9, 0)).isPresent();
    assertThat(budget.take(9, 0)).isEmpty();
    passes(30);
    assertThat(budget.take(9, 0)).isPresent();
  }

  @Test
  void tokensAreCorrectedToWhatWasUsed() {
    var budget = budget(100, 1_000);
    MinuteBudget.Spent call = budget.take(900, 0).orElseThrow();
    assertThat(budget.take(200, 0)).isEmpty();
    call.settle(300);
    assertThat(budget.take(700, 0)).isPresent();
    assertThat(budget.take(1, 0)).isEmpty();
    passes(60);
    call.settle(900); // long forgotten
    assertThat(budget.take(1_000, 0)).isPresent();
  }

  @Test
  void aReserveRemainsForOthers() {
    var budget = budget(4, 0);
    assertThat(budget.take(1, 0.5)).isPresent();
    assertThat(budget.take(1, 0.5)).isPresent();
    assertThat(budget.take(1, 0.5)).isEmpty();
    assertThat(budget.take(1, 0)).isPresent();
    assertThat(budget.take(1, 0)).isPresent();
    assertThat(budget.take(1, 0)).isEmpty();
  }

  @Test
  void whatIsLargerThanAMinuteIsGrantedToTheFirst() {
    var budget = budget(1, 1_000);
    assertThat(budget.take(5_000, 0.9)).isPresent();
    assertThat(budget.take(1, 0)).isEmpty();
    passes(60);
    assertThat(budget.take(1, 0)).isPresent();
  }

  private MinuteBudget budget(int calls, int tokens) {
    return new MinuteBudget(new LlmSettings.Budget(calls, tokens), now::get);
  }

  private void passes(int seconds) {
    now.addAndGet(Duration.ofSeconds(seconds).toNanos());
  }
}
