package io.nucleusmem.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.store.Bytes;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;

/**
 * A value inside of JSON: text and JSON as a string, everything else in base64. Exactly one of the
 * two is there.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record ValueJson(String value, String valueBase64) {

  static ValueJson of(Content content) {
    if (isTextual(content.contentType())) {
      try {
        return new ValueJson(
            StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(content.value().shared()))
                .toString(),
            null);
      } catch (CharacterCodingException e) {
        // says to be text and is none: its bytes must survive
        return new ValueJson(null, base64(content.value()));
      }
    }
    return new ValueJson(null, base64(content.value()));
  }

  /** The bytes that a request gives in one of its two fields. */
  static Bytes bytes(String field, String value, String valueBase64) {
    if ((value == null) == (valueBase64 == null)) {
      throw MemSpaceException.invalid(
          field + "value",
          value == null ? "absent" : "given twice",
          "either value (text) or value_base64");
    }
    if (value != null) {
      return Bytes.utf8(value);
    }
    try {
      return Bytes.wrap(Base64.getDecoder().decode(valueBase64));
    } catch (IllegalArgumentException e) {
      throw MemSpaceException.invalid(field + "value_base64", abbreviate(valueBase64), "base64");
    }
  }

  private static boolean isTextual(String contentType) {
    String type = contentType.toLowerCase(Locale.ROOT).split(";", 2)[0].trim();
    return type.startsWith("text/") || type.equals("application/json") || type.endsWith("+json");
  }

  private static String base64(Bytes bytes) {
    return Base64.getEncoder().encodeToString(bytes.shared());
  }

  private static String abbreviate(String text) {
    return text.length() <= 48 ? text : text.substring(0, 48) + "…";
  }
}
