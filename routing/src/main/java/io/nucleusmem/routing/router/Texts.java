package io.nucleusmem.routing.router;

import io.nucleusmem.memspace.Content;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * What the router reads of a message.
 *
 * @param text empty if it is none
 * @param cut true if there is more of it
 */
record Texts(String text, boolean cut) {
  /** Of a message: its value if that is text, JSON or well-formed UTF-8 of no declared type. */
  static Texts of(Content content, int charsMax) {
    String type = content.contentType().toLowerCase(Locale.ROOT).split(";", 2)[0].trim();
    boolean readable =
        type.startsWith("text/")
            || type.equals(Content.JSON)
            || type.endsWith("+json")
            || type.equals(Content.BINARY);
    if (!readable) {
      return new Texts("", false);
    }
    try {
      return of(
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(content.value().shared()))
              .toString(),
          charsMax);
    } catch (CharacterCodingException e) {
      return new Texts("", false);
    }
  }

  /** The beginning of a text; no half of a surrogate pair stands at its end. */
  static Texts of(String text, int charsMax) {
    if (text.length() <= charsMax) {
      return new Texts(text, false);
    }
    int end = Character.isHighSurrogate(text.charAt(charsMax - 1)) ? charsMax - 1 : charsMax;
    return new Texts(text.substring(0, end), true);
  }

  boolean isBlank() {
    return text.isBlank();
  }
}
