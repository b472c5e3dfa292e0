package io.nucleusmem.examples.desk;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * The block {@code nucleusmem.examples.desk}, read once and checked.
 *
 * @param lease how long an analyst holds a document without a sign of life
 * @param digestInterval the least time between two versions of the digest
 * @param llm empty where no model is configured
 */
record DeskSettings(Duration lease, Duration digestInterval, Optional<Llm> llm) {

  static final String PATH = "nucleusmem.examples.desk";

  /** Which model writes the summaries. */
  enum Provider {
    NONE,
    OPENAI,
    OLLAMA
  }

  /**
   * The model that writes the summaries.
   *
   * @param apiKey empty for servers that want none
   */
  record Llm(Provider provider, String baseUrl, String model, String apiKey, Duration timeout) {
    @Override
    public String toString() {
      return "Llm[%s, %s, %s]".formatted(provider, baseUrl, model); // never the key
    }
  }

  DeskSettings {
    if (lease.toMillis() < 100 || lease.toHours() >= 1) {
      throw new IllegalArgumentException(
          PATH + ".lease is [%s]; it must be 100 ms to 1 h".formatted(lease));
    }
    if (digestInterval.isNegative()) {
      throw new IllegalArgumentException(
          PATH + ".digest-interval is [%s]; it must not be negative".formatted(digestInterval));
    }
  }

  static DeskSettings from(Config root) {
    Config config = root.getConfig(PATH);
    return new DeskSettings(
        config.getDuration("lease"), config.getDuration("digest-interval"), llm(config));
  }

  private static Optional<Llm> llm(Config desk) {
    Config config = desk.getConfig("llm");
    Provider provider = provider(config.getString("provider"));
    if (provider == Provider.NONE) {
      return Optional.empty();
    }
    String variable = config.getString("api-key-env");
    String key = variable.isEmpty() ? "" : System.getenv().getOrDefault(variable, "");
    return Optional.of(
        new Llm(
            provider,
            required(config, "base-url"),
            required(config, "model"),
            key,
            config.getDuration("timeout")));
  }

  private static Provider provider(String name) {
    for (Provider provider : Provider.values()) {
      if (provider.name().toLowerCase(Locale.ROOT).equals(name)) {
        return provider;
      }
    }
    throw new IllegalArgumentException(
        PATH + ".llm.provider is [%s]; it must be none, openai or ollama".formatted(name));
  }

  private static String required(Config config, String key) {
    String value = config.getString(key);
    if (value.isBlank()) {
      throw new IllegalArgumentException(
          PATH + ".llm.%s is empty; it is needed with a provider".formatted(key));
    }
    return value;
  }
}
