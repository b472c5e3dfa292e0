package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that writes: whatever waits becomes one RocksDB batch and one flush of its log.
 *
 * <p>Conditions are checked here, against the database and the rows of the group that is being
 * made; a batch that is refused leaves the group and harms no other.
 *
 * <p>When a write fails, nothing more is written until the store is opened again. Its group may or
 * may not be in the log, so it is undetermined, and stays so when it is sent again. We do not call
 * RocksDB's {@code resume()}: after a failed flush the kernel may have dropped the pages it could
 * not write, and a later flush that succeeds proves nothing about them. Opening reads what is
 * there.
 */
final class CommitThread implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(CommitThread.class);

  static final int GROUP_MAX = 1_024; // batches; bounds how long one flush may grow
  static final int GROUP_BYTES_MAX = 4 << 20; // beyond, a batch more makes latency, not throughput

  private static final byte[] NO_VALUE = new byte[0];

  /** Head of the stack when the thread has ended: nothing can be pushed any more. */
  private static final Pending ENDED = new Pending(WriteBatch.at(0).build());

  /** Why nothing is written any more, and the timestamps of which nobody knows the outcome. */
  private record Stopped(StoreException why, Set<Long> undetermined) {}

  private final RocksDB db;
  private final WriteOptions synced = new WriteOptions().setSync(true);
  private final ReadOptions reading = new ReadOptions();
  private final RocksDbSettings settings;
  private final Executor callbacks;
  private final Thread thread = new Thread(this, "nucleusmem-store-commit");

  // A stack that callers push to and the thread takes whole: no allocation, no lock.
  private final AtomicReference<Pending> head = new AtomicReference<>();
  private final AtomicInteger queued = new AtomicInteger();
  private final AtomicLong queuedBytes = new AtomicLong();
  private volatile boolean asleep;
  private volatile boolean closing;
  private volatile Stopped stopped;

  // ---- the thread's own ----
  private final ArrayDeque<Pending> backlog = new ArrayDeque<>();
  private final Map<Bytes, Optional<Bytes>> groupRows = new HashMap<>(); // empty: removed
  private int groupRowsOf; // members of the group whose rows groupRows holds

  CommitThread(RocksDB db, RocksDbSettings settings, Executor callbacks) {
    this.db = db;
    this.settings = settings;
    this.callbacks = callbacks;
    thread.setDaemon(true);
    thread.start();
  }

  // ---- callers ----

  CompletionStage<Void> commit(WriteBatch batch) {
    Stopped stop = stopped;
    if (stop != null) {
      return CompletableFuture.failedFuture(refusal(stop, batch));
    }
    Pending pending = new Pending(batch);
    int count = queued.incrementAndGet();
    long bytes = queuedBytes.addAndGet(pending.bytes());
    if (count > settings.commitQueueMax() || bytes > settings.commitQueueBytesMax()) {
      queued.decrementAndGet();
      queuedBytes.addAndGet(-pending.bytes());
      return CompletableFuture.failedFuture(busy(count, bytes));
    }
    Pending before;
    do {
      before = head.get();
      if (before == ENDED || closing) {
        return CompletableFuture.failedFuture(new StoreException("the store is closed"));
      }
      pending.next = before;
    } while (!head.compareAndSet(before, pending));
    if (before == null && asleep) {
      LockSupport.unpark(thread);
    }
    return pending.stage;
  }

  /** Why the store does not write; empty while it does. */
  Optional<StoreException> failure() {
    return Optional.ofNullable(stopped).map(Stopped::why);
  }

  /** Finishes what was accepted, then ends. */
  void close() {
    closing = true;
    LockSupport.unpark(thread);
    Threads.join(thread);
    synced.close();
    reading.close();
  }

  private TransientStoreException busy(int count, long bytes) {
    return new TransientStoreException(
        "busy: with this one [%d] commits of [%d] bytes would wait; at most %d of %d may"
            .formatted(count, bytes, settings.commitQueueMax(), settings.commitQueueBytesMax()));
  }

  // ---- the thread ----

  @Override
  public void run() {
    while (true) {
      take(head.getAndSet(null));
      if (!backlog.isEmpty()) {
        commitGroup();
      } else if (closing) {
        Pending last = head.getAndSet(ENDED);
        if (last == null) {
          return;
        }
        take(last);
        while (!backlog.isEmpty()) {
          commitGroup();
        }
        return;
      } else {
        awaitWork();
      }
    }
  }

  /** Appends a stack to the backlog, oldest first. */
  private void take(Pending newest) {
    Pending oldest = null;
    for (Pending each = newest; each != null; ) {
      Pending older = each.next;
      each.next = oldest;
      oldest = each;
      each = older;
    }
    for (Pending each = oldest; each != null; ) {
      Pending newer = each.next;
      each.next = null; // or a chain of old ones would keep each other alive
      backlog.add(each);
      each = newer;
    }
  }

  private void awaitWork() {
    long until = System.nanoTime() + settings.commitSpin().toNanos();
    do { // waking a thread costs as much as a good part of a flush; so look a little while
      if (head.get() != null || closing) {
        return;
      }
      Thread.onSpinWait();
    } while (System.nanoTime() < until);
    asleep = true;
    while (head.get() == null && !closing) {
      LockSupport.park(this);
    }
    asleep = false;
  }

  private void commitGroup() {
    List<Pending> taken = new ArrayList<>(Math.min(GROUP_MAX, backlog.size()));
    List<Pending> members = new ArrayList<>(taken.size());
    int size = 0;
    long takenBytes = 0;
    boolean writing = false;
    groupRows.clear();
    groupRowsOf = 0;
    try {
      for (Pending next; taken.size() < GROUP_MAX && (next = backlog.peek()) != null; ) {
        if (!members.isEmpty() && size + next.encoded.length > GROUP_BYTES_MAX) {
          break;
        }
        taken.add(backlog.poll());
        takenBytes += next.bytes();
        next.failure = stopped != null ? refusal(stopped, next.batch) : admit(next, members);
        if (next.failure == null) {
          members.add(next);
          size += next.encoded.length - Pending.HEADER_BYTES;
        }
      }
      if (size > 0) {
        writing = true;
        write(Pending.join(members, size));
      }
    } catch (RocksDBException | RuntimeException | Error e) {
      stop(e, writing ? members : List.of());
      for (Pending each : taken) {
        if (each.failure == null || each.failure instanceof RefusedCommitException) {
          each.failure = refusal(stopped, each.batch); // the row that refused may not be written
        }
      }
    }
    queued.addAndGet(-taken.size());
    queuedBytes.addAndGet(-takenBytes);
    Callbacks.run(callbacks, () -> taken.forEach(Pending::complete));
  }

  private void write(byte[] encoded) throws RocksDBException {
    try (var batch = new org.rocksdb.WriteBatch(encoded)) {
      db.write(synced, batch);
    }
  }

  /** Why the batch cannot join the group; null if it can. */
  private StoreException admit(Pending next, List<Pending> members) {
    if (!next.conditional) {
      return null;
    }
    for (; groupRowsOf < members.size(); groupRowsOf++) {
      for (WriteBatch.Op op : members.get(groupRowsOf).batch.ops()) {
        if (!(op instanceof WriteBatch.Require)) {
          groupRows.put(op.key(), Optional.ofNullable(Pending.valueOf(op)));
        }
      }
    }
    try {
      return brokenCondition(next.batch);
    } catch (RocksDBException e) {
      return new StoreException(
          "data directory [%s]: the conditions of a batch could not be read (%s); nothing was written"
              .formatted(settings.dir(), e.getMessage()),
          e);
    }
  }

  private StoreException brokenCondition(WriteBatch batch) throws RocksDBException {
    StoreException missing = null;
    for (WriteBatch.Op op : batch.ops()) {
      if (op instanceof WriteBatch.Insert) {
        if (exists(op.key())) {
          return RefusedCommitException.exists(op.key(), valueOf(op.key()));
        }
      } else if (missing == null && op instanceof WriteBatch.Require && !exists(op.key())) {
        missing = RefusedCommitException.missing(op.key()); // unless an insert fails too
      }
    }
    return missing;
  }

  /** Cheap for keys that are not there: filters answer for files and write buffer. */
  private boolean exists(Bytes key) throws RocksDBException {
    Optional<Bytes> pending = groupRows.isEmpty() ? null : groupRows.get(key);
    return pending != null
        ? pending.isPresent()
        : db.get(reading, key.shared(), NO_VALUE) != RocksDB.NOT_FOUND;
  }

  private Bytes valueOf(Bytes key) throws RocksDBException {
    Optional<Bytes> pending = groupRows.get(key);
    return pending != null && pending.isPresent()
        ? pending.get()
        : Bytes.wrap(db.get(reading, key.shared()));
  }

  /** The write of a group failed: it is the last. */
  private void stop(Throwable cause, List<Pending> undetermined) {
    stopped =
        new Stopped(
            new StoreException(
                ("data directory [%s] takes no more writes since one failed (%s); reads go on. See to"
                        + " its disk, then open the store again")
                    .formatted(settings.dir(), cause),
                cause),
            undetermined.stream()
                .map(each -> each.batch.timestamp())
                .collect(Collectors.toUnmodifiableSet()));
    LOG.error("{}", stopped.why().getMessage(), cause);
  }

  private static StoreException refusal(Stopped stop, WriteBatch batch) {
    return stop.undetermined().contains(batch.timestamp())
        ? new UndeterminedCommitException(
            "the write of batch at [%d] failed; whether it is in the log shows when the store is opened again"
                .formatted(batch.timestamp()),
            stop.why())
        : new StoreException(stop.why().getMessage(), stop.why());
  }
}
