package io.nucleusmem.receipts;

import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.Feeding;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.store.KvStore;
import java.time.Duration;
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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * Writes the receipts of one node, in one order, by one thread of its own: whatever waits goes into
 * the next commit, and there is one commit at a time.
 *
 * <p>A record has a ticket. What must be durable before it has an effect waits for its ticket, and
 * hurries the writer; what nobody waits for is written with the next round, or a little later.
 * While the watchers of one write are told of it, one after the other, the writer waits: all of
 * them are in one round.
 */
public final class ReceiptLog implements AutoCloseable, Feeding {
  private static final int CONFIRMED_MAX = 2_000; // lives whose mark one round writes
  private static final Duration LEAVING_MAX = Duration.ofSeconds(2); // that a flush waits for
  private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

  private record Waiting(long ticket, CompletableFuture<Void> stage) {}

  private final ReceiptSettings settings;
  private final RoundWriter writer;
  private final Thread thread;
  private final AtomicLong lives = new AtomicLong();
  private final AtomicInteger feeding = new AtomicInteger(); // writes whose watchers are being told
  private final AtomicInteger settling = new AtomicInteger(); // one thread completes stages
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final Set<CompletableFuture<Void>> leaving = ConcurrentHashMap.newKeySet(); // effects

  // guards all below; taken behind a life's lock
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Deque<LogRecord> pending = new ArrayDeque<>();
  private final Set<LifeLog> confirming = new LinkedHashSet<>();
  private final Deque<Waiting> waiting = new ArrayDeque<>(); // inputs by ticket, effects among them
  private long offered; // ticket of the newest record
  private long wanted; // somebody waits for what is up to this ticket
  private long since; // when the oldest record that nobody waits for came; System.nanoTime
  private boolean closed;
  private volatile long durable; // ticket up to which all is written; rises

  private ReceiptLog(ReceiptSettings settings, RoundWriter writer) {
    this.settings = settings;
    this.writer = writer;
    this.thread = new Thread(this::run, "nucleusmem-receipts");
    thread.setDaemon(true);
  }

  /**
   * Begins a node's log. Stages are completed where the store completes its own.
   *
   * @param address of the node, as the cluster knows it
   * @param member whether the node is one of the cluster's: where another node has ended its log
   *     although it is, it begins another one
   * @param background where rows that follow from the log are made
   */
  public static CompletionStage<ReceiptLog> open(
      KvStore store,
      ReceiptSettings settings,
      String address,
      BooleanSupplier member,
      Executor background) {
    return store
        .now()
        .thenCompose(
            now -> {
              RoundWriter writer =
                  new RoundWriter(
                      store, now, address, member, settings.roundBytesMax(), background);
              return writer
                  .begin()
                  .thenApply(
                      begun -> {
                        ReceiptLog log = new ReceiptLog(settings, writer);
                        log.thread.start();
                        return log;
                      });
            });
  }

  /** Begins a life of an agent's behavior. */
  public LifeLog begin(String agent, Began what) {
    LifeLog life = new LifeLog(this, agent, new Life(writer.node(), lives.incrementAndGet()));
    life.began(what);
    return life;
  }

  ReceiptSettings settings() {
    return settings;
  }

  /** Commits so far: what receipts cost beside what they record. */
  public long rounds() {
    return writer.rounds();
  }

  // ---- what comes in ----

  /**
   * Adds a record; its ticket.
   *
   * @param optional it can be refused where too many wait
   */
  long offer(LogRecord record, boolean optional) {
    lock.lock();
    try {
      return add(record, optional);
    } finally {
      lock.unlock();
    }
  }

  /** Adds a record; the stage completes when it is on disk, behind those of all before. */
  CompletionStage<Void> write(LogRecord record) {
    lock.lock();
    try {
      return await(add(record, false));
    } catch (MemSpaceException stopping) {
      return CompletableFuture.failedFuture(stopping);
    } finally {
      lock.unlock();
    }
  }

