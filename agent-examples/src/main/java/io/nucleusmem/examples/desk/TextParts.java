package io.nucleusmem.examples.desk;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Cuts a text into parts that fit into a value, and never through a character. */
final class TextParts {

  /** Well below the 1 MiB of a value, so that five fit into a batch of 4 MiB. */
  static final int BYTES_MAX = 768 << 10;

  private TextParts() {}

  /** The parts, in order; joined they are the text. */
  static List<String> of(String text) {
    return of(text, BYTES_MAX);
  }

  /**
   * Parts of a text.
   *
   * @param bytesMax of UTF-8 in a part; at least 4
   */
  static List<String> of(String text, int bytesMax) {
    if (text.length() <= bytesMax / 3) {
      return List.of(text);
    }
    var parts = new ArrayList<String>();
    int start = 0;
    int bytes = 0;
    for (int i = 0; i < text.length(); ) {
      int codePoint = text.codePointAt(i);
      int size = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
      if (bytes + size > bytesMax) {
        parts.add(text.substring(start, i));
        start = i;
        bytes = 0;
      }
      bytes += size;
      i += Character.charCount(codePoint);
    }
    parts.add(text.substring(start));
    return parts;
  }

  /** Bytes of a part as it is stored. */
  static int bytes(String part) {
    return part.getBytes(StandardCharsets.UTF_8).length;
  }
}
