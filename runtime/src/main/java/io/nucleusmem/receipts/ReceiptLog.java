package io.nucleusmem.receipts;

import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes the receipts of one node, in one order, by one thread of its own: whatever waits goes into
 * the next commit, and there is one commit at a time.
 *
 * <p>A record has a ticket. What must be durable before it has an effect waits for its ticket, and
 * hurries the writer; what nobody waits for is written with the next round, or a little later. Not
 * an actor: its thread sleeps for less than a scheduler can count, so that all subscribers of one
 * write are in one round.
 */
public final class ReceiptLog implements AutoCloseable {
  private static final long QUIET_NANOS = 30_000; // nobody came: the round is complete
  private static final int CONFIRMED_MAX = 2_000; // lives whose mark one round writes
  private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

  private record Waiting(long ticket, CompletableFuture<Void> stage) {}

  private final ReceiptSettings settings;
  private final long node;
  private final Executor answers;
  private final RoundWriter writer;
  private final Thread thread;
  private final AtomicLong lives = new AtomicLong();
  private final AtomicInteger watches = new AtomicInteger();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();

  // guards all below; taken behind a life's lock
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Deque<LogRecord> pending = new ArrayDeque<>();
  private final Set<LifeLog> confirming = new LinkedHashSet<>();
  private final List<Waiting> waiting = new ArrayList<>();
  private long offered; // ticket of the newest record
  private long wanted; // somebody waits for what is up to this ticket
  private long since; // when the oldest record that nobody waits for came; System.nanoTime
  private boolean closed;
  private volatile long durable; // ticket up to which all is written

  private ReceiptLog(
      KvStore store, ReceiptSettings settings, long node, Executor answers, RoundWriter writer) {
    this.settings = settings;
    this.node = node;
    this.answers = answers;
    this.writer = writer;
    this.thread = new Thread(this::run, "nucleusmem-receipts");
    thread.setDaemon(true);
  }

  /**
   * Begins a node's log.
   *
   * @param address of the node, for people to read
   * @param answers where stages are completed
   */
  public static CompletionStage<ReceiptLog> open(
      KvStore store, ReceiptSettings settings, String address, Executor answers) {
    return store
        .now()
        .thenCompose(
            now -> {
              RoundWriter writer = new RoundWriter(store, now, address, settings.roundBytesMax());
              return writer
                  .begin()
                  .thenApply(
                      begun -> {
                        ReceiptLog log = new ReceiptLog(store, settings, now, answers, writer);
                        log.thread.start();
                        return log;
                      });
            });
  }

  /** Begins a life of an agent's behavior. */
  public LifeLog begin(String agent, Began what) {
    LifeLog life = new LifeLog(this, agent, lives.incrementAndGet());
    life.began(what);
    return life;
  }

  ReceiptSettings settings() {
    return settings;
  }

  /** A watch of an agent is there: with more than one, a round waits for the others. */
  void watchOpened() {
    watches.incrementAndGet();
  }

  void watchClosed() {
    watches.decrementAndGet();
  }

  /** Commits so far: what receipts cost beside what they record. */
  public long rounds() {
    return writer.rounds();
  }

  /**
   * Adds a record; its ticket.
   *
   * @param optional it can be refused where too many wait
   */
  long offer(LogRecord record, boolean optional) {
    lock.lock();
    try {
      if (closed) {
        throw stopping();
      }
      if (optional && pending.size() >= settings.pendingMax()) {
        throw new MemSpaceException(
            ErrorCode.BUSY,
            "[%d] receipts wait to be written, as many as nucleusmem.receipts.pending-max allows; what can't be recorded is not delivered, try again later"
                .formatted(pending.size()));
      }
      boolean idle = isIdle();
      pending.add(record);
      offered++;
      wakeIf(idle);
      return offered;
    } finally {
      lock.unlock();
    }
  }

