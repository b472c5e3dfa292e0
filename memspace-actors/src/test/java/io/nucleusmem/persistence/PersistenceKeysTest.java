package io.nucleusmem.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nucleusmem.store.Bytes;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PersistenceKeysTest {

  @Test
  void eventKeyIsTheOneOfTheWorkedExample() {
    assertThat(PersistenceKeys.event("a", 258)).isEqualTo(hex("6A61000000000000000102"));
    assertThat(PersistenceKeys.event("a\0", 258)).isEqualTo(hex("6A6100FF000000000000000102"));
  }

  @Test
  void theRangeOfAnIdHoldsNoRowOfAnother() {
    for (String other : List.of("", "b", "a\0", "a\0\0", "a\u0001", "aa")) {
      if (!other.isEmpty()) {
        assertThat(
                PersistenceKeys.events("a", 1, Long.MAX_VALUE)
                    .contains(PersistenceKeys.event(other, 1)))
            .as("event of [%s]", other)
            .isFalse();
      }
    }
  }

  @Test
  void theRangeOfEventsHoldsItsEndsButNotTheDeleteMarker() {
    var range = PersistenceKeys.events("a", 1, Long.MAX_VALUE);
    assertThat(range.contains(PersistenceKeys.event("a", 1))).isTrue();
    assertThat(range.contains(PersistenceKeys.event("a", Long.MAX_VALUE))).isTrue();
    assertThat(range.contains(PersistenceKeys.deleteMarker("a"))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "Space|7", "a\0b", "\0", "\0\0", "ü\uD83D\uDE00", "\u00FF\0\u00FF"})
  void anIdIsReadBackFromItsKey(String id) {
    assertThat(PersistenceKeys.idOf(PersistenceKeys.id(id))).isEqualTo(id);
  }

  @Test
  void anIdThatIsEmptyOrTooLongIsRefused() {
    PersistenceKeys.id("x".repeat(PersistenceKeys.ID_BYTES_MAX - 2));
    assertThatThrownBy(() -> PersistenceKeys.id("x".repeat(PersistenceKeys.ID_BYTES_MAX - 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[2049] bytes");
    assertThatThrownBy(() -> PersistenceKeys.id("")).isInstanceOf(IllegalArgumentException.class);
  }

  private static Bytes hex(String digits) {
    return Bytes.wrap(HexFormat.of().parseHex(digits));
  }
}
