package io.nucleusmem.routing.router;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Test;

/** What must agree in the configuration of the router. */
class RoutingSettingsTest {
  private static final String MODEL =
      "llm { provider = ollama, base-url = \"http://127.0.0.1:1\", model = m, timeout = 10s }";

  private static Config with(String routing) {
    return ConfigFactory.parseString("nucleusmem.routing { " + routing + " }")
        .withFallback(ConfigFactory.load());
  }

  @Test
  void decisionsThatAreGivenUpBeforeTheModelIsAreRefused() {
    assertThatThrownBy(() -> RoutingSystem.check(with("decision-timeout = 10s\n" + MODEL)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nucleusmem.routing.decision-timeout")
        .hasMessageContaining("nucleusmem.routing.llm.timeout");
    assertThatCode(() -> RoutingSystem.check(with("decision-timeout = 11s\n" + MODEL)))
        .doesNotThrowAnyException();
    // nobody is asked: nothing has to be waited for
    assertThatCode(() -> RoutingSystem.check(with("decision-timeout = 1s")))
        .doesNotThrowAnyException();
  }
}
