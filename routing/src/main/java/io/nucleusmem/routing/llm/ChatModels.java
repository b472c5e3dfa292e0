package io.nucleusmem.routing.llm;

import dev.langchain4j.http.client.HttpClientBuilder;
import dev.langchain4j.http.client.jdk.JdkHttpClient;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.ollama.OllamaChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import java.net.http.HttpClient;

/** The models that can be configured. Retries, formats and limits are ours, not their client's. */
final class ChatModels {
  private ChatModels() {}

  static ChatModel of(LlmSettings settings) {
    LlmSettings.Server server = settings.server();
    return switch (server.provider()) {
      case OPENAI ->
          OpenAiChatModel.builder()
              .httpClientBuilder(http())
              .baseUrl(server.baseUrl())
              .apiKey(server.apiKey().isEmpty() ? "none" : server.apiKey())
              .modelName(server.model())
              .timeout(settings.timeout())
              .strictJsonSchema(true)
              .maxRetries(0)
              .build();
      case OLLAMA ->
          OllamaChatModel.builder()
              .httpClientBuilder(http())
              .baseUrl(server.baseUrl())
              .modelName(server.model())
              .timeout(settings.timeout())
              .maxRetries(0)
              .build();
      case NONE -> throw new IllegalArgumentException("no provider, no model");
    };
  }

  /** HTTP/1.1: small servers stumble over the upgrade to HTTP/2 that the JDK's client offers. */
  private static HttpClientBuilder http() {
    return JdkHttpClient.builder()
        .httpClientBuilder(HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1));
  }
}
