package io.nucleusmem.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.persistence.state.DurableStateStoreRegistry;
import akka.persistence.state.javadsl.DurableStateUpdateStore;
import io.nucleusmem.CborSerializable;
import io.nucleusmem.StoreSetup;
import io.nucleusmem.persistence.FaultyStore.Fault;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.UndeterminedCommitException;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Durable states: one revision after another, whoever writes; Akka has no TCK for them. */
abstract class DurableStateContract {
  protected abstract KvStore open() throws Exception;

  /** A state that our own binding serializes. */
  record Counted(long count) implements CborSerializable {}

  private final String id = "state|" + UUID.randomUUID();
  private FaultyStore store;
  private TestNode node;
  private DurableStateUpdateStore<Object> states;

  @BeforeEach
  @SuppressWarnings("unchecked")
  void start() throws Exception {
    store = new FaultyStore(open());
    node =
        TestNode.start(
            StoreSetup.opened(executor -> store),
            "nucleusmem.durable-state.state-bytes-max = 64 KiB");
    states =
        DurableStateStoreRegistry.get(node.system())
            .getDurableStateStoreFor(DurableStateUpdateStore.class, "nucleusmem.durable-state");
  }

  @AfterEach
  void stop() {
    node.close();
  }

  @Test
  void aStateThatWasNeverWrittenHasRevisionZero() throws Exception {
    assertState(0, null);
  }

  @Test
  void theNewestStateComesBackWithItsRevision() throws Exception {
    write(1, 2, 3);
    assertState(3, new Counted(3));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 6, 7})
  void anyRevisionButTheNextIsRefusedAndChangesNothing(long revision) throws Exception {
    write(1, 2, 3, 4);
    assertStale(states.upsertObject(id, revision, new Counted(99), "tag"));
    assertStale(states.deleteObject(id, revision));
    assertState(4, new Counted(4));
  }

  @Test
  void theFirstRevisionIsOne() throws Exception {
    assertStale(states.upsertObject(id, 2, new Counted(2), ""));
    assertThatThrownBy(() -> get(states.upsertObject(id, 0, new Counted(0), "")))
        .isInstanceOf(IllegalArgumentException.class);
    assertState(0, null);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void aDeletedStateKeepsItsRevisionSoThatNoneIsUsedTwice(long stale) throws Exception {
    write(1, 2);
    get(states.deleteObject(id, 3));
    assertState(3, null);
    assertStale(states.upsertObject(id, stale, new Counted(9), ""));
    write(4);
    assertState(4, new Counted(4));
  }

  @Test
  @SuppressWarnings("deprecation")
  void aDeleteWithoutRevisionMakesTheNextOne() throws Exception {
    get(states.deleteObject(id));
    assertState(0, null);
    write(1);
    get(states.deleteObject(id));
    get(states.deleteObject(id));
    assertState(2, null);
  }

  @Test
  void theTagIsStored() throws Exception {
    get(states.upsertObject(id, 1, new Counted(1), "blue"));
    assertThat(get(new DurableStateDao(store).get(id)).orElseThrow().tag()).isEqualTo("blue");
  }

  @Test
  void anUnknownWriteFailsAndTheStoreTellsAfterwardsWhatHappened() throws Exception {
    store.next(Fault.NONE, Fault.LOST_ANSWER, Fault.LATE_REQUEST);
    write(1);
    assertThatThrownBy(() -> get(states.upsertObject(id, 2, new Counted(2), "")))
        .isInstanceOf(UndeterminedCommitException.class);
    assertState(2, new Counted(2));

    assertThatThrownBy(() -> get(states.upsertObject(id, 3, new Counted(33), "")))
        .isInstanceOf(UndeterminedCommitException.class);
    write(3, 4, 5);
    assertThatThrownBy(() -> get(store.landLate()))
        .isInstanceOf(io.nucleusmem.store.RefusedCommitException.class);
    assertState(5, new Counted(5));
  }

  @Test
  void aRefusalByOurOwnRowIsSuccess() throws Exception {
    store.next(Fault.SENT_TWICE, Fault.SENT_TWICE, Fault.SENT_TWICE);
    write(1, 2, 3);
    assertState(3, new Counted(3));
  }

  @Test
  void aStateOverTheLimitFailsAndNamesTheLimit() throws Exception {
    assertThatThrownBy(() -> get(states.upsertObject(id, 1, "x".repeat(70_000), "")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nucleusmem.durable-state.state-bytes-max allows [65536]");
    assertState(0, null);
  }

  // ---- helpers ----

  private void write(long... revisions) throws Exception {
    for (long revision : revisions) {
      get(states.upsertObject(id, revision, new Counted(revision), ""));
    }
  }

  private void assertState(long revision, Counted state) throws Exception {
    var found = get(states.getObject(id));
    assertThat(found.revision()).isEqualTo(revision);
    assertThat(found.value().orElse(null)).isEqualTo(state);
  }

  private static void assertStale(CompletionStage<?> write) {
    assertThatThrownBy(() -> get(write)).isInstanceOf(StaleWriterException.class);
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    try {
      return stage.toCompletableFuture().get(120, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw Stages.cause(e.getCause()) instanceof Exception cause ? cause : e;
    }
  }
}
