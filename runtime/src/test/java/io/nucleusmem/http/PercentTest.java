package io.nucleusmem.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nucleusmem.memspace.MemSpaceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PercentTest {
  @ParameterizedTest
  @ValueSource(strings = {"plain", "a/b", "a b", "100%", "é😀", "a+b?c#d", "\u0000\n"})
  void whatIsEncodedIsDecodedToTheSame(String path) {
    assertThat(Percent.decode("key", Percent.encodePath(path), false)).isEqualTo(path);
  }

  @Test
  void aPlusIsASpaceInAQueryOnly() {
    assertThat(Percent.decode("q", "a+b%2B", true)).isEqualTo("a b+");
    assertThat(Percent.decode("q", "a+b", false)).isEqualTo("a+b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"%", "a%2", "%zz", "%FF", "%C3"})
  void whatIsNoUtf8IsRefused(String encoded) {
    assertThatThrownBy(() -> Percent.decode("key", encoded, false))
        .isInstanceOf(MemSpaceException.class)
        .hasMessageContaining("key");
  }
}
