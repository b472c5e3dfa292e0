package io.nucleusmem.routing.llm;

import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import java.util.Optional;

/** How strictly the server is asked to keep to the format of an answer; the strictest first. */
enum AnswerFormat {
  JSON_SCHEMA,
  JSON_OBJECT,
  PLAIN;

  /** The next that asks for less. */
  Optional<AnswerFormat> looser() {
    return this == PLAIN ? Optional.empty() : Optional.of(values()[ordinal() + 1]);
  }

  /** As langchain4j sends it; empty: nothing is sent. */
  Optional<ResponseFormat> of(Question question) {
    return switch (this) {
      case JSON_SCHEMA ->
          Optional.of(
              ResponseFormat.builder()
                  .type(ResponseFormatType.JSON)
                  .jsonSchema(
                      JsonSchema.builder().name("choice").rootElement(schema(question)).build())
                  .build());
      case JSON_OBJECT -> Optional.of(ResponseFormat.JSON);
      case PLAIN -> Optional.empty();
    };
  }

  private static JsonObjectSchema schema(Question question) {
    return JsonObjectSchema.builder()
        .addEnumProperty("choice", question.choices())
        .addStringProperty("reason")
        .required("choice", "reason")
        .additionalProperties(false)
        .build();
  }
}
