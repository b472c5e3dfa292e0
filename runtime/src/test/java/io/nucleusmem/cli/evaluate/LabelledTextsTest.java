package io.nucleusmem.cli.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LabelledTextsTest {
  @TempDir Path dir;

  @Test
  void plainRows() throws Exception {
    assertThat(read("text,route\nhello there,greeting\nbye,farewell"))
        .containsExactly(row("hello there", "greeting", 2), row("bye", "farewell", 3));
  }

  @Test
  void quotesCommasAndLineBreaksInFields() throws Exception {
    assertThat(read("text,route\n\"one, two\",\"a b\"\n\"say \"\"hi\"\"\nnow\",c\nlast,d\n"))
        .containsExactly(
            row("one, two", "a b", 2), row("say \"hi\"\nnow", "c", 3), row("last", "d", 5));
  }

  @Test
  void byteOrderMarkAndWindowsLineEnds() throws Exception {
    assertThat(read("\uFEFFtext,route\r\nhello,a\r\n\r\n\"x\",b\r\n"))
        .containsExactly(row("hello", "a", 2), row("x", "b", 4));
  }

  @Test
  void otherColumnsAreSkippedInAnyOrder() throws Exception {
    assertThat(read("id,route,text\n1,a,hello\n")).containsExactly(row("hello", "a", 2));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "text,category\\nx,y|line 1: the header is [text, category]",
        "text,route\\n|there is no row",
        "text,route\\nx,y\\na,b,c|line 3: [3] fields",
        "text,route\\nx,y\\nalone|line 3: [1] fields",
        "text,route\\nx,y\\n\"never closed,z|line 3: the quote that opens here",
        "text,route\\n\"x\"y,z|line 2: [y] behind a closing quote",
        "text,route\\nx \"y\",z|line 2: a double quote inside",
        "text,route\\n ,z|line 2: the text or the route is empty",
        "text,route\\nx,|line 2: the text or the route is empty",
      })
  void whatCannotBeUnderstoodIsNamedWithItsLine(String source, String message) {
    assertThatThrownBy(() -> read(source.replace("\\n", "\n")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("labelled.csv")
        .hasMessageContaining(message);
  }

  @Test
  void anEmptyFileAFileThatIsNotThereAndOneInAnotherEncoding() throws Exception {
    assertThatThrownBy(() -> read("")).hasMessageContaining("line 1: the header is []");
    assertThatThrownBy(() -> LabelledTexts.read(dir.resolve("none.csv")))
        .hasMessageContaining("no such file");
    Path latin = dir.resolve("latin.csv");
    Files.write(latin, "text,route\nd\u00e9j\u00e0,a\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> LabelledTexts.read(latin)).hasMessageContaining("not UTF-8");
  }

  private List<LabelledTexts.Row> read(String source) throws IOException {
    return LabelledTexts.read(Files.writeString(dir.resolve("labelled.csv"), source));
  }

  private static LabelledTexts.Row row(String text, String route, int line) {
    return new LabelledTexts.Row(text, route, line);
  }
}