  private long add(LogRecord record, boolean optional) {
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
      return durable >= ticket
          ? DONE
          : closed ? CompletableFuture.failedFuture(stopping()) : await(ticket);
    } finally {
      lock.unlock();
    }
  }

  /** An effect has left whose record comes when it is acknowledged. */
  <T> CompletionStage<T> leaves(CompletionStage<T> effect) {
    CompletableFuture<Void> recorded = new CompletableFuture<>();
    leaving.add(recorded);
    return effect.whenComplete(
        (done, failure) -> {
          leaving.remove(recorded);
          recorded.complete(null);
        });
  }

  /**
   * Writes what waits: whoever asks afterwards finds all that came before, and the effects that
   * were under way, unless they take longer than {@link #LEAVING_MAX}.
   */
  public CompletionStage<Void> flush() {
    return CompletableFuture.allOf(leaving.toArray(CompletableFuture<?>[]::new))
        .orTimeout(LEAVING_MAX.toMillis(), TimeUnit.MILLISECONDS)
        .handle((done, late) -> null)
        .thenCompose(done -> durable());
  }

  private CompletionStage<Void> durable() {
    long newest;
    lock.lock();
    try {
      newest = offered;
    } finally {
      lock.unlock();
    }
    return durable(newest);
  }

  private CompletionStage<Void> await(long ticket) {
    CompletableFuture<Void> stage = new CompletableFuture<>();
    waiting.add(new Waiting(ticket, stage));
    if (wanted < ticket) {
      boolean hurried = wanted > durable;
      wanted = ticket;
      if (!hurried) {
        work.signal();
      }
    }
    return stage;
  }

  private static MemSpaceException stopping() {
    return new MemSpaceException(
        ErrorCode.UNAVAILABLE,
        "the node is stopping: what can't be recorded is not delivered",
        Map.of("node", "stopping"));
  }

  @Override
  public void begins() {
    feeding.incrementAndGet();
  }

  @Override
  public void ends() {
    if (feeding.decrementAndGet() > 0) {
      return;
    }
    lock.lock();
    try {
      if (wanted > durable) {
        work.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  // ---- the writer's thread ----

  private void run() {
    try {
      while (await()) {
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
      long until = 0; // the round may wait for those that are being told
      while (true) {
        long now = System.nanoTime();
        if (isIdle()) {
          if (closed) {
            return false;
          }
          work.awaitUninterruptibly();
        } else if (closed) {
          return true;
        } else if (wanted > durable) {
          until = until == 0 ? now + settings.lingerMax().toNanos() : until;
          if (feeding.get() == 0 || now >= until) {
            return true;
          }
          work.awaitNanos(until - now);
        } else {
          long left = since + settings.lazyInterval().toNanos() - now;
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
      since = System.nanoTime();
    } finally {
      lock.unlock();
    }
    // a life's lock is taken before the log's
    further.forEach(life -> records.add(life.confirmed()));
    writer.write(records, () -> written(upTo), () -> closed);
  }

  /**
   * A round is on disk: completes what waits for it. On the store's thread, so that nobody waits
   * for one more to wake up; in the order of the records, by one thread at a time.
   */
  private void written(long upTo) {
    lock.lock();
    try {
      durable = Math.max(durable, upTo);
    } finally {
      lock.unlock();
    }
    if (settling.getAndIncrement() > 0) {
      return; // who is at it looks again
    }
    int seen = 1;
    do {
      settled().forEach(stage -> stage.complete(null));
      seen = settling.addAndGet(-seen);
    } while (seen > 0);
  }

  private List<CompletableFuture<Void>> settled() {
    List<CompletableFuture<Void>> settled = new ArrayList<>();
    lock.lock();
    try {
      waiting.removeIf(
          each -> {
            boolean done = each.ticket() <= durable;
            if (done) {
              settled.add(each.stage());
            }
            return done;
          });
    } finally {
      lock.unlock();
    }
    return settled;
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
    return writer.node();
  }
}
