package io.nucleusmem.examples.desk.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LexRankTest {

  private static final List<String> TEXT =
      List.of(
          "The ledger keeps one order of writes for each space.",
          "Lunch was served at noon.",
          "Each space has one writer, and the ledger gives its order.",
          "A writer of a space asks the ledger for the next write.",
          "Some birds sing.");

  @Test
  void theMostCentralSentenceComesFirstAndStrangersLast() {
    assertThat(new LexRank(TEXT).best(5, 1).subList(0, 3)).containsExactlyInAnyOrder(0, 2, 3);
  }

  @Test
  void aSentenceThatSaysTheSameIsPassedOver() {
    List<String> twice = new ArrayList<>(TEXT);
    twice.add(TEXT.get(0));
    assertThat(new LexRank(twice).best(2, 1)).containsExactly(0, 5);
    assertThat(new LexRank(twice).best(2, 0.9)).contains(0).doesNotContain(5);
  }

  @Test
  void nothingIsChosenFromNothing() {
    assertThat(new LexRank(List.of()).best(3, 1)).isEmpty();
  }

  @Test
  void aLongTextIsRankedInBlocksAndGivesTheSameAnswerTwice() {
    List<String> many = new ArrayList<>();
    for (int i = 0; i < 20 * LexRank.BLOCK; i++) {
      many.add("Line %d tells about thing%d and nothing else at all".formatted(i, i % 7));
    }
    many.set(777, "Thing1 thing2 thing3 thing4 line tells about and nothing else at all");
    List<Integer> best = new LexRank(many).best(4, 0.9);
    assertThat(best).hasSize(4).doesNotHaveDuplicates();
    assertThat(new LexRank(many).best(4, 0.9)).isEqualTo(best);
  }
}
