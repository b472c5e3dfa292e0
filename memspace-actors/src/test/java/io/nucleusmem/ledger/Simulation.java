package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.memory.Fault;
import io.nucleusmem.store.memory.MemoryStore;
import io.nucleusmem.store.memory.Resends;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * One schedule of a ledger: owners that start, pause, resume late and die, clients that write,
 * compare and set, read and retry, a store that loses answers, applies requests late and crashes.
 * Everything follows from the seed. {@link Promises} judges what happened.
 */
final class Simulation {
  /** What a run is like. */
  record Plan(
      StoreScope scope,
      boolean sole,
      int ownersMax,
      boolean compacts,
      UnaryOperator<KvStore> mutation) {
    static final Plan EMBEDDED = new Plan(StoreScope.ALL, true, 1, true, store -> store);
    static final Plan RIVALS = new Plan(StoreScope.ALL, false, 3, true, store -> store);
    static final Plan RIVALS_BY_REGION =
        new Plan(StoreScope.REGION, false, 3, false, store -> store);

    Plan with(UnaryOperator<KvStore> other) {
      return new Plan(scope, sole, ownersMax, compacts, other);
    }

    Plan believingToBeSole() {
      return new Plan(scope, true, ownersMax, compacts, mutation);
    }
  }

  private static final int STEPS = 250;
  private static final int KEYS = 3;
  private static final int DRAIN_MAX = 4_000;
  private static final LedgerId ID = LedgerId.parse("00112233445566778899aabbccddeeff");
  private static final LedgerSettings SETTINGS =
      new LedgerSettings(
          4,
          1 << 20,
          20,
          1 << 20,
          4,
          1 << 20,
          Duration.ofSeconds(20),
          40,
          Duration.ofSeconds(4),
          Duration.ofMillis(50),
          3);

  private final Random random;
  private final Plan plan;
  private final Promises promises = new Promises(ID);
  private final List<Owner> owners = new ArrayList<>();
  private final Deque<Runnable> answers = new ArrayDeque<>();
  private final List<Operation> retryable = new ArrayList<>();
  private MemoryStore memory;
  private KvStore store;
  private long millis = 1_000_000;
  private int operations;
  private int incarnations;
  private boolean calm; // no more faults: the end of a run
  private int step;

  /** An owner's process: its steps come one at a time, unless it is paused. */
  private final class Owner implements LedgerHost {
    private final Deque<Runnable> steps = new ArrayDeque<>();
    private final TreeMap<Long, List<Runnable>> timers = new TreeMap<>();
    private final Ledger ledger;
    private boolean paused;
    private boolean dead;

    Owner() {
      ledger = new Ledger(ID, store, SETTINGS, this, ++incarnations, plan.sole());
      steps.add(ledger::start);
    }

    @Override
    public void execute(Runnable next) {
      steps.add(next);
    }

    @Override
    public void schedule(Duration delay, Runnable next) {
      timers.computeIfAbsent(millis + delay.toMillis(), at -> new ArrayList<>()).add(next);
    }

    @Override
    public void answer(Runnable run) {
      answers.add(run);
    }

    @Override
    public void committed(LogRow row) {}

    @Override
    public void ended(LedgerException why) {
      dead = true;
    }

    boolean run() {
      while (!timers.isEmpty() && timers.firstKey() <= millis) {
        steps.addAll(timers.pollFirstEntry().getValue());
      }
      Runnable next = steps.poll();
      if (next == null) {
        return false;
      }
      next.run();
      return true;
    }

    boolean isQuiet() {
      return steps.isEmpty() && timers.isEmpty();
    }
  }

  /** What a client wants, and what it has heard. */
  private final class Operation implements Command {
    final int number = ++operations;
    final EntryRef key;
    final long expected; // -1: no condition, -2: a read
    final RequestStamp stamp;
    boolean retried;
    Promises.Call call;
    Optional<Version> seen = Optional.empty();

    Operation(EntryRef key, long expected, RequestStamp stamp) {
      this.key = key;
      this.expected = expected;
      this.stamp = stamp;
    }

    @Override
    public String sender() {
      return "op-" + number;
    }

    @Override
    public RequestStamp request() {
      return stamp;
    }

