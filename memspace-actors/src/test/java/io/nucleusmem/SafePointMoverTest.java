package io.nucleusmem;

import static io.nucleusmem.memspace.TestNode.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import io.nucleusmem.store.GarbageCollection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whether the safe point is ours to move. */
class SafePointMoverTest {
  private final ActorTestKit actors = ActorTestKit.create();

  /** A safe point that somebody else may move too. */
  private static final class Scripted implements GarbageCollection {
    final AtomicLong safePoint = new AtomicLong();
    final AtomicInteger looks = new AtomicInteger();
    final AtomicInteger moves = new AtomicInteger();
    volatile boolean movedByAnother;
    volatile boolean down;

    @Override
    public Duration interval() {
      return Duration.ofMillis(5);
    }

    @Override
    public Duration observe() {
      return Duration.ofMillis(10);
    }

    @Override
    public CompletionStage<Long> safePoint() {
      looks.incrementAndGet();
      return down
          ? CompletableFuture.failedFuture(new IllegalStateException("PD is down"))
          : CompletableFuture.completedFuture(
              movedByAnother ? safePoint.incrementAndGet() : safePoint.get());
    }

    @Override
    public CompletionStage<Long> advance() {
      moves.incrementAndGet();
      return CompletableFuture.completedFuture(safePoint.addAndGet(100));
    }
  }

  private final Scripted collection = new Scripted();

  @AfterEach
  void stop() {
    actors.shutdownTestKit();
  }

  @Test
  void itIsMovedAgainAndAgainAlsoAfterPdWasDown() {
    actors.spawn(SafePointMover.create(collection));
    eventually(() -> collection.moves.get() > 2);
    collection.down = true;
    int looks = collection.looks.get();
    eventually(() -> collection.looks.get() > looks + 2);
    int moves = collection.moves.get();
    collection.down = false;
    eventually(() -> collection.moves.get() > moves);
  }

  @Test
  void whereAnotherMovesItItIsLeftAlone() {
    collection.safePoint.set(1);
    collection.movedByAnother = true;
    actors.spawn(SafePointMover.create(collection));
    eventually(() -> collection.looks.get() > 5);
    assertThat(collection.moves).hasValue(0);
  }
}
