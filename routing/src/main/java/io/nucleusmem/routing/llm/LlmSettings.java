package io.nucleusmem.routing.llm;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * The block {@code nucleusmem.routing.llm}, read once and checked. Its keys are explained in this
 * module's {@code reference.conf}.
 *
 * @param timeout of one choice, all its calls together
 * @param strictAgainAfter how long a refused answer format is not tried again
 * @param callsInFlightMax choices under way at once
 */
public record LlmSettings(
    Server server,
    Duration timeout,
    Duration strictAgainAfter,
    int callsInFlightMax,
    Budget budget,
    Breaker breaker,
    Prompt prompt,
    Trust trust) {

  static final String PATH = "nucleusmem.routing.llm";

  /** Who serves the model. */
  public enum Provider {
    NONE,
    OPENAI,
    OLLAMA
  }

  /**
   * The model and how it is reached.
   *
   * @param apiKey empty for servers that want none
   * @param temperature empty: the server's own
   * @param answerTokensMax 0: the server's own
   */
  public record Server(
      Provider provider,
      String baseUrl,
      String model,
      String apiKey,
      OptionalDouble temperature,
      int answerTokensMax) {

    public Server {
      if (provider != Provider.NONE) {
        required("base-url", baseUrl);
        required("model", model);
      }
      if (temperature.isPresent()) {
        within("temperature", temperature.getAsDouble(), 0, 2);
      }
      if (answerTokensMax != 0) {
        within("answer-tokens-max", answerTokensMax, 16, 100_000);
      }
    }

    @Override
    public String toString() {
      return "Server[%s, %s, %s]".formatted(provider, baseUrl, model); // never the key
    }
  }

  /**
   * What may be spent in a minute.
   *
   * @param tokensPerMinute 0: no limit
   */
  public record Budget(int callsPerMinute, int tokensPerMinute) {
    public Budget {
      within("budget.calls-per-minute", callsPerMinute, 1, 100_000);
      if (tokensPerMinute != 0) {
        within("budget.tokens-per-minute", tokensPerMinute, 1_000, Integer.MAX_VALUE);
      }
    }
  }

  /** When a failing model is left alone, and for how long. */
  public record Breaker(int maxFailures, Duration resetTimeout) {
    public Breaker {
      within("breaker.max-failures", maxFailures, 1, 1_000);
      within("breaker.reset-timeout", resetTimeout, Duration.ofMillis(100), Duration.ofDays(1));
    }
  }

  /** What the model is shown. */
  public record Prompt(
      int candidatesMax,
      int examplesMax,
      int textCharsMax,
      int exampleCharsMax,
      int descriptionCharsMax) {
    public Prompt {
      within("prompt.candidates-max", candidatesMax, 1, 26);
      within("prompt.examples-max", examplesMax, 0, 20);
      within("prompt.text-chars-max", textCharsMax, 16, 1_000_000);
      within("prompt.example-chars-max", exampleCharsMax, 16, 100_000);
      within("prompt.description-chars-max", descriptionCharsMax, 16, 100_000);
    }
  }

  /**
   * How far votes are trusted.
   *
   * @param fixed empty: measured
   */
  public record Trust(
      OptionalDouble fixed, double weightMin, int trialsMax, double reserve, Duration quiet) {
    public Trust {
      if (fixed.isPresent()) {
        within("trust.weight", fixed.getAsDouble(), 0, 1);
      }
      within("trust.weight-min", weightMin, 0, 1);
      within("trust.trials-max", trialsMax, 1, 10_000);
      within("trust.reserve", reserve, 0, 0.99);
      within("trust.quiet", quiet, Duration.ZERO, Duration.ofHours(1));
    }
  }

  public LlmSettings {
    within("timeout", timeout, Duration.ofMillis(100), Duration.ofMinutes(5));
    within("strict-again-after", strictAgainAfter, Duration.ofSeconds(1), Duration.ofDays(30));
    within("calls-in-flight-max", callsInFlightMax, 1, 64);
  }

  /**
   * Reads and checks the block.
   *
   * @param root the whole configuration
   * @throws IllegalArgumentException with the key, its value and what would be accepted
   */
  public static LlmSettings from(Config root) {
    Config config = root.getConfig(PATH);
    // one more, so that measuring never waits for all calls, nor they for it
    int threads = config.getInt("dispatcher.thread-pool-executor.fixed-pool-size");
    within(
        "calls-in-flight-max", config.getInt("calls-in-flight-max"), 1, Math.min(64, threads - 1));
    return new LlmSettings(
        new Server(
            provider(config.getString("provider")),
            config.getString("base-url"),
            config.getString("model"),
            config.getString("api-key"),
            numberOr(config, "temperature", "server"),
            config.getInt("answer-tokens-max")),
        config.getDuration("timeout"),
        config.getDuration("strict-again-after"),
        config.getInt("calls-in-flight-max"),
        new Budget(
            config.getInt("budget.calls-per-minute"), config.getInt("budget.tokens-per-minute")),
        new Breaker(
            config.getInt("breaker.max-failures"), config.getDuration("breaker.reset-timeout")),
        new Prompt(
            config.getInt("prompt.candidates-max"),
            config.getInt("prompt.examples-max"),
            config.getInt("prompt.text-chars-max"),
            config.getInt("prompt.example-chars-max"),
            config.getInt("prompt.description-chars-max")),
        new Trust(
            numberOr(config, "trust.weight", "measured"),
            config.getDouble("trust.weight-min"),
            config.getInt("trust.trials-max"),
            config.getDouble("trust.reserve"),
            config.getDuration("trust.quiet")));
  }

  private static Provider provider(String name) {
    for (Provider provider : Provider.values()) {
      if (provider.name().toLowerCase(Locale.ROOT).equals(name)) {
        return provider;
      }
    }
    throw new IllegalArgumentException(
        PATH + ".provider is [%s]; it must be none, openai or ollama".formatted(name));
  }

  private static OptionalDouble numberOr(Config config, String key, String word) {
    String value = config.getString(key);
    if (value.equals(word)) {
      return OptionalDouble.empty();
    }
    try {
      return OptionalDouble.of(Double.parseDouble(value));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "%s.%s is [%s]; it must be a number or \"%s\"".formatted(PATH, key, value, word), e);
    }
  }

  private static void required(String key, String value) {
    if (value.isBlank()) {
      throw new IllegalArgumentException(
          "%s.%s is empty; it is needed with a provider".formatted(PATH, key));
    }
  }

  private static <T extends Comparable<T>> void within(String key, T value, T from, T to) {
    // written so that a NaN, which is above all numbers in this order, fails
    if (value.compareTo(from) < 0 || value.compareTo(to) > 0) {
      throw new IllegalArgumentException(
          "%s.%s is [%s]; it must be %s to %s".formatted(PATH, key, value, from, to));
    }
  }

  private static void within(String key, double value, double from, double to) {
    within(key, (Double) value, (Double) from, (Double) to);
  }

  private static void within(String key, int value, int from, int to) {
    within(key, (Integer) value, (Integer) from, (Integer) to);
  }
}
