package io.nucleusmem.routing.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerTest {
  private static final Question QUESTION =
      Question.of("where is it", Given.OPTIONS, Settings.with().prompt());

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"choice\": \"B\", \"reason\": \"a parcel\"}",
        "Sure! Here it is:\n```json\n{\"choice\":\"B\",\"reason\":\"a parcel\"}\n```\nAnything else?",
        "{\"reason\":\"a parcel\",\"choice\":\" b \",\"confidence\":0.9}",
        "I see {braces} and {\"other\": {}} {\"choice\":\"B\",\"reason\":\"a parcel\"}",
        "<think>{\"choice\":\"A\"}? No.</think>{\"choice\":\"B\",\"reason\":\"a parcel\"}",
        "{\"choice\":\"B\",\"reason\":\"a parcel\"}{\"choice\":\"B\",\"reason\":\"again\"}",
      })
  void aChoiceIsFoundWhateverIsAroundIt(String content) throws Exception {
    Answer answer = Answer.read(content, QUESTION);

    assertThat(answer.route()).contains("shipping");
    assertThat(answer.reason()).isEqualTo("a parcel");
  }

  @Test
  void noneIsAChoiceAndAReasonIsNotNeeded() throws Exception {
    Answer answer = Answer.read("{\"choice\":\"None\"}", QUESTION);

    assertThat(answer.route()).isEmpty();
    assertThat(answer.reason()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "B | no JSON object",
        "{\"choice\": \"B | no JSON object",
        "{\"answer\": \"B\"} | no JSON object",
        "[\"B\"] | no JSON object",
        "{\"choice\":\"B\",\"choice\":\"A\"} | no JSON object",
        "{\"choice\":\"D\"} | must be one of [\"A\",\"B\",\"C\",\"none\"]",
        "{\"choice\":\"shipping\"} | must be one of",
        "{\"choice\":\"\"} | must be one of",
        "{\"choice\":2} | must be one of",
        "{\"choice\":null} | must be one of",
        "{\"choice\":[\"A\"]} | must be one of",
        "{\"choice\":\"A\"} or rather {\"choice\":\"B\"} | several choices",
      })
  void whatIsNoChoiceIsNotTaken(String content, String message) {
    assertThatThrownBy(() -> Answer.read(content, QUESTION))
        .isInstanceOf(Answer.MalformedException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", " \n"})
  void anEmptyAnswerIsNone(String content) {
    assertThatThrownBy(() -> Answer.read(content, QUESTION))
        .isInstanceOf(Answer.MalformedException.class)
        .hasMessage("it was empty");
  }

  @Test
  void anEndlessAnswerIsNotSearched() {
    assertThatThrownBy(() -> Answer.read("{".repeat(1_000_000), QUESTION))
        .hasMessageContaining("[1000000] characters");
    assertThatThrownBy(() -> Answer.read("{\"a\":".repeat(4_000), QUESTION))
        .hasMessageContaining("no JSON object");
  }
}
