package io.nucleusmem.store.tikv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.tikv.server.Fault;
import io.nucleusmem.store.tikv.server.Held;
import io.nucleusmem.store.tikv.server.RequestKind;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tikv.kvproto.Kvrpcpb.PrewriteRequest;

/** What a cluster does to its clients, and what ours makes of it. */
class TikvFaultsTest {
  private TikvTestCluster cluster;
  private TikvStore store;

  @BeforeEach
  void start() {
    cluster = TikvTestCluster.start(2, 2);
    store = open(Duration.ofSeconds(10));
  }

  @AfterEach
  void stop() {
    store.close();
    cluster.close();
  }

  private TikvStore open(Duration operationTimeout) {
    return TikvStore.open(
        new TikvSettings(
            List.of(cluster.pdAddresses().split(",")),
            "nm",
            Duration.ofSeconds(60),
            Duration.ofMillis(500),
            operationTimeout,
            16,
            Optional.empty(),
            TikvSettings.Gc.DEFAULT),
        ForkJoinPool.commonPool());
  }

  private static Bytes key(String text) {
    return Bytes.utf8(text);
  }

  private static byte[] raw(String key) {
    return ("nm" + key).getBytes(StandardCharsets.UTF_8);
  }

  private WriteBatch.Builder batch() {
    return WriteBatch.at(now(store.now()));
  }

