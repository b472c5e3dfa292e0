package io.nucleusmem.examples.desk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Reads one file as text, whatever encoding it is in.
 *
 * <p>In this order: a byte order mark decides; text full of zero bytes at every other place is
 * UTF-16 without one; another zero byte makes it binary; what decodes as UTF-8 is that; the rest is
 * Windows-1252 (Latin-1 with quotation marks), unless it has control characters, which no text has,
 * or is mostly above ASCII: then it is in a script that Windows-1252 would garble.
 */
final class DocumentFile {

  /** A larger file is left out: its syntax tree would take a few hundred MiB of heap. */
  static final long BYTES_MAX = 16L << 20;

  private static final Charset WINDOWS_1252 = Charset.forName("windows-1252");
  private static final int SAMPLE_BYTES = 64 << 10;

  private record Decoded(String text, String encoding) {}

  private DocumentFile() {}

  /** Reads a file; never fails: what goes wrong is the reason for leaving it out. */
  static Reading read(Path file, String path) {
    try {
      long size = Files.size(file);
      if (size > BYTES_MAX) {
        return new Reading.LeftOut(
            path, "too large: %d bytes; at most %d are read".formatted(size, BYTES_MAX));
      }
      return of(path, Files.readAllBytes(file));
    } catch (AccessDeniedException e) {
      return new Reading.LeftOut(path, "unreadable: permission denied");
    } catch (NoSuchFileException e) {
      return new Reading.LeftOut(path, "unreadable: it is gone, or a link that leads nowhere");
    } catch (IOException e) {
      return new Reading.LeftOut(path, "unreadable: " + e.getMessage());
    }
  }

  /** The same for bytes that are read already. */
  static Reading of(String path, byte[] bytes) {
    if (bytes.length == 0) {
      return new Reading.LeftOut(path, "empty: 0 bytes");
    }
    Optional<Decoded> decoded = decode(bytes);
    if (decoded.isEmpty()) {
      return new Reading.LeftOut(
          path, "binary, or in an encoding other than UTF-8, UTF-16 and Latin-1");
    }
    String text = decoded.get().text();
    if (text.isBlank()) {
      return new Reading.LeftOut(path, "empty: nothing but white space");
    }
    return new Reading.Document(path, text, decoded.get().encoding(), bytes.length, sha256(bytes));
  }

  private static Optional<Decoded> decode(byte[] bytes) {
    if (startsWith(bytes, 0xEF, 0xBB, 0xBF)) {
      return strictly(bytes, 3, StandardCharsets.UTF_8, "UTF-8 with byte order mark");
    }
    if (startsWith(bytes, 0xFF, 0xFE)) {
      return strictly(bytes, 2, StandardCharsets.UTF_16LE, "UTF-16LE");
    }
    if (startsWith(bytes, 0xFE, 0xFF)) {
      return strictly(bytes, 2, StandardCharsets.UTF_16BE, "UTF-16BE");
    }
    int even = 0;
    int odd = 0;
    int sample = Math.min(bytes.length, SAMPLE_BYTES);
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        if (i >= sample) {
          return Optional.empty();
        }
        even += i % 2 == 0 ? 1 : 0;
        odd += i % 2;
      } else if (i >= sample && even + odd > 0) {
        break; // the sample alone decides about UTF-16
      }
    }
    if (odd > sample / 4 && even <= odd / 20) {
      return strictly(bytes, 0, StandardCharsets.UTF_16LE, "UTF-16LE without byte order mark");
    }
    if (even > sample / 4 && odd <= even / 20) {
      return strictly(bytes, 0, StandardCharsets.UTF_16BE, "UTF-16BE without byte order mark");
    }
    if (even + odd > 0) {
      return Optional.empty();
    }
    Optional<Decoded> utf8 = strictly(bytes, 0, StandardCharsets.UTF_8, "UTF-8");
    if (utf8.isPresent()) {
      return utf8;
    }
    long high = countHigh(bytes);
    return high > bytes.length * 3L / 10
        ? Optional.empty()
        : strictly(bytes, 0, WINDOWS_1252, "Latin-1 (windows-1252)");
  }

  /** Empty where the bytes do not fit the charset, or are no text in it. */
  private static Optional<Decoded> strictly(
      byte[] bytes, int from, Charset charset, String encoding) {
    try {
      String text =
          charset
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(bytes, from, bytes.length - from))
              .toString();
      long controls = text.chars().filter(DocumentFile::isControl).count();
      return controls > text.length() / 100
          ? Optional.empty()
          : Optional.of(new Decoded(text, encoding));
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  private static boolean isControl(int c) {
    return (c < 0x20 && "\t\n\r\f\b\u001b".indexOf(c) < 0) || c == 0xFFFE || c == 0xFFFF;
  }

  private static long countHigh(byte[] bytes) {
    long high = 0;
    for (byte b : bytes) {
      high += b < 0 ? 1 : 0;
    }
    return high;
  }

  private static boolean startsWith(byte[] bytes, int... mark) {
    return bytes.length >= mark.length
        && Arrays.equals(Arrays.copyOf(bytes, mark.length), toBytes(mark));
  }

  private static byte[] toBytes(int[] mark) {
    byte[] bytes = new byte[mark.length];
    for (int i = 0; i < mark.length; i++) {
      bytes[i] = (byte) mark[i];
    }
    return bytes;
  }

  /** SHA-256 in hexadecimal. */
  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