    @Override
    public boolean maybeRetried() {
      return retried;
    }

    @Override
    public int bytes() {
      return 100;
    }

    @Override
    public List<EntryRef> reads() {
      return expected == -1 ? List.of() : List.of(key);
    }

    @Override
    public List<Change> decide(PendingView view, long revision, long timestamp) {
      if (expected != -1) {
        seen = view.newest(key);
        long current = seen.map(Version::revision).orElse(0L);
        if (expected == -2) {
          return NOTHING;
        }
        if (current != expected) {
          throw new IllegalStateException("mismatch");
        }
      }
      Bytes body = Bytes.utf8("value-" + number);
      return List.of(new Change.OfEntry(key, false, body, body.length(), null));
    }
  }

  Simulation(long seed, Plan plan) {
    this.random = new Random(seed);
    this.plan = plan;
    memory =
        new MemoryStore(
            plan.scope(), Runnable::run, () -> millis, batch -> fault(), Resends.CHECKED);
    store = plan.mutation().apply(memory);
  }

  private Fault fault() {
    if (calm) {
      return Fault.NONE;
    }
    int dice = random.nextInt(100);
    if (dice < 60) {
      return Fault.NONE;
    }
    return dice < 65
        ? Fault.TRANSIENT
        : dice < 73
            ? Fault.LOST_ANSWER
            : dice < 84 ? Fault.LATE : dice < 92 ? Fault.SLOW : Fault.SLOW_ANSWER;
  }

  /**
   * Runs the schedule to its end; fails with {@link AssertionError} at the first broken promise.
   */
  void run() {
    create();
    for (step = 0; step < STEPS; step++) {
      act();
      promises.checkStore(memory);
    }
    drain();
    promises.checkEnd(memory);
  }

  int step() {
    return step;
  }

  private void create() {
    calm = true;
    long now = memory.now().toCompletableFuture().join();
    WriteBatch.Builder batch = WriteBatch.at(now);
    Ledger.create(batch, memory, ID, 0, now, new LogRecord("creator", null, List.of()));
    memory.commit(batch.build()).toCompletableFuture().join();
    calm = false;
  }

  private void act() {
    int dice = random.nextInt(100);
    List<Owner> running = owners.stream().filter(owner -> !owner.dead && !owner.paused).toList();
    if (running.isEmpty()
        || dice < 3 && owners.stream().filter(owner -> !owner.dead).count() < plan.ownersMax()) {
      startOwner();
    } else if (dice < 30) {
      submit(pick(running));
    } else if (dice < 70) {
      pick(running).run();
    } else if (dice < 82) {
      answer();
    } else if (dice < 87) {
      settleHeld();
    } else if (dice < 91) {
      millis += random.nextInt(10) == 0 ? random.nextInt(3_000) : random.nextInt(60);
    } else if (dice < 94) {
      pauseOrResume();
    } else if (dice < 96) {
      askForInstant(pick(running));
    } else if (dice < 98) {
      compact(pick(running));
    } else if (random.nextInt(3) == 0) {
      crash();
    }
  }

  private <T> T pick(List<T> from) {
    return from.get(random.nextInt(from.size()));
  }

  private void startOwner() {
    boolean alone = owners.stream().noneMatch(owner -> !owner.dead);
    if (plan.ownersMax() > 1 || alone) {
      owners.add(new Owner());
    } else {
      owners.forEach(owner -> owner.paused = false); // an embedded store has one owner at a time
    }
  }

  private void submit(Owner owner) {
    Operation operation;
    if (!retryable.isEmpty() && random.nextInt(3) == 0) {
      operation = retryable.remove(random.nextInt(retryable.size()));
      operation.retried = true;
    } else {
      EntryRef key = new EntryRef((byte) 1, Bytes.utf8("k" + random.nextInt(KEYS)));
      int kind = random.nextInt(10);
      long expected = kind < 3 ? -1 : kind < 6 ? -2 : promises.guessRevision(key, random);
      boolean withId = expected != -2 && random.nextInt(2) == 0;
      // the client's clock may be off: an id never says more than that it is not older than its
      // owner
      RequestStamp stamp =
          withId
              ? new RequestStamp(millis << 16 | 0x7000 | operations & 0xFFF, operations, operations)
              : null;
      operation = new Operation(key, expected, stamp);
    }
    Operation sent = operation;
    sent.call = promises.invoke(sent.sender(), sent.key, sent.expected, sent.stamp);
    owner.steps.add(
        () -> owner.ledger.submit(sent, (outcome, refusal) -> replied(sent, outcome, refusal)));
  }

