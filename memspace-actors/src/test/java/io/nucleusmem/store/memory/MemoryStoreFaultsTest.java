package io.nucleusmem.store.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MemoryStoreFaultsTest {
  private final Deque<Fault> faults = new ArrayDeque<>();
  private final List<Runnable> callbacks = new ArrayList<>();
  private long millis = 1_000;
  private long nextTimestamp;
  private MemoryStore store = store(StoreScope.ALL, Resends.CHECKED);

  private MemoryStore store(StoreScope scope, Resends resends) {
    return new MemoryStore(
        scope,
        callbacks::add,
        () -> millis,
        batch -> faults.isEmpty() ? Fault.NONE : faults.poll(),
        resends);
  }

  @Test
  void aTransientErrorWritesNothing() {
    CompletableFuture<Void> commit = commit(Fault.TRANSIENT, insert("a", "1"));
    fails(commit, TransientStoreException.class);
    assertThat(store.rows()).isEmpty();
  }

  @Test
  void aLostAnswerHidesACommitThatIsThereAndTheSameBatchSucceeds() {
    WriteBatch batch = insert("a", "1");
    fails(commit(Fault.LOST_ANSWER, batch), UndeterminedCommitException.class);
    assertThat(store.rows()).containsOnlyKeys(key("a"));
    assertThat(commit(Fault.NONE, batch)).isCompleted();
    assertThat(store.violations()).isEmpty();
  }

  @Test
  void aLateRequestLandsWhenItIsReleasedIfItsConditionsHoldThen() {
    fails(commit(Fault.LATE, insert("a", "late")), UndeterminedCommitException.class);
    fails(commit(Fault.LATE, insert("b", "late")), UndeterminedCommitException.class);
    assertThat(store.rows()).isEmpty();
    commit(Fault.NONE, insert("a", "other")).join();
    List<MemoryStore.Held> held = store.held();
    held.get(1).release();
    held.get(0).release();
    assertThat(store.rows())
        .containsEntry(key("a"), key("other"))
        .containsEntry(key("b"), key("late"));
    assertThat(store.held()).isEmpty();
    assertThatThrownBy(() -> held.get(0).release()).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aLateRequestThatWasSentAgainMeanwhileChangesNothing() {
    WriteBatch batch = WriteBatch.at(7).put(key("a"), key("1")).build();
    fails(commit(Fault.LATE, batch), UndeterminedCommitException.class);
    commit(Fault.NONE, batch).join();
    commit(Fault.NONE, WriteBatch.at(8).put(key("a"), key("2")).build()).join();
    store.held().get(0).release();
    assertThat(store.rows()).containsEntry(key("a"), key("2"));
  }

  @Test
  void aSlowCommitIsWrittenWhenReleasedAndAnsweredOnTheCallbackExecutor() {
    CompletableFuture<Void> slow = commit(Fault.SLOW, insert("a", "1"));
    CompletableFuture<Void> loser = commit(Fault.SLOW, insert("a", "2"));
    CompletableFuture<Void> answer = commit(Fault.SLOW_ANSWER, insert("b", "1"));
    assertThat(store.rows()).containsOnlyKeys(key("b"));
    store.held().get(0).release();
    assertThat(store.rows()).containsOnlyKeys(key("a"), key("b"));
    assertThat(slow).isNotDone();
    runCallbacks();
    assertThat(slow).isCompleted();
    store.held().get(0).release();
    store.held().get(0).drop();
    runCallbacks();
    fails(loser, RefusedCommitException.class);
    fails(answer, UndeterminedCommitException.class);
  }

  @ParameterizedTest
  @EnumSource(
      value = Resends.class,
      names = {"CHECKED", "REFUSED_BY_OWN_ROW"})
  void otherContentUnderAUsedTimestampIsRefusedLoudly(Resends resends) {
    store = store(StoreScope.ALL, resends);
    commit(Fault.LATE, WriteBatch.at(7).put(key("a"), key("1")).build());
    fails(
        commit(Fault.NONE, WriteBatch.at(7).put(key("a"), key("2")).build()),
        IllegalStateException.class);
    assertThat(store.violations()).hasSize(1);
    assertThat(store.rows()).isEmpty();
  }

  @Test
  void asTikvAUsedTimestampSwallowsOtherContent() {
    store = store(StoreScope.REGION, Resends.SWALLOWED);
    commit(Fault.NONE, WriteBatch.at(7).insert(key("a"), key("1")).build()).join();
    commit(Fault.NONE, WriteBatch.at(7).insert(key("a"), key("1")).put(key("b"), key("1")).build())
        .join();
    assertThat(store.rows()).containsOnlyKeys(key("a"));
    assertThat(store.violations()).isEmpty();
  }

  @Test
  void asRocksDbABatchSentAgainIsRefusedByItsOwnRow() {
    store = store(StoreScope.ALL, Resends.REFUSED_BY_OWN_ROW);
    WriteBatch batch = insert("a", "1");
    commit(Fault.NONE, batch).join();
    assertThatThrownBy(() -> commit(Fault.NONE, batch).join())
        .cause()
        .isInstanceOfSatisfying(
            RefusedCommitException.class, e -> assertThat(e.found()).contains(key("1")));
    assertThat(store.violations()).isEmpty();
  }

  @Test
  void aCrashFailsWhatWaitsAndKeepsWhatHadReachedTheDisk() {
    commit(Fault.NONE, insert("a", "1")).join();
    CompletableFuture<Void> first = commit(Fault.SLOW, insert("b", "1"));
    CompletableFuture<Void> second = commit(Fault.SLOW, insert("c", "1"));
    CompletableFuture<Void> visible = commit(Fault.SLOW_ANSWER, insert("d", "1"));
    commit(Fault.LATE, insert("e", "1"));
    long before = store.now().toCompletableFuture().join();
    millis = 0;
    MemoryStore next = store.crash(1);
    runCallbacks();
    fails(first, UndeterminedCommitException.class);
    fails(second, UndeterminedCommitException.class);
    fails(visible, UndeterminedCommitException.class);
    assertThat(next.rows()).containsOnlyKeys(key("a"), key("b"), key("d"));
    assertThat(next.held()).isEmpty(); // an embedded store has no network
    assertThat(next.now().toCompletableFuture().join()).isGreaterThan(before);
    fails(store.get(key("a")).toCompletableFuture(), StoreException.class);
  }

  @Test
  void aLateRequestOutlivesAClientOfAStoreBehindANetwork() {
    store = store(StoreScope.REGION, Resends.CHECKED);
    commit(Fault.LATE, insert("a", "1"));
    MemoryStore next = store.crash(0);
    next.held().get(0).release();
    assertThat(next.rows()).containsOnlyKeys(key("a"));
  }

  @Test
  void timeRisesThoughTheClockGoesBack() {
    assertThat(store.now().toCompletableFuture().join()).isEqualTo(Timestamps.firstOf(1_000));
    millis = 900;
    assertThat(store.now().toCompletableFuture().join()).isEqualTo(Timestamps.firstOf(1_000) + 1);
  }

  private CompletableFuture<Void> commit(Fault fault, WriteBatch batch) {
    faults.add(fault);
    return store.commit(batch).toCompletableFuture();
  }

  private WriteBatch insert(String key, String value) {
    return WriteBatch.at(++nextTimestamp).insert(key(key), key(value)).build();
  }

  private void runCallbacks() {
    callbacks.forEach(Runnable::run);
    callbacks.clear();
  }

  private static void fails(CompletableFuture<?> stage, Class<? extends Throwable> with) {
    assertThat(stage).isCompletedExceptionally();
    assertThatThrownBy(stage::join)
        .isInstanceOf(CompletionException.class)
        .cause()
        .isExactlyInstanceOf(with);
  }

  private static Bytes key(String text) {
    return Bytes.utf8(text);
  }
}
