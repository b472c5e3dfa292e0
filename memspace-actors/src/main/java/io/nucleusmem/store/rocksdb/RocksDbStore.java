package io.nucleusmem.store.rocksdb;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.Page;
import io.nucleusmem.store.StoreChecks;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.WriteBatch;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedded store: RocksDB in this process, in a directory that no other process may use.
 *
 * <p>Commits: one thread merges what waits into one synced write. A batch that was applied and is
 * sent again is refused by its own row.
 *
 * <p>Reads: tried on the caller's thread with what is in memory, where they never wait for the
 * disk; what needs the disk goes to a bounded pool, and fails as busy beyond it.
 *
 * <p>Durability: acknowledged commits survive kill -9 and power loss. At start RocksDB reads its
 * log up to the first record that does not check. That is the torn end of a write that nobody was
 * told of, or damage. It is taken for damage, and the store does not open, if another write begins
 * behind it in the same log ({@link LogCheck}), or if commits are missing that were acknowledged
 * when the {@link Mark} was last written: at an orderly close, else some seconds of use back. So
 * what damage can still hide in is the very last write before a crash, which looks like a torn one,
 * and a log that was cut off cleanly within the seconds since the mark. Damage to table files shows
 * when they are read, by their checksums.
 *
 * <p>A write that fails is the last until the store is opened again: see {@link CommitThread}.
 */
public final class RocksDbStore implements KvStore {
  private static final Logger LOG = LoggerFactory.getLogger(RocksDbStore.class);
  private static final Bytes PING_KEY = Bytes.utf8("ping");
  private static final long SKEW_WARN_MILLIS = 10_000;

  private final RocksDbSettings settings;
  private final Executor callbacks;
  private final DataDir dir;
  private final Database database;
  private final StoreClock clock;
  private final CommitThread commits;
  private final Reads reads;
  private final ReadContext.Pool contexts = new ReadContext.Pool();
  private final UseGuard guard = new UseGuard();
  private final ThreadPoolExecutor readThreads;
  private boolean closed; // guarded by this

  private RocksDbStore(
      RocksDbSettings settings,
      Executor callbacks,
      DataDir dir,
      Database database,
      StoreClock clock) {
    this.settings = settings;
    this.callbacks = callbacks;
    this.dir = dir;
    this.database = database;
    this.clock = clock;
    this.commits = new CommitThread(database.rocks(), settings, callbacks);
    this.reads = new Reads(database.rocks());
    this.readThreads = readThreads(settings);
  }

  /**
   * Opens the store, or makes one where there is none. Blocks; recovery reads what was committed
   * since the last write buffer became a file.
   *
   * @param callbacks completes the stages that are not complete when their call returns
   * @throws StoreException if the directory is in use, damaged, of a newer format, or cannot be
   *     written
   */
  public static RocksDbStore open(RocksDbSettings settings, Executor callbacks) {
    return open(settings, callbacks, System::currentTimeMillis);
  }

  static RocksDbStore open(RocksDbSettings settings, Executor callbacks, LongSupplier millis) {
    DataDir dir = DataDir.open(settings.dir());
    Mark.File marks = null;
    Database database = null;
    try {
      marks = dir.clock(new Mark(0, 0));
      Mark mark = marks.read();
      LogCheck.check(dir.db());
      dir.loadNative();
      database = Database.open(dir, settings);
      long sequence = database.rocks().getLatestSequenceNumber();
      if (sequence < mark.sequence()) {
        throw new StoreException(
            ("data directory [%s] has lost acknowledged commits: it ends at [%d], [%d] was written"
                    + " down; its log is damaged or a file is gone, restore it from a backup")
                .formatted(dir.path(), sequence, mark.sequence()));
      }
      if (dir.fresh()) {
        dir.created();
      }
      long ahead = Timestamps.millis(mark.bound()) - millis.getAsLong();
      if (ahead > SKEW_WARN_MILLIS) {
        LOG.warn(
            "the clock of data directory [{}] is [{}] ms ahead of this machine's; its time stands"
                + " until the machine has caught up",
            dir.path(),
            ahead);
      }
      StoreClock clock =
          new StoreClock(marks, mark, millis, database.rocks()::getLatestSequenceNumber, callbacks);
      return new RocksDbStore(settings, callbacks, dir, database, clock);
    } catch (IOException e) {
      closeAll(database, marks, dir);
      throw DataDir.unusable(dir.path(), "cannot be read and written", e);
    } catch (RuntimeException | Error e) {
      closeAll(database, marks, dir);
      throw e;
    }
  }

