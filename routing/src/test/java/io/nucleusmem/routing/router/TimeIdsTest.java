package io.nucleusmem.routing.router;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimeIdsTest {
  private static final Instant NOON = Instant.parse("2026-11-28T12:00:00.123Z");

  @Test
  void idsSortByTimeAndLieBetweenTheEndsOfTheirMillisecond() {
    TimeIds ids = new TimeIds(new Random(1));
    String one = ids.next(NOON);
    String two = ids.next(NOON.plusMillis(1));
    assertThat(one).isLessThan(two).hasSize(TimeIds.DIGITS);
    assertThat(TimeIds.isId(one)).isTrue();
    assertThat(one).isBetween(TimeIds.first(NOON), TimeIds.last(NOON));
    assertThat(TimeIds.isId("0123")).isFalse();
    assertThat(TimeIds.isId(one.replace(one.charAt(0), 'G'))).isFalse();
  }

  @Test
  void instantsOutsideOfWhatAnIdHoldsAreItsEnds() {
    assertThat(TimeIds.time(Instant.MIN)).isEqualTo("000000000000");
    assertThat(TimeIds.time(Instant.MAX)).isEqualTo("ffffffffffff");
  }

  @Test
  void theIdBehindAnotherOneIsTheNext() {
    String zeros = "0".repeat(TimeIds.DIGITS - 2);
    assertThat(TimeIds.after(zeros + "09")).isEqualTo(zeros + "0a");
    assertThat(TimeIds.after(zeros + "0f")).isEqualTo(zeros + "10");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void prefixesCoverExactlyTheIdsOfASpan(long seed) {
    Random random = new Random(seed);
    TimeIds ids = new TimeIds(random);
    TreeSet<String> all = new TreeSet<>();
    for (int i = 0; i < 200; i++) {
      all.add(ids.next(NOON.plusMillis(random.nextInt(5_000))));
    }
    for (int i = 0; i < 50; i++) {
      String from = TimeIds.first(NOON.plusMillis(random.nextInt(5_000)));
      String to = TimeIds.last(NOON.plusMillis(random.nextInt(5_000)));
      List<String> prefixes = TimeIds.prefixes(from, to);
      assertThat(prefixes).isSorted();
      for (String id : all) {
        boolean within = id.compareTo(from) >= 0 && id.compareTo(to) <= 0;
        assertThat(prefixes.stream().filter(id::startsWith).count())
            .as("seed %d, id %s from %s to %s", seed, id, from, to)
            .isEqualTo(within ? 1 : 0);
      }
    }
  }
}