  private static <T> T now(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().orTimeout(30, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private String get(String key) {
    return now(store.get(key(key))).map(Bytes::utf8).orElse(null);
  }

  static List<Fault> passing() {
    List<Fault> passing = new ArrayList<>(Fault.otherRefusals());
    passing.addAll(others());
    return passing;
  }

  private static List<Fault> others() {
    return List.of(
        Fault.notLeader(),
        Fault.notLeaderBut(2),
        Fault.epochNotMatch(),
        Fault.regionNotFound(),
        Fault.serverIsBusy(10),
        Fault.staleCommand(),
        Fault.maxTimestampNotSynced(),
        Fault.lostRequest(),
        Fault.lostAnswer(),
        Fault.noAnswer());
  }

  @ParameterizedTest
  @MethodSource("passing")
  void aCommitIsMadeOnceWhateverBecomesOfItsFirstRequest(Fault fault) {
    now(store.commit(batch().put(key("log/1"), key("x")).build()));
    cluster.faults().next(RequestKind.PREWRITE, fault);
    WriteBatch batch = batch().insert(key("log/2"), key("y")).require(key("log/1")).build();
    now(store.commit(batch));
    assertThat(get("log/2")).isEqualTo("y");
    assertThat(cluster.versionsOf(raw("log/2"))).isEqualTo(1);
    assertThat(cluster.locks()).isEmpty();
    assertThat(
            cluster.requests().received(RequestKind.PREWRITE, PrewriteRequest.class).stream()
                .filter(request -> request.getStartVersion() == batch.timestamp())
                .map(request -> request.toBuilder().clearContext().build())
                .distinct())
        .describedAs("sent again, it is the same but for the region that it goes to")
        .hasSize(1);
  }

  @ParameterizedTest
  @MethodSource("passing")
  void readsAreAskedAgain(Fault fault) {
    now(store.commit(batch().put(key("a"), key("1")).put(key("b"), key("2")).build()));
    cluster.faults().next(RequestKind.GET, fault);
    cluster.faults().next(RequestKind.SCAN, fault);
    cluster.faults().next(RequestKind.BATCH_GET, fault);
    assertThat(get("a")).isEqualTo("1");
    assertThat(now(store.scan(KeyRange.ALL, 9, Direction.ASCENDING)).rows()).hasSize(2);
    assertThat(now(store.getAll(List.of(key("a"), key("b"))))).hasSize(2);
  }

  @Test
  void aCommitInOneRegionIsOneRequestAndAtMostTwoWithItsTimestamp() {
    now(store.commit(batch().put(key("log/1"), key("x")).build()));
    cluster.split(raw("version/"));
    now(store.commit(batch().put(key("log/2"), key("x")).build())); // the regions are known now
    cluster.requests().reset();
    now(store.commit(batch().insert(key("log/3"), key("y")).require(key("log/2")).build()));
    assertThat(cluster.requests().count(RequestKind.PREWRITE)).isEqualTo(1);
    assertThat(cluster.requests().count(RequestKind.COMMIT)).isZero();
    assertThat(cluster.requests().count(RequestKind.TSO)).isLessThanOrEqualTo(1);
  }

  @Test
  void aBatchOverRegionsIsAtomicAndItsConditionsHold() {
    cluster.split(raw("m"));
    cluster.moveLeader(raw("m"), 2);
    now(store.commit(batch().put(key("a"), key("1")).put(key("z"), key("1")).build()));
    RefusedCommitException refused =
        (RefusedCommitException)
            catchThrowable(
                () ->
                    now(
                        store.commit(
                            batch().put(key("a"), key("2")).insert(key("z"), key("2")).build())));
    assertThat(refused.found()).contains(key("1"));
    assertThat(get("a")).isEqualTo("1");
    assertThat(
            catchThrowable(
                () ->
                    now(store.commit(batch().put(key("a"), key("2")).require(key("zz")).build()))))
        .isInstanceOf(RefusedCommitException.class)
        .hasMessageContaining("required");
    now(store.commit(batch().put(key("a"), key("3")).put(key("z"), key("3")).build()));
    assertThat(List.of(get("a"), get("z"))).containsExactly("3", "3");
  }

  @Test
  void regionsMaySplitAndMergeDuringAScan() {
    WriteBatch.Builder rows = batch();
    for (int i = 0; i < 600; i++) {
      rows.put(key("k%03d".formatted(i)), key("v"));
    }
    now(store.commit(rows.build()));
    for (Direction direction : Direction.values()) {
      cluster.faults().nth(RequestKind.SCAN, 1, Fault.after(() -> cluster.split(raw("k100"))));
      cluster.faults().nth(RequestKind.SCAN, 2, Fault.before(() -> cluster.split(raw("k300"))));
      cluster
          .faults()
          .nth(RequestKind.SCAN, 3, Fault.after(() -> cluster.mergeWithNext(raw("k000"))));
      List<Row> found = now(store.scan(KeyRange.ALL, 1_000, direction)).rows();
      assertThat(found).hasSize(600).extracting(Row::key).doesNotHaveDuplicates();
      assertThat(found)
          .extracting(Row::key)
          .isSortedAccordingTo(
              direction == Direction.ASCENDING
                  ? java.util.Comparator.naturalOrder()
                  : java.util.Comparator.reverseOrder());
      cluster.faults().clear();
      cluster.mergeWithNext(raw("k000"));
    }
  }

  @Test
  void aStoreThatHangsSlowsNoOther() {
    now(store.commit(batch().put(key("a"), key("1")).build()));
    cluster.split(raw("m"));
    cluster.moveLeader(raw("m"), 2);
    now(store.commit(batch().put(key("z"), key("1")).build()));
    cluster.faults().hang(2);
    CompletableFuture<Optional<Bytes>> held = store.get(key("z")).toCompletableFuture();
    for (int i = 0; i < 50; i++) {
      now(store.commit(batch().put(key("a"), key("v" + i)).build()));
    }
    assertThat(get("a")).isEqualTo("v49");
    assertThat(held).isNotDone();
    cluster.faults().release(2);
    assertThat(now(held)).contains(key("1"));
  }

  @Test
  void tooManyRequestsToOneStoreAreRefusedAsBusy() {
    assertThat(get("a")).isNull();
    cluster.faults().hang(1);
    List<CompletableFuture<Optional<Bytes>>> reads =
        java.util.stream.IntStream.range(0, 40)
            .mapToObj(i -> store.get(key("a")).toCompletableFuture())
            .toList();
    assertThatThrownBy(() -> now(CompletableFuture.anyOf(reads.toArray(CompletableFuture[]::new))))
        .isInstanceOf(TransientStoreException.class)
        .hasMessageContaining("in-flight-max");
    cluster.faults().release(1);
  }

  @Test
  void whoseOutcomeIsNotKnownIsSaidSoAndTheSameBatchSettlesIt() {
    TikvStore hasty = open(Duration.ofSeconds(1));
    WriteBatch batch = batch().insert(key("log/1"), key("x")).build();
    cluster.faults().next(RequestKind.PREWRITE, 1_000, Fault.lostAnswer());
    assertThatThrownBy(() -> now(hasty.commit(batch)))
        .isInstanceOf(UndeterminedCommitException.class);
    cluster.faults().clear();
    Throwable again = catchThrowable(() -> now(hasty.commit(batch)));
    assertThat(
            again == null || ((RefusedCommitException) again).found().equals(Optional.of(key("x"))))
        .isTrue();
    assertThat(get("log/1")).isEqualTo("x");
    assertThat(cluster.versionsOf(raw("log/1"))).isEqualTo(1);
    hasty.close();
  }

  @Test
  void aPrewriteThatArrivesLateFindsItsPlaceTaken() {
    TikvStore hasty = open(Duration.ofSeconds(1));
    Held late = cluster.faults().hold(RequestKind.PREWRITE);
    WriteBatch first = batch().insert(key("log/1"), key("late")).build();
    CompletableFuture<Void> commit = hasty.commit(first).toCompletableFuture();
    cluster.faults().next(RequestKind.PREWRITE, 1_000, Fault.lostRequest());
    assertThatThrownBy(() -> now(commit)).isInstanceOf(UndeterminedCommitException.class);
    cluster.faults().clear();
    now(store.commit(batch().insert(key("log/1"), key("rival")).build()));
    late.release();
    assertThat(get("log/1")).isEqualTo("rival");
    assertThat(cluster.versionsOf(raw("log/1"))).isEqualTo(1);
    hasty.close();
  }

  /** Nobody took its place, so only its bound can keep it out. */
  @Test
  void aPrewriteThatArrivesAMinuteLateIsNotCommitted() {
    TikvStore hasty = open(Duration.ofSeconds(1));
    Held late = cluster.faults().hold(RequestKind.PREWRITE);
    WriteBatch batch = batch().insert(key("log/1"), key("late")).build();
    CompletableFuture<Void> commit = hasty.commit(batch).toCompletableFuture();
    cluster.faults().next(RequestKind.PREWRITE, 1_000, Fault.lostRequest());
    assertThatThrownBy(() -> now(commit)).isInstanceOf(UndeterminedCommitException.class);
    hasty.close();
    cluster.faults().clear();
    cluster.advanceClock(Duration.ofMinutes(1));
    assertThat(get("log/1")).isNull(); // as of then: the store knows the time
    late.release();
    assertThat(get("log/1")).isNull();
    now(store.commit(batch().insert(key("log/1"), key("rival")).build()));
    assertThat(get("log/1")).isEqualTo("rival");
    assertThat(cluster.locks()).isEmpty();
  }

  @Test
  void locksOfAClientThatDiedAreClearedByWhoMeetsThem() {
    now(store.commit(batch().put(key("a"), key("1")).build()));
    cluster.split(raw("m"));
    TikvStore dying = open(Duration.ofSeconds(1));
    cluster.faults().next(RequestKind.COMMIT, 1_000, Fault.lostRequest());
    WriteBatch half = batch().put(key("a"), key("2")).put(key("z"), key("2")).build();
    assertThatThrownBy(() -> now(dying.commit(half)))
        .isInstanceOf(UndeterminedCommitException.class);
    cluster.faults().clear();
    assertThat(cluster.locks()).isNotEmpty();
    cluster.advanceClock(Duration.ofSeconds(10));
    assertThat(get("a")).isEqualTo("1");
    now(store.commit(batch().put(key("z"), key("3")).build()));
    assertThat(get("z")).isEqualTo("3");
    dying.close();
  }

  @Test
  void timestampsRiseAlsoWhenPdsLeaderChanges() {
    long before = now(store.now());
    cluster.changePdLeader();
    long after = now(store.now());
    assertThat(after).isGreaterThan(before);
    cluster.faults().next(RequestKind.TSO, Fault.noAnswer());
    assertThat(now(store.now())).isGreaterThan(after);
    assertThat(get("a")).isNull();
  }

  @Test
  void timestampsComeAgainAfterPdsLeaderWasAway() {
    TikvStore hasty = open(Duration.ofMillis(800));
    long before = now(hasty.now());
    cluster.stopFirstPd();
    assertThatThrownBy(() -> now(hasty.now())).isInstanceOf(TransientStoreException.class);
    assertThatThrownBy(() -> now(hasty.now())).isInstanceOf(TransientStoreException.class);
    cluster.startFirstPd();
    assertThat(now(patiently(hasty::now))).isGreaterThan(before);
    hasty.close();
  }

  /** Asks until it is answered. */
  private static <T> CompletionStage<T> patiently(Supplier<CompletionStage<T>> question) {
    return question
        .get()
        .handle(
            (answer, failure) ->
                failure == null ? CompletableFuture.completedFuture(answer) : patiently(question))
        .thenCompose(Function.identity());
  }

  @Test
  void aPdThatIsNotThereIsNamed() {
    assertThatThrownBy(
            () ->
                TikvStore.open(
                    new TikvSettings(
                        List.of("127.0.0.1:1"),
                        "nm",
                        Duration.ofMillis(500),
                        Duration.ofMillis(200),
                        Duration.ofSeconds(1),
                        16,
                        Optional.empty(),
                        TikvSettings.Gc.DEFAULT),
                    ForkJoinPool.commonPool()))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("127.0.0.1:1")
        .hasMessageContaining("connect-timeout");
  }
}