  /** The life has come further; written with the next round. */
  void confirm(LifeLog life) {
    lock.lock();
    try {
      boolean idle = isIdle();
      if (!closed && confirming.add(life)) {
        wakeIf(idle);
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean isIdle() {
    return pending.isEmpty() && confirming.isEmpty();
  }

  private void wakeIf(boolean wasIdle) {
    if (wasIdle) {
      since = System.nanoTime();
      work.signal();
    }
  }

  boolean isDurable(long ticket) {
    return durable >= ticket;
  }

  /** Completes when all records up to the ticket are on disk; fails when the node stops. */
  CompletionStage<Void> durable(long ticket) {
    if (durable >= ticket) {
      return DONE;
    }
    lock.lock();
    try {
      if (durable >= ticket) {
        return DONE;
      }
      if (closed) {
        return CompletableFuture.failedFuture(stopping());
      }
      CompletableFuture<Void> stage = new CompletableFuture<>();
      waiting.add(new Waiting(ticket, stage));
      if (wanted < ticket) {
        wanted = ticket;
        work.signal();
      }
      return stage;
    } finally {
      lock.unlock();
    }
  }

  /** Writes what waits: whoever asks afterwards finds all that came before. */
  public CompletionStage<Void> flush() {
    return durable(offeredNow());
  }

  private static MemSpaceException stopping() {
    return new MemSpaceException(
        ErrorCode.UNAVAILABLE,
        "the node is stopping: what can't be recorded is not delivered",
        Map.of("node", "stopping"));
  }

  // ---- the writer's thread ----

  private void run() {
    try {
      while (await()) {
        linger();
        write();
      }
    } catch (RuntimeException failure) {
      writer.failed(failure);
    } finally {
      finish();
    }
  }

  /** Waits until there is something to write now; false when the log is closed and empty. */
  private boolean await() {
    lock.lock();
    try {
      while (true) {
        if (isIdle()) {
          if (closed) {
            return false;
          }
          work.awaitUninterruptibly();
        } else if (closed || wanted > durable) {
          return true;
        } else {
          long left = since + settings.lazyInterval().toNanos() - System.nanoTime();
          if (left <= 0) {
            return true;
          }
          work.awaitNanos(left);
        }
      }
    } catch (InterruptedException e) {
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** The subscribers of one write are told one after the other: waits until no more come. */
  private void linger() {
    if (watches.get() < 2) {
      return;
    }
    long until = System.nanoTime() + settings.lingerMax().toNanos();
    long before = offeredNow();
    while (System.nanoTime() < until) {
      LockSupport.parkNanos(QUIET_NANOS);
      long now = offeredNow();
      if (now == before) {
        return;
      }
      before = now;
    }
  }

  private long offeredNow() {
    lock.lock();
    try {
      return offered;
    } finally {
      lock.unlock();
    }
  }

  private void write() {
    List<LogRecord> records = new ArrayList<>();
    List<LifeLog> further = new ArrayList<>();
    long upTo;
    lock.lock();
    try {
      writer.take(pending, records);
      upTo = offered - pending.size();
      if (pending.isEmpty()) {
        Iterator<LifeLog> next = confirming.iterator();
        while (next.hasNext() && further.size() < CONFIRMED_MAX) {
          further.add(next.next());
          next.remove();
        }
      }
    } finally {
      lock.unlock();
    }
    // a life's lock is taken before the log's
    further.forEach(life -> records.add(life.confirmed()));
    if (!writer.write(records, () -> closed)) {
      return;
    }
    List<CompletableFuture<Void>> settled = new ArrayList<>();
    lock.lock();
    try {
      durable = upTo;
      since = System.nanoTime();
      waiting.removeIf(
          each -> {
            boolean done = each.ticket() <= upTo;
            if (done) {
              settled.add(each.stage());
            }
            return done;
          });
    } finally {
      lock.unlock();
    }
    if (!settled.isEmpty()) {
      answers.execute(() -> settled.forEach(stage -> stage.complete(null)));
    }
  }

  private void finish() {
    List<Waiting> left;
    lock.lock();
    try {
      closed = true;
      left = List.copyOf(waiting);
      waiting.clear();
    } finally {
      lock.unlock();
    }
    left.forEach(each -> each.stage().completeExceptionally(stopping()));
    writer.end();
    ended.complete(null);
  }

  /** Writes what is there and takes no more; the stage completes when that is done. */
  public CompletionStage<Void> end() {
    close();
    return ended;
  }

  /** The same, without waiting. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      work.signal();
    } finally {
      lock.unlock();
    }
  }

  long node() {
    return node;
  }

  StoreScope scope() {
    return writer.scope();
  }
}
