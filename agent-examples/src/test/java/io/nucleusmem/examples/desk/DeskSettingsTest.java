package io.nucleusmem.examples.desk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class DeskSettingsTest {

  @Test
  void byDefaultThereIsNoModel() {
    DeskSettings settings = settings("");
    assertThat(settings.llm()).isEmpty();
    assertThat(settings.lease()).isEqualTo(Duration.ofSeconds(5));
  }

  @Test
  void readsTheModelAndNeverShowsItsKey() {
    DeskSettings settings =
        settings(
            "llm { provider = openai, base-url = \"http://h/v1\", model = m, api-key-env = PATH }");
    assertThat(settings.llm().orElseThrow().apiKey()).isEqualTo(System.getenv("PATH"));
    assertThat(settings.toString()).doesNotContain(System.getenv("PATH"));
    assertThat(Summarizer.of(settings.llm().orElseThrow()).name()).isEqualTo("m");
  }

  @Test
  void saysWhatIsWrong() {
    assertThatThrownBy(() -> settings("llm.provider = gpt"))
        .hasMessage(
            "nucleusmem.examples.desk.llm.provider is [gpt]; it must be none, openai or ollama");
    assertThatThrownBy(() -> settings("llm.provider = ollama")).hasMessageContaining("base-url");
    assertThatThrownBy(() -> settings("lease = 1ms")).hasMessageContaining("lease");
  }

  private static DeskSettings settings(String block) {
    return DeskSettings.from(
        ConfigFactory.parseString(DeskSettings.PATH + " {" + block + "}")
            .withFallback(ConfigFactory.parseResources("reference.conf")));
  }
}
