package io.nucleusmem.memspace;

import static io.nucleusmem.memspace.TestNode.await;
import static io.nucleusmem.memspace.TestNode.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nucleusmem.NucleusMem;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.memory.FaultPlan;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Long-running work is known on every node, and ends one way or the other. */
class OperationsTest {
  private static final Principal ANNA = Principal.of("anna");
  private static final Principal BEN = Principal.of("ben");
  private static final Principal ROOT = new Principal("root", true);

  private final AtomicLong ahead = new AtomicLong();
  private final MemoryStore store =
      new MemoryStore(
          StoreScope.REGION,
          ForkJoinPool.commonPool(),
          () -> System.currentTimeMillis() + ahead.get(),
          FaultPlan.NONE,
          Resends.CHECKED);
  private TestNode node;

  @BeforeEach
  void start() {
    node = TestNode.start(store);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private Operations operations() {
    return NucleusMem.get(node.system()).operations();
  }

  private OperationInfo ended(String id) {
    eventually(() -> await(operations().get(ROOT, id)).state() != OperationInfo.State.RUNNING);
    return await(operations().get(ROOT, id));
  }

  @Test
  void tellsHowFarItIsAndWhatCameOfIt() {
    CompletableFuture<Map<String, Object>> work = new CompletableFuture<>();
    operations()
        .register(
            "count",
            run -> {
              run.progress("rows", 7);
              run.about("scratch", "s");
              return work;
            });
    OperationInfo begun =
        await(operations().start(ANNA, "count", Map.of("to", 9), Map.of("space", "a")));
    OperationInfo running = await(operations().get(ANNA, begun.id()));
    assertThat(running.state()).isEqualTo(OperationInfo.State.RUNNING);
    assertThat(running.progress()).isEqualTo(Map.of("rows", 7));
    assertThat(running.about()).isEqualTo(Map.of("space", "a", "scratch", "s"));
    assertThat(running.startedBy()).isEqualTo("anna");

    work.complete(Map.of("rows", 9));
    OperationInfo done = ended(begun.id());
    assertThat(done.state()).isEqualTo(OperationInfo.State.DONE);
    assertThat(done.result()).isEqualTo(Map.of("rows", 9));
    assertThat(done.endedAt()).isPresent();
  }

  @Test
  void oneThatFailsSaysWhy() {
    operations()
        .register(
            "fail",
            run -> {
              throw MemSpaceException.invalid("to", 0, "1 or more");
            });
    OperationInfo failed = ended(await(operations().start(ANNA, "fail", Map.of(), Map.of())).id());
    assertThat(failed.state()).isEqualTo(OperationInfo.State.FAILED);
    assertThat(failed.error().orElseThrow().code()).isEqualTo("invalid_request");
    assertThat(failed.error().orElseThrow().detail()).contains("[0]");
  }

  @Test
  void isSeenByWhoStartedItAndAdministrators() {
    operations().register("quick", run -> CompletableFuture.completedStage(Map.of()));
    String anna = await(operations().start(ANNA, "quick", Map.of(), Map.of())).id();
    String ben = await(operations().start(BEN, "quick", Map.of(), Map.of())).id();
    ended(anna);
    ended(ben);
    assertThat(
            catchThrowableOfType(MemSpaceException.class, () -> await(operations().get(BEN, anna)))
                .code())
        .isEqualTo(ErrorCode.OPERATION_NOT_FOUND);
    assertThat(
            catchThrowableOfType(MemSpaceException.class, () -> await(operations().get(ANNA, "x")))
                .code())
        .isEqualTo(ErrorCode.OPERATION_NOT_FOUND);
    assertThat(ids(ANNA, 10, Optional.empty())).containsExactly(anna);
    Paged<OperationInfo> first =
        await(operations().list(ROOT, Optional.empty(), 1, Optional.empty()));
    assertThat(first.items().get(0).id()).as("newest first").isEqualTo(ben);
    assertThat(ids(ROOT, 1, first.next())).containsExactly(anna);
    assertThat(
            await(
                    operations()
                        .list(ROOT, Optional.of(OperationInfo.State.RUNNING), 9, Optional.empty()))
                .items())
        .isEmpty();
  }

  private List<String> ids(Principal caller, int limit, Optional<String> cursor) {
    return await(operations().list(caller, Optional.empty(), limit, cursor)).items().stream()
        .map(OperationInfo::id)
        .toList();
  }

  @Test
  void goesOnElsewhereOrIsReportedWhenItsNodeIsGone() {
    register(run -> new CompletableFuture<>());
    String again = await(operations().start(ANNA, "again", Map.of("n", 3), Map.of())).id();
    String once = await(operations().start(ANNA, "once", Map.of(), Map.of())).id();
    node.close();
    ahead.addAndGet(60_000); // past the lease

    start();
    register(
        run -> {
          assertThat(run.isResumed()).isTrue();
          assertThat(run.caller()).isEqualTo(ANNA);
          return CompletableFuture.completedStage(Map.of("n", run.arguments().get("n")));
        });
    assertThat(ended(again).result()).isEqualTo(Map.of("n", 3));
    OperationInfo lost = ended(once);
    assertThat(lost.state()).isEqualTo(OperationInfo.State.FAILED);
    assertThat(lost.error().orElseThrow().detail()).contains("start it again");
    eventually(() -> store.rows().keySet().stream().noneMatch(OperationRows.runs()::contains));
  }

  private void register(OperationTask task) {
    operations().register("again", task);
    operations()
        .register(
            "once",
            new OperationTask() {
              @Override
              public CompletionStage<Map<String, Object>> run(OperationRun run) {
                return task.run(run);
              }

              @Override
              public boolean isResumable() {
                return false;
              }
            });
  }

  @Test
  void anOldRunCannotOverwriteTheNewOne() {
    CompletableFuture<Map<String, Object>> slow = new CompletableFuture<>();
    operations().register("slow", run -> slow);
    String id = await(operations().start(ANNA, "slow", Map.of(), Map.of())).id();
    // another node takes over
    await(
        store
            .now()
            .thenCompose(
                now ->
                    store.commit(
                        io.nucleusmem.store.WriteBatch.at(now)
                            .delete(OperationRows.run(id, 1))
                            .insert(OperationRows.run(id, 2), io.nucleusmem.store.Bytes.EMPTY)
                            .build())));
    slow.complete(Map.of("late", true));
    eventually(
        () -> {
          OperationInfo seen = await(operations().get(ROOT, id));
          return seen.state() == OperationInfo.State.RUNNING && seen.result().isEmpty();
        });
    assertThat(store.rows()).containsKey(OperationRows.run(id, 2));
  }
}
