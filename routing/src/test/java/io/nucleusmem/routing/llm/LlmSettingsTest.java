package io.nucleusmem.routing.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LlmSettingsTest {
  @Test
  void withoutAProviderNothingElseIsNeeded() {
    assertThat(LlmSettings.from(ConfigFactory.load()).server().provider())
        .isEqualTo(LlmSettings.Provider.NONE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "provider = gpt | provider is [gpt]; it must be none, openai or ollama",
        "base-url = \" \" | base-url is empty; it is needed with a provider",
        "model = \"\" | model is empty; it is needed with a provider",
        "timeout = 0s | timeout is [PT0S]; it must be PT0.1S to PT5M",
        "temperature = warm | temperature is [warm]; it must be a number or \"server\"",
        "temperature = NaN | temperature is [NaN]; it must be 0.0 to 2.0",
        "answer-tokens-max = 3 | answer-tokens-max is [3]; it must be 16 to 100000",
        "calls-in-flight-max = 0 | calls-in-flight-max is [0]; it must be 1 to 5",
        "calls-in-flight-max = 6 | calls-in-flight-max is [6]; it must be 1 to 5",
        "budget.calls-per-minute = 0 | budget.calls-per-minute is [0]; it must be 1 to 100000",
        "budget.tokens-per-minute = 5 | budget.tokens-per-minute is [5]; it must be 1000 to"
            + " 2147483647",
        "breaker.max-failures = 0 | breaker.max-failures is [0]; it must be 1 to 1000",
        "prompt.candidates-max = 27 | prompt.candidates-max is [27]; it must be 1 to 26",
        "trust.weight = 1.5 | trust.weight is [1.5]; it must be 0.0 to 1.0",
        "trust.weight = some | trust.weight is [some]; it must be a number or \"measured\"",
        "trust.reserve = 1 | trust.reserve is [1.0]; it must be 0.0 to 0.99",
      })
  void aBadValueIsNamedWithWhatWouldDo(String line, String message) {
    assertThatThrownBy(() -> Settings.with(line))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("nucleusmem.routing.llm." + message);
  }

  @Test
  void theKeyIsNotPrinted() {
    assertThat(Settings.with("api-key = sk-secret").toString()).doesNotContain("secret");
  }
}
