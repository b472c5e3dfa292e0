package io.nucleusmem.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.store.Bytes;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * JSON as the contract has it: snake_case, instants as RFC 3339 UTC with milliseconds, nothing
 * guessed: an unknown field, a duplicate one, text for a number or anything behind the document is
 * refused by name.
 */
final class Json {
  private static final DateTimeFormatter INSTANT =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .addModule(new Jdk8Module())
          .addModule(new JavaTimeModule())
          .addModule(new SimpleModule().addSerializer(new InstantSerializer()))
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .withCoercionConfig(
              LogicalType.Textual,
              text ->
                  text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                      .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                      .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
          .build();

  private static final ObjectMapper ASCII =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  private Json() {}

  static final class InstantSerializer extends StdSerializer<Instant> {
    private static final long serialVersionUID = 1L;

    InstantSerializer() {
      super(Instant.class);
    }

    @Override
    public void serialize(Instant instant, JsonGenerator json, SerializerProvider provider)
        throws IOException {
      json.writeString(format(instant));
    }
  }

  /** RFC 3339 in UTC, always with three digits of a second's fraction. */
  static String format(Instant instant) {
    return INSTANT.format(instant);
  }

  /** A body's bytes. */
  static byte[] write(Object body) {
    try {
      return MAPPER.writeValueAsBytes(body);
    } catch (JsonProcessingException e) {
      throw new MemSpaceException(
          ErrorCode.INTERNAL, "the answer cannot be written as JSON", Map.of(), e);
    }
  }

  /** One line of ASCII, as a header takes it. */
  static String line(Map<String, String> values) {
    try {
      return ASCII.writeValueAsString(values);
    } catch (JsonProcessingException e) {
      throw new MemSpaceException(
          ErrorCode.INTERNAL, "metadata cannot be written as JSON", Map.of(), e);
    }
  }

  /**
   * Reads a record.
   *
   * @param what for the message of a refusal, such as {@code body}
   */
  static <T> T read(String what, Bytes json, Class<T> type) {
    T value;
    try {
      value = MAPPER.readValue(json.shared(), type);
    } catch (IOException e) {
      throw refusal(what, e);
    }
    if (value == null) {
      throw MemSpaceException.invalid(what, "null", "a JSON object");
    }
    return value;
  }

  /** Reads a flat object of texts. */
  static Map<String, String> readTexts(String what, String json) {
    Map<?, ?> read = read(what, Bytes.utf8(json), Map.class);
    return read.entrySet().stream()
        .collect(
            Collectors.toMap(
                entry -> String.valueOf(entry.getKey()),
                entry -> {
                  if (entry.getValue() instanceof String text) {
                    return text;
                  }
                  throw MemSpaceException.invalid(
                      what + "." + entry.getKey(), entry.getValue(), "text");
                }));
  }

  /** A document as it came, in its shortest form; for values that stay JSON. */
  static String text(Object value) {
    return Bytes.wrap(write(value)).utf8();
  }

  private static MemSpaceException refusal(String what, IOException failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof MemSpaceException known) {
        return known;
      }
    }
    if (failure instanceof UnrecognizedPropertyException unknown) {
      String accepted =
          unknown.getKnownPropertyIds() == null
              ? "none"
              : unknown.getKnownPropertyIds().stream()
                  .map(String::valueOf)
                  .sorted()
                  .collect(Collectors.joining(", "));
      String field = pathOf(unknown);
      return new MemSpaceException(
          ErrorCode.INVALID_REQUEST,
          "unknown field [%s] in the %s; accepted: %s".formatted(field, what, accepted),
          Map.of("field", field, "accepted", accepted));
    }
    if (failure instanceof MismatchedInputException mismatch) {
      String field = mismatch.getPath().isEmpty() ? what : pathOf(mismatch);
      String accepted = accepted(mismatch.getTargetType());
      return new MemSpaceException(
          ErrorCode.INVALID_REQUEST,
          "[%s] of the %s is not %s".formatted(field, what, accepted),
          Map.of("field", field, "accepted", accepted));
    }
    String place =
        failure instanceof JsonProcessingException json && json.getLocation() != null
            ? " at line %d, column %d"
                .formatted(json.getLocation().getLineNr(), json.getLocation().getColumnNr())
            : "";
    String reason =
        failure instanceof JsonProcessingException json
            ? json.getOriginalMessage()
            : failure.getMessage();
    return new MemSpaceException(
        ErrorCode.INVALID_REQUEST,
        "the %s is no JSON document%s: %s".formatted(what, place, reason),
        Map.of("field", what, "accepted", "a JSON object"));
  }

  private static String pathOf(JsonMappingException failure) {
    StringBuilder path = new StringBuilder();
    for (JsonMappingException.Reference step : failure.getPath()) {
      if (step.getFieldName() == null) {
        path.append('[').append(step.getIndex()).append(']');
      } else {
        path.append(path.isEmpty() ? "" : ".").append(step.getFieldName());
      }
    }
    return path.toString();
  }

  private static String accepted(Class<?> type) {
    if (type == null) {
      return "as the contract has it";
    }
    if (type == String.class) {
      return "a text";
    }
    if (type == boolean.class || type == Boolean.class) {
      return "true or false";
    }
    if (Number.class.isAssignableFrom(type) || type.isPrimitive()) {
      return "a whole number";
    }
    if (Iterable.class.isAssignableFrom(type)) {
      return "a list";
    }
    return "a JSON object";
  }
}
