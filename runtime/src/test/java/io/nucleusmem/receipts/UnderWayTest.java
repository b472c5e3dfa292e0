package io.nucleusmem.receipts;

import static org.assertj.core.api.Assertions.assertThat;

import io.nucleusmem.receipts.LifeLog.Mark;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** How far the messages of a watch are done. */
class UnderWayTest {
  final UnderWay underWay = new UnderWay();
  final List<Long> heard = new ArrayList<>();

  static Mark at(long revision) {
    return new Mark("s/w", revision, 0, 0, new LifeLog.Asks(true));
  }

  long done() {
    return underWay.doneUpTo("s/w", 9);
  }

  @Test
  void messageIsDoneWhenAllThatItBeganHasEnded() {
    underWay.listen("s/w", () -> heard.add(done()));
    underWay.begins(at(5));
    underWay.begins(at(5));
    underWay.begins(at(7));
    underWay.begins(new Mark("", 0, 0, 0, new LifeLog.Asks(true))); // of no message
    assertThat(done()).isEqualTo(4);
    underWay.ends(at(7));
    underWay.ends(at(5));
    underWay.ends(at(5));
    assertThat(heard).containsExactly(4L, 4L, 9L);
    assertThat(underWay.doneUpTo("s/other", 3)).isEqualTo(3);
  }

  @Test
  void writesAreWaitedForAndOthersAreNot() {
    CompletableFuture<Void> write = new CompletableFuture<>();
    underWay.begins(at(4));
    assertThat(underWay.written()).isCompleted();
    underWay.write(at(5), write);
    CompletableFuture<Void> written = underWay.written().toCompletableFuture();
    assertThat(written).isNotDone();
    write.completeExceptionally(new IllegalStateException("as planned"));
    assertThat(written).isCompleted();
    assertThat(underWay.written()).isCompleted();
    assertThat(done()).isEqualTo(3);
  }

  @Test
  void workThatGoesOnTooLongHoldsUpNothingNorDoesWhatItBeginsThen() {
    underWay.begins(at(5));
    underWay.letGoOlderThan("s/w", Duration.ofHours(1));
    assertThat(done()).isEqualTo(4);
    underWay.letGoOlderThan("s/w", Duration.ofNanos(-1));
    assertThat(done()).isEqualTo(9);
    underWay.begins(at(5));
    assertThat(done()).isEqualTo(9);
    underWay.begins(at(6));
    assertThat(done()).isEqualTo(5);
  }
}
