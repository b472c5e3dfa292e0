package io.nucleusmem.examples.desk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.examples.desk.Desk.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class AnalysisTest {

  private static final String TEXT = "The desk took 17 ms on the day when it was opened for all.";

  /** Answers by a function of the prompt, and keeps the prompts. */
  static final class ScriptedModel implements ChatModel {
    final List<String> prompts = new ArrayList<>();
    private final UnaryOperator<String> answer;

    ScriptedModel(UnaryOperator<String> answer) {
      this.answer = answer;
    }

    @Override
    public ChatResponse doChat(ChatRequest request) {
      String prompt = ((UserMessage) request.messages().get(0)).singleText();
      prompts.add(prompt);
      return ChatResponse.builder().aiMessage(AiMessage.from(answer.apply(prompt))).build();
    }
  }

  @Test
  void withoutAModelTheKeySentencesAreTheResult() {
    Result result = new Analysis(Optional.empty()).of(task(1, ""), "analyst-1", TEXT);
    assertThat(result.method()).isEqualTo(Result.EXTRACT);
    assertThat(result.extraction().keySentences()).containsExactly(TEXT);
    assertThat(result.note()).isEmpty();
  }

  @Test
  void withAModelItsSummaryIs() {
    var model = new ScriptedModel(prompt -> " It took 17 ms, or 18.5. ");
    Result result = analysis(model).of(task(1, ""), "analyst-1", TEXT);
    assertThat(result.method()).isEqualTo("llm scripted");
    assertThat(result.summary()).isEqualTo("It took 17 ms, or 18.5.");
    assertThat(result.unsupported()).containsExactly("18.5");
    assertThat(model.prompts).singleElement().asString().contains(TEXT);
  }

  @Test
  void theReasonForASecondRoundReachesTheModel() {
    var model = new ScriptedModel(prompt -> "Better.");
    analysis(model).of(task(2, "the summary is empty"), "analyst-1", TEXT);
    assertThat(model.prompts.get(0)).contains("sent back: the summary is empty.");
  }

  @Test
  void aModelThatFailsIsNamedAndTheExtractTakesItsPlace() {
    var model =
        new ScriptedModel(
            prompt -> {
              throw new IllegalStateException("no\nconnection");
            });
    Result result = analysis(model).of(task(1, ""), "analyst-1", TEXT);
    assertThat(result.method()).isEqualTo(Result.EXTRACT);
    assertThat(result.extraction().keySentences()).containsExactly(TEXT);
    assertThat(result.note())
        .isEqualTo(
            "no summary by model scripted (IllegalStateException: no connection), key sentences"
                + " instead");
  }

  @Test
  void aLongTextIsShownInPart() {
    var model = new ScriptedModel(prompt -> "Long.");
    analysis(model).of(task(1, ""), "analyst-1", (TEXT + "\n\n").repeat(1_000));
    assertThat(model.prompts.get(0)).contains("Only its beginning").hasSizeLessThan(14_000);
  }

  private static Analysis analysis(ChatModel model) {
    return new Analysis(Optional.of(new Summarizer(model, "scripted")));
  }

  private static Task task(int round, String reason) {
    return new Task("a.md", Results.HASH, round, reason);
  }
}
