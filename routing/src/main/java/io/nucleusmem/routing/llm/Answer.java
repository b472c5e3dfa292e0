package io.nucleusmem.routing.llm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a model chose.
 *
 * @param route empty: none of those that were offered
 * @param reason in the model's words, in part if long; may be empty
 */
record Answer(Optional<String> route, String reason) {

  private static final int ANSWER_CHARS_MAX = 20_000; // a longer one is no answer to our question
  private static final int REASON_CHARS_MAX = 300;
  private static final int SHOWN_CHARS_MAX = 100;

  /** What a model thinks aloud before it answers; it may hold drafts of an answer. */
  private static final Pattern THOUGHT = Pattern.compile("(?s)\\A\\s*<think>.*?</think>");

  /** The answer is not what was asked for; the message tells the model what is wrong with it. */
  static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedException(String message) {
      super(message);
    }
  }

  /**
   * Checks an answer. Prose around the JSON is overlooked; two different choices are not: a model
   * that quotes the message may quote a choice that the message asks for.
   *
   * @param content null or empty where the server sent none
   */
  static Answer read(String content, Question question) throws MalformedException {
    if (content == null || content.isBlank()) {
      throw new MalformedException("it was empty");
    }
    if (content.length() > ANSWER_CHARS_MAX) {
      throw new MalformedException(
          "it had [%d] characters, at most [%d] are read"
              .formatted(content.length(), ANSWER_CHARS_MAX));
    }
    String answer = THOUGHT.matcher(content).replaceFirst("");
    List<JsonNode> objects =
        Json.objects(answer, 10).stream().filter(object -> object.has("choice")).toList();
    if (objects.isEmpty()) {
      throw new MalformedException("it had no JSON object with a \"choice\": " + shown(answer));
    }
    JsonNode first = objects.get(0);
    for (JsonNode object : objects) {
      if (!object.get("choice").equals(first.get("choice"))) {
        throw new MalformedException("it had several choices: " + shown(answer));
      }
    }
    return new Answer(route(first.get("choice"), question), reason(first));
  }

  private static Optional<String> route(JsonNode choice, Question question)
      throws MalformedException {
    if (choice.isTextual()) {
      String label = choice.textValue().strip();
      if (label.equalsIgnoreCase(Question.NONE)) {
        return Optional.empty();
      }
      for (var route : question.routes().entrySet()) {
        if (route.getKey().equalsIgnoreCase(label)) {
          return Optional.of(route.getValue());
        }
      }
    }
    throw new MalformedException(
        "\"choice\" was %s; it must be one of %s"
            .formatted(shown(choice.toString()), Json.line(question.choices())));
  }

  private static String reason(JsonNode answer) {
    JsonNode reason = answer.get("reason");
    return reason != null && reason.isTextual()
        ? Texts.head(Texts.visible(reason.textValue()), REASON_CHARS_MAX)
        : "";
  }

  private static String shown(String text) {
    String visible = Texts.visible(Texts.head(text, SHOWN_CHARS_MAX));
    return visible.length() < text.strip().length() ? visible + "…" : visible;
  }
}
