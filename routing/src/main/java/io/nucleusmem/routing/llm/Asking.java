package io.nucleusmem.routing.llm;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.nucleusmem.routing.RouteChooser.ChooserException;
import io.nucleusmem.routing.RouteChooser.ChooserException.Why;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * Asks a model one question: in the strictest format that the server takes, and once more, with the
 * error, where the answer can't be used. At most {@value #CALLS_MAX} calls, each within the budget.
 * Blocks; its thread is interrupted when nobody waits for the answer any more.
 */
final class Asking implements Callable<Vote> {
  private static final int CALLS_MAX = 4; // three formats, one retry
  private static final int ANSWERS_MAX = 2; // the retry included
  private static final int BAD_ANSWER_CHARS_MAX = 500; // of a bad answer, shown to the model again

  private final ChatModel model;
  private final LlmSettings.Server server;
  private final FormatMemory formats;
  private final MinuteBudget budget;
  private final double reserve;
  private final LongSupplier nanoTime;
  private final Question question;
  private final LongAdder allCalls;
  private MinuteBudget.Spent spent;

  private int calls;
  private int inputTokens;
  private int outputTokens;
  private boolean tokensKnown = true;

  /**
   * Makes a question ready to be asked.
   *
   * @param first what was taken from the budget for the first call
   * @param reserve of the budget, that the calls after the first leave untouched
   * @param allCalls counts along
   */
  Asking(
      ChatModel model,
      LlmSettings.Server server,
      FormatMemory formats,
      MinuteBudget budget,
      MinuteBudget.Spent first,
      double reserve,
      LongSupplier nanoTime,
      Question question,
      LongAdder allCalls) {
    this.model = model;
    this.server = server;
    this.formats = formats;
    this.budget = budget;
    this.spent = first;
    this.reserve = reserve;
    this.nanoTime = nanoTime;
    this.question = question;
    this.allCalls = allCalls;
  }

  /** What a call may cost at most, as far as can be told before. */
  static int tokens(Question question, LlmSettings.Server server) {
    return question.tokens() + server.answerTokensMax();
  }

  @Override
  public Vote call() {
    long start = nanoTime.getAsLong();
    List<ChatMessage> messages = new ArrayList<>(question.messages());
    String wrong = "";
    for (int answers = 0; answers < ANSWERS_MAX; answers++) {
      ChatResponse response = answered(messages);
      String content = content(response);
      try {
        Answer answer = Answer.read(content, question);
        return vote(answer, Duration.ofNanos(nanoTime.getAsLong() - start).toMillis());
      } catch (Answer.MalformedException e) {
        wrong = e.getMessage() + cutOff(response);
        tell(messages, content, wrong);
      }
    }
    throw new ChooserException(
        Why.MALFORMED,
        "the answer of model [%s] can't be used, the second time too: %s"
            .formatted(server.model(), wrong),
        null);
  }

  /** The answer in the strictest format that is taken, found by trying. */
  private ChatResponse answered(List<ChatMessage> messages) {
    AnswerFormat format = formats.strictest();
    List<AnswerFormat> refused = new ArrayList<>();
    while (true) {
      try {
        ChatResponse response = send(messages, format);
        refused.forEach(formats::refused);
        return response;
      } catch (ChooserException e) {
        throw e;
      } catch (RuntimeException e) {
        Optional<AnswerFormat> looser = format.looser();
        if (looser.isEmpty() || !Failures.mayBeTheFormat(e)) {
          throw Failures.of(e, server);
        }
        refused.add(format);
        format = looser.get();
      }
    }
  }

  private ChatResponse send(List<ChatMessage> messages, AnswerFormat format) {
    if (Thread.currentThread().isInterrupted()) {
      throw new ChooserException(Why.TIMED_OUT, "nobody waits for the answer any more", null);
    }
    if (spent == null) {
      spent =
          (calls < CALLS_MAX
                  ? budget.take(tokens(question, server), reserve)
                  : Optional.<MinuteBudget.Spent>empty())
              .orElseThrow(() -> overBudget(server));
    }
    MinuteBudget.Spent call = spent;
    spent = null;
    calls++;
    allCalls.increment();
    var request = ChatRequest.builder().messages(List.copyOf(messages));
    server.temperature().ifPresent(request::temperature);
    if (server.answerTokensMax() > 0) {
      request.maxOutputTokens(server.answerTokensMax());
    }
    format.of(question).ifPresent(request::responseFormat);
    ChatResponse response = model.chat(request.build());
    if (response == null) {
      throw new ChooserException(
          Why.FAILED, "model [%s] returned nothing".formatted(server.model()), null);
    }
    count(response.tokenUsage(), call);
    return response;
  }

  static ChooserException overBudget(LlmSettings.Server server) {
    return new ChooserException(
        Why.OVER_BUDGET,
        "model [%s] is not asked: the calls or tokens of this minute are spent; see %s.budget"
            .formatted(server.model(), LlmSettings.PATH),
        null);
  }

  private void count(TokenUsage usage, MinuteBudget.Spent call) {
    if (usage == null || usage.inputTokenCount() == null || usage.outputTokenCount() == null) {
      tokensKnown = false;
      return;
    }
    inputTokens += usage.inputTokenCount();
    outputTokens += usage.outputTokenCount();
    call.settle(usage.inputTokenCount() + usage.outputTokenCount());
  }

  private static String content(ChatResponse response) {
    String content = response.aiMessage() == null ? null : response.aiMessage().text();
    return content == null ? "" : content;
  }

  private String cutOff(ChatResponse response) {
    return response.finishReason() == FinishReason.LENGTH
        ? "; it was cut off at [%d] tokens".formatted(server.answerTokensMax())
        : "";
  }

  private void tell(List<ChatMessage> messages, String content, String wrong) {
    // an empty message, or two of one side in a row, is refused by some servers
    String repeated = Texts.head(content, BAD_ANSWER_CHARS_MAX);
    messages.add(AiMessage.from(repeated.isBlank() ? "(no answer)" : repeated));
    messages.add(
        UserMessage.from(
            "Your answer can't be used: %s. Answer again, with JSON and nothing else: {\"choice\": one of %s, \"reason\": at most 15 words}"
                .formatted(wrong, Json.line(question.choices()))));
  }

  private Vote vote(Answer answer, long latencyMillis) {
    return new Vote(
        answer.route(),
        answer.reason(),
        server.model(),
        calls,
        latencyMillis,
        tokensKnown ? OptionalInt.of(inputTokens) : OptionalInt.empty(),
        tokensKnown ? OptionalInt.of(outputTokens) : OptionalInt.empty());
  }
}
