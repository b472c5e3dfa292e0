package io.nucleusmem.routing.llm;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.TokenUsage;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;

/** Answers as a table says, and keeps what it was asked. */
final class ScriptedModel implements ChatModel {
  private final Function<ChatRequest, String> script;
  private final Queue<ChatRequest> requests = new ConcurrentLinkedQueue<>();

  ScriptedModel(Function<ChatRequest, String> script) {
    this.script = script;
  }

  /** Says these one after the other, the last one again and again. */
  static ScriptedModel saying(String... answers) {
    Queue<String> left = new ConcurrentLinkedQueue<>(List.of(answers));
    return new ScriptedModel(request -> left.size() > 1 ? left.remove() : left.element());
  }

  @Override
  public ChatResponse doChat(ChatRequest request) {
    requests.add(request);
    return ChatResponse.builder()
        .aiMessage(AiMessage.from(script.apply(request)))
        .tokenUsage(new TokenUsage(100, 10))
        .build();
  }

  List<ChatRequest> requests() {
    return new ArrayList<>(requests);
  }

  /** The text of the last message of a request. */
  static String lastWords(ChatRequest request) {
    List<ChatMessage> messages = request.messages();
    return ((UserMessage) messages.get(messages.size() - 1)).singleText();
  }

  static String choice(String label) {
    return "{\"choice\": \"%s\", \"reason\": \"because\"}".formatted(label);
  }
}
