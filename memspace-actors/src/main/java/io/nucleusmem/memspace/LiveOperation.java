package io.nucleusmem.memspace;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * An operation that runs on this node: what it has told so far, and its writes, which go one after
 * the other and only as long as the run is the operation's own.
 */
final class LiveOperation implements OperationRun {
  private static final int VALUES_MAX = 64; // names that one operation may tell

  /** Writes a row while the run is the operation's; false: it is not any more. */
  interface Writer {
    CompletionStage<Boolean> write(OperationRows.Run run, OperationRows.Row row);
  }

  private final OperationRows.Run run;
  private final boolean resumed;
  private final String node;
  private final Duration lease;
  private final Writer writer;

  // guarded by this
  private OperationRows.Row row;
  private final Map<String, Object> about = new LinkedHashMap<>();
  private final Map<String, Object> progress = new LinkedHashMap<>();
  private boolean changed;
  private boolean ended;
  private CompletionStage<Boolean> writing = CompletableFuture.completedStage(true);
  private volatile boolean stopped;

  LiveOperation(
      OperationRows.Row row,
      OperationRows.Run run,
      boolean resumed,
      String node,
      Duration lease,
      Writer writer) {
    this.row = row;
    this.run = run;
    this.resumed = resumed;
    this.node = node;
    this.lease = lease;
    this.writer = writer;
    about.putAll(row.about() == null ? Map.of() : row.about());
  }

  @Override
  public String id() {
    return run.id();
  }

  @Override
  public synchronized Principal caller() {
    return row.principal();
  }

  @Override
  public synchronized Map<String, Object> arguments() {
    return row.arguments() == null ? Map.of() : row.arguments();
  }

  @Override
  public boolean isResumed() {
    return resumed;
  }

  @Override
  public boolean isStopped() {
    return stopped;
  }

  @Override
  public void progress(String name, Object value) {
    tell(progress, name, value);
  }

  @Override
  public void about(String name, Object value) {
    tell(about, name, value);
  }

  private synchronized void tell(Map<String, Object> map, String name, Object value) {
    if (map.size() >= VALUES_MAX && !map.containsKey(name)) {
      throw new IllegalArgumentException(
          "operation [%s] tells [%d] things already; [%s] does not fit"
              .formatted(run.id(), VALUES_MAX, name));
    }
    map.put(name, value);
    changed = true;
  }

  OperationRows.Run run() {
    return run;
  }

  /** As it is now, what is not written down yet included. */
  synchronized OperationInfo info() {
    return ended
        ? row.info()
        : row.running(
                new LinkedHashMap<>(about),
                new LinkedHashMap<>(progress),
                node,
                row.leaseUntil(),
                row.updatedAt())
            .info();
  }

  /** The node is stopping: nothing more is written, so that the operation is taken up again. */
  void stop() {
    stopped = true;
  }

  /** Writes what is new, and that the operation is still alive, where one of both is due. */
  synchronized void beat(long now) {
    boolean due = row.leaseUntil() - now < lease.toMillis() / 2;
    if (stopped || ended || !writing.toCompletableFuture().isDone() || !changed && !due) {
      return;
    }
    changed = false;
    row =
        row.running(
            new LinkedHashMap<>(about),
            new LinkedHashMap<>(progress),
            node,
            now + lease.toMillis(),
            now);
    write();
  }

  synchronized CompletionStage<Boolean> done(Map<String, Object> result, long now) {
    ended = true;
    row = row.done(about, progress, result, now);
    return write();
  }

  synchronized CompletionStage<Boolean> failed(MemSpaceException why, long now) {
    ended = true;
    row = row.failed(about, progress, why.code().label(), why.getMessage(), now);
    return write();
  }

  private CompletionStage<Boolean> write() {
    OperationRows.Row next = row;
    writing =
        writing
            .exceptionally(failure -> true) // the next write says all that this one did
            .thenCompose(
                own ->
                    own
                        ? writer.write(run, next)
                        : CompletableFuture.<Boolean>completedStage(false))
            .thenApply(
                own -> {
                  if (!own) {
                    stopped = true;
                  }
                  return own;
                });
    return writing;
  }
}
