package io.nucleusmem.examples.greeter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What README shows is what is compiled and tested. */
class ReadmeTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "src/main/java/io/nucleusmem/examples/greeter/Greeter.java",
        "src/test/java/io/nucleusmem/examples/greeter/GreeterTest.java"
      })
  void showsThisFile(String path) throws IOException {
    String source = Files.readString(Path.of(path));
    String shown = source.substring(source.indexOf("\n\n", source.lastIndexOf("import ")) + 2);
    assertThat(Files.readString(Path.of("../README.md"))).contains("```java\n" + shown + "```");
  }
}
