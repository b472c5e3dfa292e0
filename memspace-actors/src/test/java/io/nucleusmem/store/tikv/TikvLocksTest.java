package io.nucleusmem.store.tikv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.WriteBatch;
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
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tikv.kvproto.Kvrpcpb.PrewriteRequest;

/** What meets the locks of a commit over regions. The clock stands still: no lock grows old. */
class TikvLocksTest {
  private static final Duration WAIT_MAX = Duration.ofSeconds(60); // for what does come true

  private TikvTestCluster cluster;
  private TikvStore store;

  @BeforeEach
  void start() {
    long time = System.currentTimeMillis();
    cluster = TikvTestCluster.start(2, () -> time);
    store =
        TikvStore.open(
            new TikvSettings(
                List.of(cluster.pdAddresses().split(",")),
                "nm",
                WAIT_MAX,
                Duration.ofSeconds(20),
                Duration.ofSeconds(30),
                16,
                Optional.empty(),
                TikvSettings.Gc.DEFAULT),
            ForkJoinPool.commonPool());
    commit(batch().put(key("a"), key("1")).put(key("z"), key("1")));
    cluster.split("nmm".getBytes(StandardCharsets.UTF_8));
    cluster.moveLeader("nmz".getBytes(StandardCharsets.UTF_8), 2);
  }

  @AfterEach
  void stop() {
    store.close();
    cluster.close();
  }

  private static Bytes key(String text) {
    return Bytes.utf8(text);
  }

  private WriteBatch.Builder batch() {
    return WriteBatch.at(now(store.now()));
  }

  private void commit(WriteBatch.Builder batch) {
    now(store.commit(batch.build()));
  }

  private String get(String key) {
    return now(store.get(key(key))).map(Bytes::utf8).orElse(null);
  }

  private static <T> T now(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().orTimeout(120, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  /** The reader makes it commit later than he read, so what he has read stays true. */
  @Test
  void aReadGoesPastACommitThatIsUnderWayAndThatIsMadeAllTheSame() throws Exception {
    Held held = cluster.faults().hold(RequestKind.COMMIT);
    WriteBatch batch = batch().put(key("a"), key("2")).put(key("z"), key("2")).build();
    CompletableFuture<Void> commit = store.commit(batch).toCompletableFuture();
    held.awaitArrivals(1, WAIT_MAX);
    assertThat(get("a")).isEqualTo("1");
    assertThat(get("z")).isEqualTo("1");
    assertThat(commit).isNotDone();
    held.release();
    now(commit);
    assertThat(List.of(get("a"), get("z"))).containsExactly("2", "2");
    assertThat(
            cluster.requests().received(RequestKind.PREWRITE, PrewriteRequest.class).stream()
                .map(PrewriteRequest::getStartVersion)
                .filter(start -> start >= batch.timestamp())
                .distinct())
        .as("in the same transaction")
        .containsExactly(batch.timestamp());
    awaitNoLocks();
  }

  @Test
  void aRefusedCommitOverRegionsLeavesNoLocks() {
    assertThatThrownBy(() -> commit(batch().put(key("a"), key("2")).insert(key("z"), key("2"))))
        .isInstanceOf(RefusedCommitException.class);
    awaitNoLocks();
    assertThat(get("a")).isEqualTo("1");
  }

  /** They are cleared behind the answer, by nobody but the one who set them. */
  private void awaitNoLocks() {
    long deadline = System.nanoTime() + WAIT_MAX.toNanos();
    while (!cluster.locks().isEmpty()) {
      assertThat(System.nanoTime()).as("locks %s", cluster.locks()).isLessThan(deadline);
      LockSupport.parkNanos(1_000_000L);
    }
  }
}
