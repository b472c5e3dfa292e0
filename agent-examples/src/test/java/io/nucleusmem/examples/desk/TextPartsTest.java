package io.nucleusmem.examples.desk;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TextPartsTest {

  @Test
  void partsFitAndTogetherTheyAreTheText() {
    String text = "aé€😀".repeat(1_000);
    var parts = TextParts.of(text, 7);
    assertThat(String.join("", parts)).isEqualTo(text);
    assertThat(parts)
        .allSatisfy(part -> assertThat(TextParts.bytes(part)).isBetween(1, 7))
        .noneMatch(part -> Character.isLowSurrogate(part.charAt(0)));
  }

  @Test
  void fiveMegabytesAreSevenParts() {
    assertThat(TextParts.of("0123456789".repeat(5 << 20).substring(0, 5 << 20))).hasSize(7);
  }

  @Test
  void aShortTextIsOnePart() {
    assertThat(TextParts.of("short")).containsExactly("short");
  }
}
