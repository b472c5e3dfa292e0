package io.nucleusmem.routing.llm;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;

/** Settings for tests: a model that is trusted, unless said otherwise. */
final class Settings {
  private Settings() {}

  /** The defaults of reference.conf with these lines instead, such as {@code timeout = 1s}. */
  static LlmSettings with(String... lines) {
    return LlmSettings.from(config(lines));
  }

  static Config config(String... lines) {
    String own =
        "provider = openai, base-url = \"http://127.0.0.1:1/v1\", model = scripted, trust.weight = 1\n"
            + String.join("\n", lines);
    return ConfigFactory.parseString("%s {\n%s\n}".formatted(LlmSettings.PATH, own))
        .withFallback(ConfigFactory.load())
        .resolve();
  }
}
