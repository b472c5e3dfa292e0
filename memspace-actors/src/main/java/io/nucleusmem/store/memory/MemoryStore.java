package io.nucleusmem.store.memory;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.Row;
import io.nucleusmem.store.StoreChecks;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A store in memory, for unit tests and simulations: deterministic, with faults on demand.
 *
 * <p>It starts no thread. Reads, the clock and commits without fault complete before the call
 * returns; the rest completes when the test {@linkplain Held#release() releases} it, on the
 * callback executor. A {@link #crash} ends this instance and returns the next one over what
 * survived. May be used by many threads.
 */
public final class MemoryStore implements KvStore {
  private final StoreScope scope;
  private final Executor callbacks;
  private final LongSupplier millis;
  private final FaultPlan faults;
  private final Resends resends;

  // All below is guarded by this instance's lock.
  private final NavigableMap<Bytes, Bytes> rows;
  private final Map<Long, WriteBatch> sent; // the first batch of each timestamp
  private final Map<Long, WriteBatch> committed;
  private final List<Held> held = new ArrayList<>();
  private final List<IllegalStateException> violations = new ArrayList<>();
  private long newestTimestamp;
  private String endedBecause; // null while open

  /** A store without faults, on the system's clock. */
  public MemoryStore(StoreScope scope) {
    this(scope, Runnable::run, System::currentTimeMillis, FaultPlan.NONE, Resends.CHECKED);
  }

  /**
   * An empty store.
   *
   * @param scope what it says of itself; nothing else depends on it but {@link #crash}
   * @param callbacks completes the stages that are not complete when their call returns
   * @param millis the clock, in milliseconds since 1970; may stand still and go back
   * @param faults decides what becomes of each commit
   * @param resends what a timestamp used again means
   */
  public MemoryStore(
      StoreScope scope,
      Executor callbacks,
      LongSupplier millis,
      FaultPlan faults,
      Resends resends) {
    this(scope, callbacks, millis, faults, resends, new TreeMap<>(), Map.of(), Map.of(), 0);
  }

  private MemoryStore(
      StoreScope scope,
      Executor callbacks,
      LongSupplier millis,
      FaultPlan faults,
      Resends resends,
      NavigableMap<Bytes, Bytes> rows,
      Map<Long, WriteBatch> sent,
      Map<Long, WriteBatch> committed,
      long newestTimestamp) {
    this.scope = scope;
    this.callbacks = callbacks;
    this.millis = millis;
    this.faults = faults;
    this.resends = resends;
    this.rows = rows;
    this.sent = new HashMap<>(sent);
    this.committed = new HashMap<>(committed);
    this.newestTimestamp = newestTimestamp;
  }

  // ---- reads ----

  @Override
  public synchronized CompletionStage<Optional<Bytes>> get(Bytes key) {
    return answer(
        () -> {
          StoreChecks.key(key);
          return Optional.ofNullable(rows.get(key));
        });
  }

  @Override
  public synchronized CompletionStage<Map<Bytes, Bytes>> getAll(Collection<Bytes> keys) {
    return answer(
        () -> {
          StoreChecks.keys(keys);
          Map<Bytes, Bytes> found = new LinkedHashMap<>();
          keys.stream().filter(rows::containsKey).forEach(key -> found.put(key, rows.get(key)));
          return found;
        });
  }

  @Override
  public synchronized CompletionStage<Page> scan(KeyRange range, int limit, Direction direction) {
    return answer(
        () -> {
          StoreChecks.scan(range, limit);
          List<Row> page = new ArrayList<>();
          for (Map.Entry<Bytes, Bytes> row : within(range, direction).entrySet()) {
            if (page.size() == limit) {
              return new Page(page, Optional.of(restBehindRow(range, page, direction)));
            }
            page.add(new Row(row.getKey(), row.getValue()));
          }
          return new Page(page, Optional.empty());
        });
  }

  @Override
  public synchronized CompletionStage<Page> scanFloor(
      KeyRange range, long revision, int limit, Direction direction) {
    return answer(
        () -> {
          StoreChecks.scanFloor(range, revision, limit);
          List<Row> page = new ArrayList<>();
          KeyRange rest = range;
          for (int prefixes = 0; ; prefixes++) {
            NavigableMap<Bytes, Bytes> left = within(rest, direction);
            if (left.isEmpty()) {
              return new Page(page, Optional.empty());
            }
            if (prefixes == limit) {
              return new Page(page, Optional.of(rest));
            }
            Bytes prefix = prefixOf(left.firstKey());
            Map.Entry<Bytes, Bytes> floor = rows.ceilingEntry(versionKey(prefix, revision));
            if (floor != null && prefixOf(floor.getKey()).equals(prefix)) {
              page.add(new Row(floor.getKey(), floor.getValue()));
            }
            rest =
                direction == Direction.DESCENDING
                    ? rest.endingAt(prefix)
                    : rest.startingAt(KeyRange.after(prefix));
            if (rest.from().isEmpty() && direction == Direction.ASCENDING) {
              return new Page(page, Optional.empty()); // no key lies behind a prefix of FF bytes
            }
          }
        });
  }

  private NavigableMap<Bytes, Bytes> within(KeyRange range, Direction direction) {
    if (range.isEmpty()) {
      return new TreeMap<>();
    }
    NavigableMap<Bytes, Bytes> within =
        range.to().isEmpty()
            ? rows.tailMap(range.from(), true)
            : rows.subMap(range.from(), true, range.to(), false);
    return direction == Direction.ASCENDING ? within : within.descendingMap();
  }

  private static KeyRange restBehindRow(KeyRange range, List<Row> page, Direction direction) {
    Bytes last = page.get(page.size() - 1).key();
    return direction == Direction.ASCENDING
        ? range.startingAt(last.concat(Bytes.wrap(new byte[1])))
        : range.endingAt(last);
  }

  private static Bytes prefixOf(Bytes key) {
    if (key.length() < VERSION_BYTES) {
      throw new StoreException(
          "key [%s] in a floor scan is shorter than a version's %d bytes"
              .formatted(key, VERSION_BYTES));
    }
    return key.slice(0, key.length() - VERSION_BYTES);
  }

  private static Bytes versionKey(Bytes prefix, long revision) {
    byte[] inverted = new byte[VERSION_BYTES];
    for (int i = 0; i < VERSION_BYTES; i++) {
      inverted[i] = (byte) (~revision >>> (56 - 8 * i));
    }
    return prefix.concat(Bytes.wrap(inverted));
  }

  // ---- commits ----

  @Override
  public CompletionStage<Void> commit(WriteBatch batch) {
    synchronized (this) {
      if (endedBecause != null) {
        return CompletableFuture.failedFuture(ended());
      }
      try {
        StoreChecks.batch(batch);
        checkSealed(batch);
      } catch (RuntimeException e) {
        return CompletableFuture.failedFuture(e);
      }
      return fate(batch, faults.onCommit(batch));
    }
  }

  private CompletionStage<Void> fate(WriteBatch batch, Fault fault) {
    switch (fault) {
      case NONE:
        return settled(write(batch));
      case TRANSIENT:
        return CompletableFuture.failedFuture(
            new TransientStoreException("injected: nothing was written"));
      case LOST_ANSWER:
        write(batch);
        return CompletableFuture.failedFuture(
            new UndeterminedCommitException("injected: the answer was lost"));
      case LATE:
        held.add(new Held(batch, fault, Optional.empty()));
        return CompletableFuture.failedFuture(
            new UndeterminedCommitException("injected: the request is late"));
      case SLOW:
        held.add(new Held(batch, fault, Optional.empty()));
        break;
      case SLOW_ANSWER:
        held.add(new Held(batch, fault, Optional.of(write(batch))));
        break;
      default:
        throw new IllegalStateException("fault [%s]".formatted(fault));
    }
    return held.get(held.size() - 1).stage;
  }

  /** A timestamp belongs to one batch for ever. */
  private void checkSealed(WriteBatch batch) {
    WriteBatch first = sent.putIfAbsent(batch.timestamp(), batch);
    if (resends != Resends.SWALLOWED && first != null && !first.ops().equals(batch.ops())) {
      IllegalStateException violation =
          new IllegalStateException(
              "timestamp [%d] was sent with [%s], now with [%s]; a batch is sealed when it is sent"
                  .formatted(batch.timestamp(), first.ops(), batch.ops()));
      violations.add(violation);
      throw violation;
    }
  }

  /** Writes the batch if its conditions hold; the reason if they do not. */
  private Optional<StoreException> write(WriteBatch batch) {
    if (resends != Resends.REFUSED_BY_OWN_ROW && committed.containsKey(batch.timestamp())) {
      return Optional.empty();
    }
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Insert && rows.containsKey(op.key())) {
        return Optional.of(RefusedCommitException.exists(op.key(), rows.get(op.key())));
      }
    }
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Require && !rows.containsKey(op.key())) {
        return Optional.of(RefusedCommitException.missing(op.key()));
      }
    }
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Insert insert) {
        rows.put(insert.key(), insert.value());
      } else if (op instanceof WriteBatch.Put put) {
        rows.put(put.key(), put.value());
      } else if (op instanceof WriteBatch.Delete) {
        rows.remove(op.key());
      }
    }
    committed.put(batch.timestamp(), batch);
    return Optional.empty();
  }

  private static CompletionStage<Void> settled(Optional<StoreException> refusal) {
    return refusal
        .<CompletionStage<Void>>map(CompletableFuture::failedFuture)
        .orElseGet(() -> CompletableFuture.completedFuture(null));
  }

  // ---- the clock, and the end ----

  @Override
  public synchronized CompletionStage<Long> now() {
    return answer(
        () -> {
          newestTimestamp = Math.max(newestTimestamp + 1, Timestamps.firstOf(millis.getAsLong()));
          return newestTimestamp;
        });
  }

  @Override
  public StoreScope scope() {
    return scope;
  }

  @Override
  public synchronized CompletionStage<Void> ping() {
    return answer(() -> null);
  }

  /** Releases what is held, in the order it came, then ends. */
  @Override
  public void close() {
    while (true) {
      Held next;
      synchronized (this) {
        if (endedBecause != null || held.isEmpty()) {
          endedBecause = endedBecause == null ? "the store is closed" : endedBecause;
          return;
        }
        next = held.get(0);
      }
      next.release();
    }
  }

  private <T> CompletionStage<T> answer(Supplier<T> work) {
    if (endedBecause != null) {
      return CompletableFuture.failedFuture(ended());
    }
    try {
      return CompletableFuture.completedFuture(work.get());
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private StoreException ended() {
    return new StoreException(endedBecause);
  }

  // ---- what a test does to it ----

  /** Late requests and slow commits that wait to be released, oldest first. */
  public synchronized List<Held> held() {
    return List.copyOf(held);
  }

  /** Batches that were sent under the timestamp of another; a right writer leaves none. */
  public synchronized List<IllegalStateException> violations() {
    return List.copyOf(violations);
  }

  /** Every row as it is now. */
  public synchronized NavigableMap<Bytes, Bytes> rows() {
    return new TreeMap<>(rows);
  }

  /** The store opened again after an orderly close: the same rows, the clock continues. */
  public synchronized MemoryStore reopen() {
    if (endedBecause == null) {
      throw new IllegalStateException("the store is still open");
    }
    return successor();
  }

  /**
   * The process dies between two commits. Stages that wait fail as undetermined, later calls fail
   * finally.
   *
   * <p>Rows that could be read were synced and survive. Of the {@link Fault#SLOW} commits, which
   * nobody has seen, the first few had reached the disk. {@link Fault#LATE} requests are under way
   * in a network and stay held, on the next instance, if the scope is {@code REGION}; an embedded
   * store has no network and forgets them.
   *
   * @param landed how many of the slow commits were on the disk: 0 loses all that was not synced,
   *     {@code Integer.MAX_VALUE} nothing
   * @return the store, opened again over what survived; its clock continues behind this one's
   */
  public MemoryStore crash(int landed) {
    MemoryStore next;
    List<Held> waiting = new ArrayList<>();
    synchronized (this) {
      if (endedBecause != null) {
        throw new IllegalStateException("crash of an ended store: [%s]".formatted(endedBecause));
      }
      int left = landed;
      for (Held each : held) {
        if (each.fault == Fault.SLOW && left-- > 0) {
          write(each.batch);
        }
      }
      next = successor();
      for (Held each : held) {
        if (each.fault != Fault.LATE) {
          waiting.add(each);
        } else if (scope == StoreScope.REGION) {
          next.held.add(next.new Held(each.batch, Fault.LATE, Optional.empty()));
        }
      }
      held.clear();
      endedBecause = "the store has crashed";
    }
    for (Held each : waiting) {
      callbacks.execute(
          () ->
              each.stage.completeExceptionally(
                  new UndeterminedCommitException("injected: the store crashed meanwhile")));
    }
    return next;
  }

  private MemoryStore successor() {
    MemoryStore next =
        new MemoryStore(
            scope,
            callbacks,
            millis,
            faults,
            resends,
            new TreeMap<>(rows),
            sent,
            committed,
            newestTimestamp);
    next.violations.addAll(violations);
    return next;
  }

  /** A commit that waits for the test. */
  public final class Held {
    private final WriteBatch batch;
    private final Fault fault;
    private final Optional<Optional<StoreException>> written; // empty: not tried yet
    private final CompletableFuture<Void> stage = new CompletableFuture<>();

    private Held(WriteBatch batch, Fault fault, Optional<Optional<StoreException>> written) {
      this.batch = batch;
      this.fault = fault;
      this.written = written;
    }

    /** What is to be written. */
    public WriteBatch batch() {
      return batch;
    }

    /** {@code LATE}, {@code SLOW} or {@code SLOW_ANSWER}. */
    public Fault fault() {
      return fault;
    }

    /**
     * Lets it go on: a request is written if its conditions hold now, and whoever waits is
     * answered.
     *
     * @throws IllegalStateException if it was released before
     */
    public void release() {
      Optional<StoreException> refusal;
      synchronized (MemoryStore.this) {
        takeOut();
        refusal = written.orElseGet(() -> write(batch));
      }
      callbacks.execute(
          () -> refusal.ifPresentOrElse(stage::completeExceptionally, () -> stage.complete(null)));
    }

    /**
     * Loses it: a request is never written, and whoever waits learns that the outcome is unknown.
     *
     * @throws IllegalStateException if it was released before
     */
    public void drop() {
      synchronized (MemoryStore.this) {
        takeOut();
      }
      callbacks.execute(
          () ->
              stage.completeExceptionally(
                  new UndeterminedCommitException("injected: the answer was lost")));
    }

    private void takeOut() {
      if (!held.remove(this)) {
        throw new IllegalStateException(
            "commit at [%d] is not held any more".formatted(batch.timestamp()));
      }
    }
  }
}
