package io.nucleusmem.store.tikv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.GarbageCollection;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.tikv.server.Fault;
import io.nucleusmem.store.tikv.server.Held;
import io.nucleusmem.store.tikv.server.RequestKind;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What moving the safe point lets go of, and what it must not. */
class SafePointTest {
  private final TikvTestCluster cluster = TikvTestCluster.start(2, 1);
  private final TikvStore store = open(TikvSettings.Gc.DEFAULT);
  private final GarbageCollection collection = store.garbageCollection().orElseThrow();

  @AfterEach
  void stop() {
    store.close();
    cluster.close();
  }

  private TikvStore open(TikvSettings.Gc gc) {
    return TikvStore.open(
        new TikvSettings(
            List.of(cluster.pdAddresses().split(",")),
            "nm",
            Duration.ofSeconds(60),
            Duration.ofMillis(500),
            Duration.ofSeconds(2),
            16,
            Optional.empty(),
            gc),
        ForkJoinPool.commonPool());
  }

  private static <T> T now(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().orTimeout(30, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private void put(TikvStore into, String value, String... keys) {
    WriteBatch.Builder batch = WriteBatch.at(now(into.now()));
    for (String key : keys) {
      batch.put(Bytes.utf8(key), Bytes.utf8(value));
    }
    now(into.commit(batch.build()));
  }

  private String get(String key) {
    return now(store.get(Bytes.utf8(key))).map(Bytes::utf8).orElse(null);
  }

  private int versions(String key) {
    return cluster.versionsOf(("nm" + key).getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void oldVersionsGoAndYoungOnesStay() {
    for (int i = 1; i <= 5; i++) {
      put(store, "old " + i, "a");
    }
    cluster.advanceClock(Duration.ofMinutes(20));
    put(store, "young", "a");
    put(store, "younger", "a");
    assertThat(now(collection.safePoint())).isZero();
    long moved = now(collection.advance());
    assertThat(now(collection.safePoint())).isEqualTo(moved);
    assertThat(Timestamps.millis(now(store.now())) - Timestamps.millis(moved))
        .isBetween(Duration.ofMinutes(10).toMillis(), Duration.ofMinutes(11).toMillis());
    cluster.collectGarbage();
    assertThat(versions("a")).describedAs("the newest old one and both young ones").isEqualTo(3);
    assertThat(get("a")).isEqualTo("younger");
  }

  @Test
  void whatADeadClientLeftHalfDoneIsEndedFirst() {
    cluster.split("nmm".getBytes(StandardCharsets.UTF_8));
    put(store, "1", "a", "z");
    TikvStore dying = open(TikvSettings.Gc.DEFAULT);
    // the primary is committed, the other key keeps its lock
    cluster.faults().nth(RequestKind.COMMIT, 2, Fault.lostRequest());
    put(dying, "2", "a", "z");
    dying.close();
    cluster.faults().clear();
    cluster.advanceClock(Duration.ofMinutes(20));
    now(collection.advance());
    assertThat(cluster.locks()).isEmpty();
    put(store, "3", "a");
    cluster.collectGarbage();
    assertThat(get("z")).isEqualTo("2");
  }

  @Test
  void nothingMovesWhileALockCannotBeCleared() {
    cluster.split("nmm".getBytes(StandardCharsets.UTF_8));
    TikvStore dying = open(TikvSettings.Gc.DEFAULT);
    cluster.faults().next(RequestKind.COMMIT, 1_000, Fault.lostRequest());
    assertThatThrownBy(() -> put(dying, "2", "a", "z"))
        .isInstanceOf(UndeterminedCommitException.class);
    dying.close();
    cluster.faults().clear();
    cluster.advanceClock(Duration.ofMinutes(20));
    cluster.faults().next(RequestKind.RESOLVE_LOCK, 1_000, Fault.lostRequest());
    assertThatThrownBy(() -> now(collection.advance())).isInstanceOf(RuntimeException.class);
    assertThat(now(collection.safePoint())).isZero();
  }

  @Test
  void aReadThatTheSafePointHasOvertakenIsRefused() throws Exception {
    put(store, "1", "a");
    Held held = cluster.faults().hold(RequestKind.GET);
    CompletableFuture<Optional<Bytes>> read = store.get(Bytes.utf8("a")).toCompletableFuture();
    held.awaitArrivals(1, Duration.ofSeconds(30));
    cluster.advanceClock(Duration.ofMinutes(20));
    put(store, "2", "a");
    cluster.advanceClock(Duration.ofMinutes(20));
    now(collection.advance());
    cluster.collectGarbage();
    held.release(); // TiKV finds nothing as of then, and says just that
    assertThatThrownBy(() -> now(read))
        .isInstanceOf(TransientStoreException.class)
        .hasMessageContaining("safe point");
    assertThat(get("a")).isEqualTo("2");
  }

  @Test
  void nothingIsReadWhereSomebodyMovedTheSafePointAheadOfTheClock() {
    put(store, "1", "a");
    cluster.moveSafePoint(cluster.timestamp() + Timestamps.firstOf(3_600_000));
    TikvStore later = open(TikvSettings.Gc.DEFAULT);
    assertThatThrownBy(() -> now(later.get(Bytes.utf8("a"))))
        .isInstanceOf(TransientStoreException.class)
        .hasMessageContaining("safe point");
    later.close();
  }

  @Test
  void theSafePointIsAskedForAgainWhenEitherClockHasGoneOn() {
    AtomicLong nanos = new AtomicLong();
    AtomicLong millis = new AtomicLong(1_000_000);
    AtomicLong safePoint = new AtomicLong(5);
    AtomicInteger asked = new AtomicInteger();
    SafePointGuard guard =
        new SafePointGuard(
            () -> {
              asked.incrementAndGet();
              return CompletableFuture.completedFuture(safePoint.get());
            },
            nanos::get,
            millis::get);
    assertThat(checked(guard, 6, () -> {})).isEqualTo("found");
    assertThat(checked(guard, 6, () -> {})).isEqualTo("found");
    assertThat(asked).hasValue(1);
    for (Runnable pause :
        List.<Runnable>of(
            () -> nanos.addAndGet(Duration.ofMinutes(11).toNanos()),
            () -> millis.addAndGet(Duration.ofMinutes(11).toMillis()),
            () -> millis.addAndGet(-1))) {
      long before = safePoint.getAndAdd(10);
      assertThatThrownBy(() -> checked(guard, before + 1, pause))
          .isInstanceOf(TransientStoreException.class);
    }
    assertThat(asked).hasValue(4);
  }

  /** A read that a pause comes into the middle of. */
  private static String checked(SafePointGuard guard, long timestamp, Runnable pause) {
    return now(
        guard.check(
            timestamp,
            Deadline.in(Duration.ofMinutes(1)),
            () -> {
              pause.run();
              return CompletableFuture.completedFuture("found");
            }));
  }

  @Test
  void itCanBeLeftToSomebodyElse() {
    TikvSettings.Gc off =
        new TikvSettings.Gc(
            false, Duration.ofMinutes(10), Duration.ofMinutes(1), Duration.ofMinutes(1));
    TikvStore leaving = open(off);
    assertThat(leaving.garbageCollection()).isEmpty();
    leaving.close();
  }

  @Test
  void aSafePointThatACallCouldReadBelowIsRefused() {
    assertThatThrownBy(
            () ->
                new TikvSettings(
                    List.of("h:1"),
                    "nm",
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    Duration.ofMinutes(5),
                    16,
                    Optional.empty(),
                    new TikvSettings.Gc(
                        true, Duration.ofMinutes(1), Duration.ofMinutes(1), Duration.ofMinutes(1))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("gc.keep")
        .hasMessageContaining("operation-timeout");
  }
}
