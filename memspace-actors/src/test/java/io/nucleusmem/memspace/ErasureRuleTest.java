package io.nucleusmem.memspace;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** What an erasure covers. */
class ErasureRuleTest {
  @Test
  void aRuleTakesACopyForAsOldAsItsOriginal() {
    ErasureRule rule = new ErasureRule("id", "anna", "asked to", 100, null, null, null, "p7");
    for (var each : Map.of("90", true, "100", true, "120", false, "yesterday", false).entrySet()) {
      Map<String, String> metadata = Map.of("subject", "p7", DeadLetters.AT, each.getKey());
      assertThat(rule.covers(TopicRows.message(1), 150, () -> metadata))
          .as(each.getKey())
          .isEqualTo(each.getValue());
    }
    assertThat(rule.covers(TopicRows.message(1), 150, () -> Map.of("subject", "p7"))).isFalse();
    assertThat(rule.covers(TopicRows.message(1), 90, () -> Map.of("subject", "p8"))).isFalse();
  }
}