  private void replied(Operation operation, Outcome outcome, RuntimeException refusal) {
    if (outcome != null && operation.expected == -2) {
      promises.read(operation.call, operation.seen.map(Version::revision).orElse(0L), memory);
    } else if (outcome != null) {
      promises.acknowledged(operation.call, outcome, memory);
    } else if (refusal instanceof LedgerException failed) {
      boolean unknown = failed.reason() == LedgerException.Reason.UNKNOWN;
      promises.failed(operation.call, unknown);
      if (operation.stamp != null && failed.reason() != LedgerException.Reason.REQUEST_TOO_OLD) {
        retryable.add(operation);
      }
    } else {
      promises.read(operation.call, operation.seen.map(Version::revision).orElse(0L), memory);
      promises.failed(operation.call, false);
    }
  }

  private boolean answer() {
    Runnable next = answers.poll();
    if (next != null) {
      next.run();
    }
    return next != null;
  }

  private void settleHeld() {
    List<MemoryStore.Held> held = memory.held();
    if (!held.isEmpty()) {
      MemoryStore.Held one = pick(held);
      if (random.nextInt(6) == 0) {
        one.drop();
      } else {
        one.release();
      }
    }
  }

  private void pauseOrResume() {
    if (!owners.isEmpty()) {
      Owner owner = pick(owners);
      owner.paused = !owner.paused;
    }
  }

  private void askForInstant(Owner owner) {
    long asked = Timestamps.lastOf(millis - random.nextInt(200));
    owner.steps.add(
        () ->
            owner.ledger.revisionAt(
                asked,
                (revision, refusal) -> {
                  if (refusal == null
                      && revision >= floor()) { // else the read that follows is told: compacted
                    promises.instant(asked, revision);
                  }
                }));
  }

  private long floor() {
    return new LedgerReader(memory, ID).floor().toCompletableFuture().join();
  }

  private void compact(Owner owner) {
    if (plan.compacts()) {
      owner.steps.add(
          () -> {
            long newest = owner.ledger.committed();
            if (newest > 2) {
              owner.ledger.compact(1 + random.nextInt((int) newest), (removed, refusal) -> {});
            }
          });
    }
  }

  /** All processes die at once; one starts again over what survived. */
  private void crash() {
    owners.forEach(owner -> owner.dead = true);
    owners.clear();
    answers.clear(); // nobody is left to hear them
    promises.crashed();
    memory = memory.crash(random.nextInt(3));
    store = plan.mutation().apply(memory);
    retryable.clear();
  }

  /** The faults stop; what is under way comes to its end. */
  private void drain() {
    calm = true;
    for (int i = 0; i < DRAIN_MAX; i++) {
      owners.forEach(owner -> owner.paused = false);
      boolean busy = answer();
      for (Owner owner : owners) {
        busy |= owner.run();
      }
      if (!memory.held().isEmpty()) {
        memory.held().get(0).release();
        busy = true;
      }
      if (!busy) {
        if (owners.stream().allMatch(Owner::isQuiet)) {
          return;
        }
        millis += 100;
      }
    }
    throw new AssertionError("the schedule does not come to an end");
  }

  /** The seeds of a number of schedules; the first that breaks a promise is told. */
  static void runAll(long firstSeed, int count, Function<Long, Plan> plans) {
    for (long seed = firstSeed; seed < firstSeed + count; seed++) {
      Simulation simulation = new Simulation(seed, plans.apply(seed));
      try {
        simulation.run();
      } catch (AssertionError | RuntimeException broken) {
        throw new AssertionError(
            "seed [%d], step [%d]: %s. Again: -Dsimulation.seed=%d -Dsimulation.count=1"
                .formatted(seed, simulation.step(), broken, seed),
            broken);
      }
    }
  }
}
