package io.nucleusmem.http;

import io.nucleusmem.memspace.MemSpaceException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Percent-encoding of paths and queries: UTF-8, strict, so that no two keys fall together. */
final class Percent {
  private static final String UNRESERVED = "-._~";

  private Percent() {}

  /**
   * Decodes.
   *
   * @param field for the message of a refusal
   * @param plusIsSpace true in a query, false in a path
   */
  static String decode(String field, String encoded, boolean plusIsSpace) {
    if (encoded.indexOf('%') < 0 && !(plusIsSpace && encoded.indexOf('+') >= 0)) {
      return encoded;
    }
    byte[] in = encoded.getBytes(StandardCharsets.UTF_8);
    byte[] out = new byte[in.length];
    int length = 0;
    for (int i = 0; i < in.length; i++) {
      if (in[i] == '%') {
        int high = i + 2 <= in.length - 1 ? Character.digit(in[i + 1], 16) : -1;
        int low = i + 2 <= in.length - 1 ? Character.digit(in[i + 2], 16) : -1;
        if (high < 0 || low < 0) {
          throw malformed(field, encoded);
        }
        out[length++] = (byte) (high << 4 | low);
        i += 2;
      } else {
        out[length++] = in[i] == '+' && plusIsSpace ? (byte) ' ' : in[i];
      }
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(out, 0, length)).toString();
    } catch (CharacterCodingException e) {
      throw malformed(field, encoded);
    }
  }

  /** Encodes a path; {@code /} stays. */
  static String encodePath(String path) {
    StringBuilder encoded = new StringBuilder(path.length() + 16);
    for (byte b : path.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xFF);
      if (isPlain(c) || c == '/') {
        encoded.append(c);
      } else {
        encoded.append("%%%02X".formatted((int) c));
      }
    }
    return encoded.toString();
  }

  private static boolean isPlain(char c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || UNRESERVED.indexOf(c) >= 0;
  }

  private static MemSpaceException malformed(String field, String encoded) {
    return MemSpaceException.invalid(field, encoded, "percent-encoded UTF-8");
  }
}
