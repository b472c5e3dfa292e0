package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.memspace.Region;
import io.nucleusmem.receipts.LogRecord.TurnKind;
import io.nucleusmem.store.Bytes;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is played back of records, also of those that an older version has made. */
class TapeTest {
  private static final long AT = 1L << 30;
  private static final Life LIFE = new Life(1, 1);

  private static Tape tape(int format) {
    Began began = new Began("anna", "type", Map.of(), List.of(), format, 0);
    Tape tape = new Tape(began, Instant.EPOCH, Set.of());
    tape.add(new LogRecord.LifeBegan("a", LIFE, began), AT);
    return tape;
  }

  private static LogRecord input(long seq) {
    return new LogRecord.Delivered(
        "a",
        LIFE,
        seq,
        How.SIGNAL,
        true,
        "s",
        "m",
        "s/w",
        0,
        0,
        0,
        List.of(SeenVersion.entry(Region.MEMORY, "k", seq)));
  }

  private static LogRecord turn(long seq, TurnKind kind, long after, long input, long ask) {
    return new LogRecord.Turn("a", LIFE, seq, kind, after, input, ask);
  }

  private static List<String> steps(Tape tape) {
    tape.close(Optional.empty());
    return tape.steps().stream()
        .map(
            step ->
                step instanceof Tape.Result result
                    ? "result of " + result.input() + "." + result.ask()
                    : "" + step.seq())
        .toList();
  }

  @Test
  void resultsStandWhereTheyWereTaken() {
    Tape tape = tape(Began.FORMAT);
    // the result of 1 came when 2 and 3 were on record, and 2 was taken; 4 overtook 3
    tape.add(input(1), AT);
    tape.add(input(2), AT);
    tape.add(input(3), AT);
    tape.add(turn(5, TurnKind.RESULT, 2, 1, 1), AT);
    tape.add(input(4), AT);
    tape.add(turn(6, TurnKind.INPUT, 4, 3, 0), AT);
    tape.add(turn(7, TurnKind.RESULT, 4, 0, 1), AT);
    assertThat(steps(tape)).containsExactly("1", "2", "result of 1.1", "4", "3", "result of 0.1");
    assertThat(tape.gaps()).isEmpty();
  }

  @Test
  void whatIsBehindTheEndOfALifeWasNotTaken() {
    Tape tape = tape(Began.FORMAT);
    tape.add(input(1), AT);
    tape.add(input(2), AT);
    tape.add(input(3), AT);
    tape.add(turn(4, TurnKind.END, 2, 0, 1), AT);
    assertThat(steps(tape)).containsExactly("1", "2");
    assertThat(tape.isEndedByItself()).isTrue();
  }

  @Test
  void ofALifeThatWasKilledOnlyWhatIsCertainIsGiven() {
    Tape tape = tape(Began.FORMAT);
    tape.add(input(1), AT);
    tape.add(input(2), AT);
    tape.add(input(3), AT);
    tape.add(
        new LogRecord.Acted("a", LIFE, 4, "write", "s", "m", 2, 7, true, Bytes.EMPTY, List.of()),
        AT);
    tape.close(Optional.of(new ReceiptReader.LifeState(Optional.empty(), Map.of("s/w", 1L))));
    assertThat(tape.steps()).extracting(Tape.Step::seq).containsExactly(1L, 2L);
    assertThat(tape.gaps())
        .singleElement()
        .satisfies(gap -> assertThat(gap.step().seq()).isEqualTo(3))
        .satisfies(gap -> assertThat(gap.what()).contains("its node ended"));
  }

  @Test
  void turnsThatAreMissingAreTold() {
    Tape tape = tape(Began.FORMAT);
    tape.add(input(1), AT);
    tape.add(turn(2, TurnKind.MISSING, 1, 0, 0), AT);
    assertThat(steps(tape)).containsExactly("1");
    assertThat(tape.gaps()).singleElement().asString().contains("too many receipts");
  }

  @Test
  void recordsOfAnOlderVersionTellWhatTheyLackAndFromWhereOn() {
    Tape tape = tape(0);
    tape.add(input(1), AT);
    tape.add(input(2), AT);
    tape.add(
        new LogRecord.Called(
            "a", LIFE, 3, LifeCalls.TIMER, "t", 1, Bytes.EMPTY, false, Bytes.EMPTY, 0, 0),
        AT);
    assertThat(steps(tape)).containsExactly("1", "2", "3");
    assertThat(tape.isOrdered()).isFalse();
    assertThat(tape.gaps())
        .singleElement()
        .satisfies(gap -> assertThat(gap.step().seq()).isEqualTo(1))
        .satisfies(gap -> assertThat(gap.what()).contains("order", "older version"));
    assertThat(tape.call(LifeCalls.BLOCKING, "1", Bytes.EMPTY).state())
        .isEqualTo(Answer.State.UNKNOWN);
  }

  @Test
  void callThatWasNeverAnsweredIsNotOneThatWasNeverMade() {
    Tape tape = tape(Began.FORMAT);
    Bytes request = Bytes.utf8("what is it");
    tape.add(input(1), AT);
    tape.add(
        new LogRecord.Called(
            "a",
            LIFE,
            2,
            LifeCalls.ASKED + LifeCalls.CALL,
            "model",
            1,
            Hashes.sha256(request),
            false,
            Bytes.EMPTY,
            0,
            0),
        AT);
    tape.close(Optional.empty());
    tape.begins(tape.steps().get(0));
    assertThat(tape.call(LifeCalls.CALL, "model", request).state()).isEqualTo(Answer.State.NEVER);
    assertThat(tape.call(LifeCalls.CALL, "model", request).state()).isEqualTo(Answer.State.UNKNOWN);
  }
}
