package io.nucleusmem.memspace;

import akka.actor.Cancellable;
import akka.actor.typed.ActorSystem;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;

/** The operations of one node, and the way to all. */
final class OperationsClient implements Operations {
  private static final Duration BEAT = Duration.ofSeconds(1);
  private static final int SWEEP_BEATS = 4;
  private static final int RUNS_PAGE = 1_000;
  private static final int FORGOTTEN_MAX = 256; // in one look
  private static final int RESENDS_MAX = 20;
  private static final int BYTES_MAX = 64 << 10; // of one operation's row

  private final ActorSystem<?> system;
  private final KvStore store;
  private final OperationsSettings settings;
  private final String node = UUID.randomUUID().toString();
  private final Map<String, OperationTask> tasks = new ConcurrentHashMap<>();
  private final Map<String, LiveOperation> live = new ConcurrentHashMap<>();
  private Cancellable timer; // null until started
  private long beats; // used by the timer alone
  private volatile boolean sweeping;
  private volatile boolean stopping;

  OperationsClient(ActorSystem<?> system, KvStore store) {
    this.system = system;
    this.store = store;
    this.settings = OperationsSettings.from(system.settings().config());
  }

  /** Begins to take over what was left behind; after the node's own kinds are registered. */
  void start() {
    timer =
        system
            .scheduler()
            .scheduleWithFixedDelay(Duration.ZERO, BEAT, this::beat, system.executionContext());
  }

  /** Lets go of what runs, to be taken up again. */
  void stop() {
    stopping = true;
    live.values().forEach(LiveOperation::stop);
    if (timer != null) {
      timer.cancel();
    }
  }

  @Override
  public void register(String kind, OperationTask task) {
    if (tasks.putIfAbsent(kind, task) != null) {
      throw new IllegalStateException("operations of kind [%s] are known already".formatted(kind));
    }
  }

  // ---- starting ----

  @Override
  public CompletionStage<OperationInfo> start(
      Principal caller, String kind, Map<String, Object> arguments, Map<String, Object> about) {
    OperationTask task = tasks.get(kind);
    if (task == null) {
      throw new IllegalArgumentException(
          "[%s] is no kind of operation of this node; known: %s".formatted(kind, tasks.keySet()));
    }
    if (live.size() >= settings.runningMax()) {
      return CompletableFuture.failedFuture(
          new MemSpaceException(
              ErrorCode.BUSY,
              "[%d] operations run on this node, which is nucleusmem.operations.running-max"
                  .formatted(live.size()),
              Map.of("accepted", settings.runningMax())));
    }
    return store.now().thenCompose(now -> start(caller, kind, arguments, about, task, now));
  }

  private CompletionStage<OperationInfo> start(
      Principal caller,
      String kind,
      Map<String, Object> arguments,
      Map<String, Object> about,
      OperationTask task,
      long timestamp) {
    long now = Timestamps.millis(timestamp);
    String id = OperationRows.newId(timestamp, ThreadLocalRandom.current().nextInt());
    OperationRows.Row row =
        new OperationRows.Row(
            id,
            kind,
            OperationInfo.State.RUNNING.label(),
            caller.name(),
            caller.admin(),
            arguments,
            about,
            Map.of(),
            null,
            null,
            null,
            node,
            now + settings.lease().toMillis(),
            now,
            now,
            null);
    Bytes bytes = StateJson.encode(row);
    if (bytes.length() > BYTES_MAX) {
      return CompletableFuture.failedFuture(
          MemSpaceException.tooLarge("operation", bytes.length(), BYTES_MAX, "bytes"));
    }
    WriteBatch.Builder batch = WriteBatch.at(timestamp);
    batch.insert(OperationRows.key(id), bytes).insert(OperationRows.run(id, 1), Bytes.EMPTY);
    return commit(batch.build(), RESENDS_MAX, false)
        .exceptionally(
            failure -> {
              throw Calls.explain(failure);
            })
        .thenApply(
            done -> {
              LiveOperation operation = operation(row, new OperationRows.Run(id, 1), false);
              run(operation, task);
              return operation.info();
            });
  }

  private LiveOperation operation(OperationRows.Row row, OperationRows.Run run, boolean resumed) {
    return new LiveOperation(row, run, resumed, node, settings.lease(), this::write);
  }

