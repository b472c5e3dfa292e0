package io.nucleusmem.examples.desk.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FiguresTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "4 KiB|4|KiB",
        "1,200 ms|1200|ms",
        "99.9%|99.9|%",
        "99,9 %|99,9|%",
        "$5 million|5|$",
        "€1,000,000|1000000|€",
        "12 million people|12|million people",
        "3.2 GHz|3.2|GHz",
        "12,000 requests/s|12000|requests/s",
        "90 days|90|days",
        "40 km/h|40|km/h",
        "21 °C|21|°C",
        "18x|18|x"
      })
  void findsANumberWithItsUnit(String written, String value, String unit) {
    assertThat(Figures.of("It takes " + written + ", no more.", Dates.of("")))
        .containsExactly(new Figure(written, value, unit));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"in 2026", "Akka 2.8.5", "G12", "page-3m", "10.0.0.1", "7 dwarfs", "abc4 KiB"})
  void aNumberAloneOrInsideOfAWordIsNone(String text) {
    assertThat(Figures.of(text, Dates.of(text))).isEmpty();
  }

  @Test
  void aDateIsNoFigure() {
    String text = "On 23 May 2026 h";
    assertThat(Figures.of(text, Dates.of(text))).isEmpty();
  }
}
