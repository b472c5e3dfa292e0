package io.nucleusmem.cli.evaluate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads CSV files with the header {@code text,route} (RFC 4180, UTF-8, with or without a byte order
 * mark, lines ended by LF or CRLF). Other columns are skipped, so are empty lines.
 */
final class LabelledTexts {
  private static final long FILE_BYTES_MAX = 256L << 20;
  private static final String TEXT = "text";
  private static final String ROUTE = "route";

  private final Path file;
  private final String source;
  private int at;
  private int line = 1;

  /**
   * @param line where it begins, from 1
   */
  record Row(String text, String route, int line) {}

  private LabelledTexts(Path file, String source) {
    this.file = file;
    this.source = source;
  }

  /**
   * Reads a file.
   *
   * @throws IllegalArgumentException with the file and the line that cannot be understood
   */
  static List<Row> read(Path file) throws IOException {
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new IllegalArgumentException(
          "[%s]: there is no such file that can be read".formatted(file));
    }
    if (Files.size(file) > FILE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "[%s] has [%d] bytes; at most [%d] are read"
              .formatted(file, Files.size(file), FILE_BYTES_MAX));
    }
    try {
      String source =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
              .toString();
      return new LabelledTexts(file, source.startsWith("\uFEFF") ? source.substring(1) : source)
          .rows();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("[%s] is not UTF-8".formatted(file), e);
    }
  }

  private List<Row> rows() {
    List<String> header = at < source.length() ? record() : List.of();
    int text = header.indexOf(TEXT);
    int route = header.indexOf(ROUTE);
    if (text < 0 || route < 0) {
      throw wrong(1, "the header is " + header + "; it must have the columns text and route");
    }
    List<Row> rows = new ArrayList<>();
    while (at < source.length()) {
      int begin = line;
      List<String> fields = record();
      if (fields.size() == 1 && fields.get(0).isEmpty()) {
        continue;
      }
      if (fields.size() != header.size()) {
        throw wrong(
            begin,
            "[%d] fields; the header has [%d]. A text with a comma must stand in double quotes"
                .formatted(fields.size(), header.size()));
      }
      if (fields.get(text).isBlank() || fields.get(route).isBlank()) {
        throw wrong(begin, "the text or the route is empty; both are needed");
      }
      rows.add(new Row(fields.get(text), fields.get(route).strip(), begin));
    }
    if (rows.isEmpty()) {
      throw wrong(line, "there is no row behind the header");
    }
    return rows;
  }

  private List<String> record() {
    List<String> fields = new ArrayList<>();
    while (true) {
      fields.add(at < source.length() && source.charAt(at) == '"' ? quoted() : plain());
      if (at >= source.length()) {
        return fields;
      }
      char end = source.charAt(at++);
      if (end == ',') {
        continue;
      }
      if (end == '\r' && at < source.length() && source.charAt(at) == '\n') {
        at++;
      }
      line++;
      return fields;
    }
  }

  private String plain() {
    int begin = at;
    while (at < source.length() && ",\r\n".indexOf(source.charAt(at)) < 0) {
      if (source.charAt(at) == '"') {
        throw wrong(
            line,
            "a double quote inside a field; such a field must stand in quotes, and \" as \"\"");
      }
      at++;
    }
    return source.substring(begin, at);
  }

  private String quoted() {
    int begin = line;
    StringBuilder field = new StringBuilder();
    at++;
    while (at < source.length()) {
      char c = source.charAt(at++);
      if (c != '"') {
        line += c == '\n' ? 1 : 0;
        field.append(c);
      } else if (at < source.length() && source.charAt(at) == '"') {
        field.append(c);
        at++;
      } else if (at < source.length() && ",\r\n".indexOf(source.charAt(at)) < 0) {
        throw wrong(
            line,
            "[%s] behind a closing quote; a comma or the end of the line must follow"
                .formatted(source.charAt(at)));
      } else {
        return field.toString();
      }
    }
    throw wrong(begin, "the quote that opens here is never closed");
  }

  private IllegalArgumentException wrong(int where, String what) {
    return new IllegalArgumentException("[%s] line %d: %s".formatted(file, where, what));
  }
}