  private void run(LiveOperation operation, OperationTask task) {
    live.put(operation.id(), operation);
    CompletionStage<Map<String, Object>> work;
    try {
      work = task.run(operation);
    } catch (RuntimeException failure) {
      work = CompletableFuture.failedStage(failure);
    }
    work.whenComplete((result, failure) -> ended(operation, result, failure));
  }

  private void ended(LiveOperation operation, Map<String, Object> result, Throwable failure) {
    if (stopping || operation.isStopped()) {
      live.remove(operation.id(), operation); // another run will end it
      return;
    }
    store
        .now()
        .thenCompose(
            timestamp -> {
              long now = Timestamps.millis(timestamp);
              if (failure == null) {
                return operation.done(result, now);
              }
              MemSpaceException why = Calls.explain(failure);
              if (why.code() == ErrorCode.INTERNAL) {
                system.log().error("operation {} failed unexpectedly", operation.id(), failure);
              }
              return operation.failed(why, now);
            })
        .thenCompose(
            own -> own ? delete(OperationRows.run(operation.id(), operation.run().epoch())) : null)
        .whenComplete(
            (done, unwritten) -> {
              if (unwritten != null) {
                system.log().info("the end of operation {} is not written", operation.id());
              }
              live.remove(operation.id(), operation);
            });
  }

  private CompletionStage<Boolean> write(OperationRows.Run run, OperationRows.Row row) {
    return store
        .now()
        .thenCompose(
            now -> {
              WriteBatch.Builder batch = WriteBatch.at(now);
              batch
                  .require(OperationRows.run(run.id(), run.epoch()))
                  .put(OperationRows.key(run.id()), StateJson.encode(row));
              return commit(batch.build(), RESENDS_MAX, true);
            });
  }

