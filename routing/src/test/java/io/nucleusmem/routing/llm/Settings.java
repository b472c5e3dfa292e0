package io.nucleusmem.routing.llm;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.DispatcherSelector;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.langchain4j.model.chat.ChatModel;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import scala.concurrent.ExecutionContext;

/**
 * Choosers and their settings for tests: a model that is trusted, unless said otherwise; what a
 * timer does is done when {@code ManualTime.timePasses} returns.
 */
final class Settings {
  private Settings() {}

  /** The defaults of reference.conf with these lines instead, such as {@code timeout = 1s}. */
  static LlmSettings with(String... lines) {
    return LlmSettings.from(config(lines));
  }

  static LlmChooser chooser(
      LlmSettings settings,
      ChatModel model,
      ActorSystem<?> system,
      Executor blocking,
      LongSupplier nanoTime) {
    return LlmChooser.create(
        settings,
        model,
        blocking,
        ExecutionContext.fromExecutor(Runnable::run),
        system.classicSystem().scheduler(),
        nanoTime);
  }

  /** Where blocking calls run in production. */
  static Executor dispatcher(ActorSystem<?> system) {
    return system
        .dispatchers()
        .lookup(DispatcherSelector.fromConfig(LlmSettings.PATH + ".dispatcher"));
  }

  static Config config(String... lines) {
    String own =
        "provider = openai, base-url = \"http://127.0.0.1:1/v1\", model = scripted, trust.weight ="
            + " 1\n"
            + String.join("\n", lines);
    return ConfigFactory.parseString("%s {\n%s\n}".formatted(LlmSettings.PATH, own))
        .withFallback(ConfigFactory.load())
        .resolve();
  }
}
