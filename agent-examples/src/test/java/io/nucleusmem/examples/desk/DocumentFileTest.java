package io.nucleusmem.examples.desk;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class DocumentFileTest {

  private static final String TEXT = "Größe: 4 – 5 € und ein „Wort“.\n";

  static Stream<Arguments> encodings() {
    return Stream.of(
        Arguments.of(TEXT.getBytes(UTF_8), "UTF-8"),
        Arguments.of(("\uFEFF" + TEXT).getBytes(UTF_8), "UTF-8 with byte order mark"),
        Arguments.of(("\uFEFF" + TEXT).getBytes(UTF_16LE), "UTF-16LE"),
        Arguments.of(("\uFEFF" + TEXT).getBytes(UTF_16BE), "UTF-16BE"),
        Arguments.of(TEXT.getBytes(UTF_16LE), "UTF-16LE without byte order mark"),
        Arguments.of(TEXT.getBytes(UTF_16BE), "UTF-16BE without byte order mark"),
        Arguments.of(TEXT.getBytes(Charset.forName("windows-1252")), "Latin-1 (windows-1252)"));
  }

  @ParameterizedTest
  @MethodSource("encodings")
  void readsTheSameTextInAnyEncoding(byte[] bytes, String encoding) {
    var document = (Reading.Document) DocumentFile.of("a.txt", bytes);
    assertThat(document.text()).isEqualTo(TEXT);
    assertThat(document.encoding()).isEqualTo(encoding);
    assertThat(document.bytes()).isEqualTo(bytes.length);
    assertThat(document.hash()).hasSize(64);
  }

  @Test
  void emptyAndBlankFilesAreNamedSo() {
    assertThat(reason(new byte[0])).isEqualTo("empty: 0 bytes");
    assertThat(reason(" \n\t".getBytes(UTF_8))).startsWith("empty: nothing but white space");
    assertThat(reason(new byte[] {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF})).startsWith("empty");
  }

  @Test
  void binaryFilesAreLeftOut() {
    byte[] random = new byte[4_096];
    new Random(1).nextBytes(random);
    assertThat(reason(random)).startsWith("binary");
    assertThat(reason("ELF\0\0\1 and some words".getBytes(ISO_8859_1))).startsWith("binary");
    assertThat(reason("\u0001\u0002\u0003abc".getBytes(UTF_8))).startsWith("binary");
    byte[] lateZero = "text ".repeat(20_000).getBytes(UTF_8);
    lateZero[90_000] = 0;
    assertThat(reason(lateZero)).startsWith("binary");
  }

  @Test
  void textInAScriptThatLatin1WouldGarbleIsLeftOut() {
    assertThat(reason("Привет, как дела".getBytes(Charset.forName("KOI8-R"))))
        .contains("encoding other than");
  }

  @Test
  void aMissingFileIsAReasonAndNoFailure(@TempDir Path folder) {
    assertThat(DocumentFile.read(folder.resolve("gone.md"), "gone.md"))
        .isInstanceOfSatisfying(
            Reading.LeftOut.class, r -> assertThat(r.reason()).startsWith("unreadable"));
  }

  @Test
  void fiveMegabytesAreReadAndMoreThanTheLimitIsNot(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("big.txt"), "0123456789".repeat(5 << 17));
    assertThat(DocumentFile.read(file, "big.txt")).isInstanceOf(Reading.Document.class);

    try (var larger = new java.io.RandomAccessFile(file.toFile(), "rw")) {
      larger.setLength(DocumentFile.BYTES_MAX + 1);
    }
    assertThat(DocumentFile.read(file, "big.txt"))
        .isInstanceOfSatisfying(
            Reading.LeftOut.class, r -> assertThat(r.reason()).startsWith("too large"));
  }

  private static String reason(byte[] bytes) {
    return ((Reading.LeftOut) DocumentFile.of("a.txt", bytes)).reason();
  }
}