  /**
   * False if a condition did not hold; where that is no answer, a batch that was applied before.
   */
  private CompletionStage<Boolean> commit(WriteBatch batch, int resends, boolean mayBeRefused) {
    return store
        .commit(batch)
        .handle((done, failure) -> failure)
        .thenCompose(
            failure -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause == null || cause instanceof RefusedCommitException && !mayBeRefused) {
                return CompletableFuture.completedFuture(true); // ids are random: it was ours
              }
              if (cause instanceof RefusedCommitException) {
                return CompletableFuture.completedFuture(false);
              }
              boolean again =
                  cause instanceof UndeterminedCommitException
                      || cause instanceof TransientStoreException;
              return again && resends > 0
                  ? commit(batch, resends - 1, mayBeRefused)
                  : CompletableFuture.failedFuture(cause);
            });
  }

  private CompletionStage<Void> delete(Bytes key) {
    return store.now().thenCompose(now -> store.commit(WriteBatch.at(now).delete(key).build()));
  }

  // ---- taking over ----

  private void beat() {
    long beat = beats++;
    store
        .now()
        .thenAccept(
            timestamp -> {
              long now = Timestamps.millis(timestamp);
              live.values().forEach(operation -> operation.beat(now));
              if (beat % SWEEP_BEATS == 0 && !sweeping && !stopping) {
                sweeping = true;
                sweep(now)
                    .whenComplete(
                        (done, failure) -> {
                          sweeping = false;
                          if (failure != null) {
                            system.log().debug("operations could not be looked through", failure);
                          }
                        });
              }
            });
  }

  private CompletionStage<Void> sweep(long now) {
    return store
        .scan(OperationRows.runs(), RUNS_PAGE, Direction.ASCENDING)
        .thenCompose(
            page ->
                each(
                    page.rows(),
                    row -> {
                      OperationRows.Run run = OperationRows.runOf(row.key());
                      return live.containsKey(run.id())
                          ? CompletableFuture.completedStage(null)
                          : lookAt(run, now);
                    }))
        .thenCompose(done -> forget(now));
  }

  private CompletionStage<Void> lookAt(OperationRows.Run run, long now) {
    return find(run.id())
        .thenCompose(
            found -> {
              if (found.isEmpty() || !found.get().isRunning()) {
                return delete(OperationRows.run(run.id(), run.epoch()));
              }
              OperationRows.Row row = found.get();
              boolean left =
                  row.leaseUntil() < now
                      || store.scope() == StoreScope.ALL && !node.equals(row.node());
              OperationTask task = tasks.get(row.kind());
              long unknownSince = now - row.leaseUntil();
              if (!left || task == null && unknownSince < 10 * settings.lease().toMillis()) {
                return CompletableFuture.completedStage(null);
              }
              return takeOver(row, run, task, now);
            });
  }

  private CompletionStage<Void> takeOver(
      OperationRows.Row row, OperationRows.Run before, OperationTask task, long now) {
    OperationRows.Run run = new OperationRows.Run(row.id(), before.epoch() + 1);
    OperationRows.Row mine =
        row.running(row.about(), row.progress(), node, now + settings.lease().toMillis(), now);
    return store
        .now()
        .thenCompose(
            timestamp -> {
              WriteBatch.Builder batch = WriteBatch.at(timestamp);
              batch
                  .require(OperationRows.run(before.id(), before.epoch()))
                  .insert(OperationRows.run(run.id(), run.epoch()), Bytes.EMPTY)
                  .put(OperationRows.key(run.id()), StateJson.encode(mine));
              return commit(batch.build(), 0, true);
            })
        .thenCompose(
            won ->
                won
                    ? delete(OperationRows.run(before.id(), before.epoch())).thenApply(any -> true)
                    : CompletableFuture.completedStage(false))
        .thenAccept(
            won -> {
              if (!won) {
                return;
              }
              LiveOperation operation = operation(mine, run, true);
              if (task != null && task.isResumable()) {
                system.log().info("operation {} goes on here", run.id());
                run(operation, task);
              } else {
                run(operation, none -> CompletableFuture.failedFuture(lost(row, task)));
              }
            });
  }

  private static MemSpaceException lost(OperationRows.Row row, OperationTask task) {
    return new MemSpaceException(
        ErrorCode.UNAVAILABLE,
        task == null
            ? "the node that ran it stopped, and no other knows operations of kind [%s]"
                .formatted(row.kind())
            : "the node that ran it stopped; start it again");
  }

  /** Forgets what ended long ago. */
  private CompletionStage<Void> forget(long now) {
    String before =
        OperationRows.newId(Timestamps.firstOf(Math.max(0, now - settings.keep().toMillis())), 0);
    KeyRange old = new KeyRange(OperationRows.all().from(), OperationRows.key(before));
    return store
        .scan(old, FORGOTTEN_MAX, Direction.ASCENDING)
        .thenCompose(
            page -> {
              List<Row> ended = new ArrayList<>();
              for (Row row : page.rows()) {
                if (!decode(row.value()).isRunning()) {
                  ended.add(row);
                }
              }
              return each(ended, row -> delete(row.key()));
            });
  }

  private static <T> CompletionStage<Void> each(
      List<T> items, Function<T, CompletionStage<Void>> step) {
    CompletionStage<Void> all = CompletableFuture.completedStage(null);
    for (T item : items) {
      all = all.thenCompose(done -> step.apply(item));
    }
    return all;
  }

  // ---- looking ----

  static OperationRows.Row decode(Bytes row) {
    return StateJson.decode(row, OperationRows.Row.class);
  }

  private CompletionStage<Optional<OperationRows.Row>> find(String id) {
    return store.get(OperationRows.key(id)).thenApply(row -> row.map(OperationsClient::decode));
  }

  @Override
  public CompletionStage<OperationInfo> get(Principal caller, String id) {
    if (!OperationRows.isId(id)) {
      return CompletableFuture.failedFuture(notFound(id));
    }
    LiveOperation here = live.get(id);
    CompletionStage<OperationInfo> info =
        here != null
            ? CompletableFuture.completedStage(here.info())
            : find(id).thenApply(row -> row.orElseThrow(() -> notFound(id)).info());
    return info.handle(
        (found, failure) -> {
          if (failure != null) {
            throw Calls.explain(failure);
          }
          if (!maySee(caller, found)) {
            throw notFound(id);
          }
          return found;
        });
  }

  static boolean maySee(Principal caller, OperationInfo operation) {
    return caller.admin() || operation.startedBy().equals(caller.name());
  }

  private static MemSpaceException notFound(String id) {
    return new MemSpaceException(
        ErrorCode.OPERATION_NOT_FOUND,
        "there is no operation [%s] of yours".formatted(id),
        Map.of("operation", id));
  }

  @Override
  public CompletionStage<Paged<OperationInfo>> list(
      Principal caller, Optional<OperationInfo.State> state, int limit, Optional<String> cursor) {
    return new OperationList(store, live, caller, state, limit).page(cursor);
  }
}
