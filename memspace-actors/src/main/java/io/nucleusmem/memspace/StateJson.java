package io.nucleusmem.memspace;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.nucleusmem.store.Bytes;
import java.io.IOException;

/**
 * Rows of state as JSON: what a space stores of itself can be read by a person, and a field can be
 * added. A field is never renamed: rows are stored for ever.
 */
public final class StateJson {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES) // a newer version's field
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(
                  JsonInclude.Include.NON_NULL, JsonInclude.Include.NON_NULL))
          .build();

  private StateJson() {}

  /** The row of a record. */
  public static Bytes encode(Object row) {
    try {
      return Bytes.wrap(MAPPER.writeValueAsBytes(row));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "cannot write [" + row.getClass().getName() + "] as JSON", e);
    }
  }

  /** The record of a row. */
  public static <T> T decode(Bytes row, Class<T> type) {
    try {
      return MAPPER.readValue(row.shared(), type);
    } catch (IOException e) {
      throw new IllegalStateException(
          "stored row is no [" + type.getName() + "]: " + row.utf8(), e);
    }
  }
}
