package io.nucleusmem.examples.desk.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DatesTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2026-11-23|2026-11-23",
        "2026-11-23T14:03:07.123Z|2026-11-23",
        "2026-11-23 14:03|2026-11-23",
        "23 November 2026|2026-11-23",
        "3rd Nov. 2026|2026-11-03",
        "23. Oktober 2026|2026-10-23",
        "November 23, 2026|2026-11-23",
        "Nov 2nd, 2026|2026-11-02",
        "23.11.2026|2026-11-23",
        "11/23/2026|2026-11-23",
        "23/11/2026|2026-11-23",
        "03/04/2026|",
        "November 2026|2026-11",
        "März 1999|1999-03"
      })
  void findsADateInEachFormat(String written, String iso) {
    assertThat(dates("It was " + written + ", they say."))
        .containsExactly(new DateMention(written, iso == null ? "" : iso));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-02-30",
        "31.02.2026",
        "version 1.2.2026.4",
        "10.0.0.1",
        "2026-11-23-04",
        "1/2",
        "May 7"
      })
  void findsNoneWhereThereIsNone(String text) {
    assertThat(dates(text)).isEmpty();
  }

  @Test
  void keepsTheirOrderAndNeverCountsOneTwice() {
    assertThat(dates("From November 2026 to 1 May 2027, and 2026-01-01 before."))
        .extracting(DateMention::iso)
        .containsExactly("2026-11", "2027-05-01", "2026-01-01");
  }

  private static List<DateMention> dates(String text) {
    return Dates.of(text).stream().map(Dates.Place::date).toList();
  }
}