  private static ThreadPoolExecutor readThreads(RocksDbSettings settings) {
    AtomicInteger number = new AtomicInteger();
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            settings.readThreads(),
            settings.readThreads(),
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(settings.readQueueMax()),
            task -> {
              Thread thread = new Thread(task, "nucleusmem-store-read-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  // ---- reads ----

  @Override
  public CompletionStage<Optional<Bytes>> get(Bytes key) {
    return read(() -> StoreChecks.key(key), reads.get(key));
  }

  @Override
  public CompletionStage<Map<Bytes, Bytes>> getAll(Collection<Bytes> keys) {
    List<Bytes> copy = List.copyOf(keys);
    return read(() -> StoreChecks.keys(copy), reads.getAll(copy));
  }

  @Override
  public CompletionStage<Page> scan(KeyRange range, int limit, Direction direction) {
    return read(() -> StoreChecks.scan(range, limit), reads.scan(range, limit, direction));
  }

  @Override
  public CompletionStage<Page> scanFloor(
      KeyRange range, long revision, int limit, Direction direction) {
    return read(
        () -> StoreChecks.scanFloor(range, revision, limit),
        reads.scanFloor(range, revision, limit, direction));
  }

  private <T> CompletionStage<T> read(Runnable check, Reads.Read<T> read) {
    try {
      check.run();
      return CompletableFuture.completedFuture(guarded(read, true));
    } catch (RocksDBException e) {
      return isIncomplete(e) ? readOnPool(read) : CompletableFuture.failedFuture(readFailed(e));
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private <T> CompletionStage<T> readOnPool(Reads.Read<T> read) {
    CompletableFuture<T> stage = new CompletableFuture<>();
    try {
      readThreads.execute(
          () -> {
            try {
              T found = guarded(read, false);
              Callbacks.run(callbacks, () -> stage.complete(found));
            } catch (RocksDBException | RuntimeException e) {
              StoreException failure = e instanceof StoreException known ? known : readFailed(e);
              Callbacks.run(callbacks, () -> stage.completeExceptionally(failure));
            }
          });
      return stage;
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(
          readThreads.isShutdown()
              ? closedFailure()
              : new TransientStoreException(
                  "busy: [%d] reads wait for the disk; at most %d may"
                      .formatted(readThreads.getQueue().size(), settings.readQueueMax()),
                  e));
    }
  }

  private <T> T guarded(Reads.Read<T> read, boolean memoryOnly) throws RocksDBException {
    if (!guard.enter()) {
      throw closedFailure();
    }
    try {
      ReadContext context = contexts.take();
      boolean sound = false;
      try {
        T found = read.run(context, memoryOnly);
        sound = true;
        return found;
      } finally {
        contexts.give(context, sound);
      }
    } finally {
      guard.exit();
    }
  }

  private static boolean isIncomplete(RocksDBException e) {
    return e.getStatus() != null && e.getStatus().getCode() == Status.Code.Incomplete;
  }

  private StoreException readFailed(Exception cause) {
    return new StoreException(
        "data directory [%s] could not be read (%s)".formatted(dir.path(), cause), cause);
  }

  private StoreException closedFailure() {
    return new StoreException("the store in [%s] is closed".formatted(dir.path()));
  }

  // ---- commits, clock, end ----

  @Override
  public CompletionStage<Void> commit(WriteBatch batch) {
    try {
      StoreChecks.batch(batch);
      return commits.commit(batch);
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public CompletionStage<Long> now() {
    if (!guard.enter()) {
      return CompletableFuture.failedFuture(closedFailure());
    }
    try {
      return clock.now();
    } finally {
      guard.exit();
    }
  }

  @Override
  public StoreScope scope() {
    return StoreScope.ALL;
  }

  @Override
  public CompletionStage<Boolean> reclaim(List<KeyRange> ranges) {
    // a write of its own: with a write buffer that is empty nothing would be flushed, and its log
    // stay
    return now()
        .thenCompose(now -> commit(WriteBatch.at(now).delete(PING_KEY).build()))
        .thenCompose(
            written -> {
              CompletableFuture<Boolean> done = new CompletableFuture<>();
              Thread thread = new Thread(() -> reclaim(ranges, done), "nucleusmem-store-reclaim");
              thread.setDaemon(true);
              thread.start();
              return done;
            });
  }

  private void reclaim(List<KeyRange> ranges, CompletableFuture<Boolean> done) {
    if (!guard.enter()) {
      done.completeExceptionally(closedFailure());
      return;
    }
    try {
      new Reclaim(database.rocks(), dir.db(), contexts::close).run(ranges);
      Callbacks.run(callbacks, () -> done.complete(true));
    } catch (RuntimeException e) {
      Callbacks.run(callbacks, () -> done.completeExceptionally(e));
    } finally {
      guard.exit();
    }
  }

  /** Fails if writes do, too. */
  @Override
  public CompletionStage<Void> ping() {
    return commits
        .failure()
        .<CompletionStage<Void>>map(CompletableFuture::failedFuture)
        .orElseGet(() -> get(PING_KEY).thenApply(found -> null));
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    commits.close();
    readThreads.shutdown();
    awaitReads();
    guard.end();
    contexts.close();
    try (dir;
        database;
        clock) {
      LOG.debug("closing the store in [{}]", dir.path());
    } catch (IOException e) {
      throw DataDir.unusable(dir.path(), "could not take the clock's last mark", e);
    }
  }

  private void awaitReads() {
    boolean interrupted = false;
    while (true) {
      try {
        if (readThreads.awaitTermination(1, TimeUnit.MINUTES)) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void closeAll(Database database, Mark.File marks, DataDir dir) {
    try (dir;
        marks) {
      if (database != null) {
        database.close();
      }
    } catch (IOException e) {
      LOG.warn("data directory [{}] could not be closed after it failed to open", dir.path(), e);
    }
  }
}
