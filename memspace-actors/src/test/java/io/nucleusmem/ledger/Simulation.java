package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Direction;
import io.nucleusmem.store.KeyRange;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.memory.Fault;
import io.nucleusmem.store.memory.Resends;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * One schedule of two ledgers on one store: owners that start, pause, resume late, stop and die;
 * clients that write, compare and set, read, give up and retry; a store whose answers are late or
 * lost, whose requests land much later, which crashes. One thread; everything follows from the
 * seed. {@link Promises} judges what happened, after each step.
 */
final class Simulation {
  /** Makes an owner's ledger: the real one, or a mutant. */
  interface Maker {
    Ledger make(
        LedgerId id,
        KvStore store,
        LedgerSettings settings,
        LedgerHost host,
        long owner,
        boolean sole);
  }

  /**
   * What a run is like.
   *
   * @param sole what owners are told of themselves; a true one is only started when no other lives
   * @param ownersMax owners of one ledger that may live at once
   * @param mutation what a careless store or writer makes of requests
   * @param leaks a mutant: answers leave when they are decided
   * @param engine the store; it has the faults that {@link Run} tells it to have
   */
  record Plan(
      StoreScope scope,
      boolean sole,
      int ownersMax,
      Resends resends,
      UnaryOperator<KvStore> mutation,
      Maker maker,
      boolean leaks,
      Function<Run, SimulatedEngine> engine) {
    static final Plan EMBEDDED =
        new Plan(
            StoreScope.ALL,
            true,
            1,
            Resends.REFUSED_BY_OWN_ROW,
            s -> s,
            Ledger::new,
            false,
            InMemory::new);
    static final Plan RIVALS =
        new Plan(
            StoreScope.ALL, false, 3, Resends.CHECKED, s -> s, Ledger::new, false, InMemory::new);
    static final Plan RIVALS_BY_REGION =
        new Plan(
            StoreScope.REGION,
            false,
            3,
            Resends.CHECKED,
            s -> s,
            Ledger::new,
            false,
            InMemory::new);

    Plan with(UnaryOperator<KvStore> other) {
      return new Plan(scope, sole, ownersMax, resends, other, maker, leaks, engine);
    }

    Plan with(Maker other) {
      return new Plan(scope, sole, ownersMax, resends, mutation, other, leaks, engine);
    }

    Plan with(Resends other) {
      return new Plan(scope, sole, ownersMax, other, mutation, maker, leaks, engine);
    }

    Plan on(Function<Run, SimulatedEngine> other) {
      return new Plan(scope, sole, ownersMax, resends, mutation, maker, leaks, other);
    }

    Plan leaking() {
      return new Plan(scope, sole, ownersMax, resends, mutation, maker, true, engine);
    }
  }

  /**
   * What an engine is told of the run that it serves.
   *
   * @param clock the run's, in milliseconds; an engine that has to wait puts it forward
   * @param fault what becomes of the next commit
   * @param calm true when there are to be no more faults
   * @param random of the run, for whatever else an engine lets go wrong
   */
  record Run(
      Plan plan, AtomicLong clock, Supplier<Fault> fault, Supplier<Boolean> calm, Random random) {}

  /** The ledgers of a run. */
  static final List<LedgerId> LEDGERS =
      List.of(
          LedgerId.parse("00112233445566778899aabbccddeeff"),
          LedgerId.parse("00112233445566778899aabbccddef00"));

  private static final int STEPS = 300;
  private static final int KEYS = 3;
  private static final int CLIENTS = 3;
  private static final int DRAIN_MAX = 10_000;

  private final Random random;
  private final Plan plan;
  private final LedgerSettings settings;
  private final int faultPercent;
  private final int latePercent;
  private final boolean opaqueIds; // only where nothing is forgotten: the window's stated limit
  private final Map<String, Attempt> attempts = new HashMap<>(); // by tag
  private final List<Book> books = new ArrayList<>();
  private final List<Runnable> network = new ArrayList<>();
  private final Deque<Answer> answers = new ArrayDeque<>();
  private final SimulatedEngine engine;
  private final AtomicLong millis = new AtomicLong(1_000_000);
  private KvStore store; // what writers see: the engine's, or a mutation of it
  private int requests;
  private int retries;
  private int incarnations;
  private long arrivals;
  private long newestTime; // of anything acknowledged, in any ledger
  private boolean calm; // no more faults: the end of a run
  private boolean dirty; // something may have been written since the last look
  private AssertionError broken; // by a callback that nobody rethrows
  private int step;
  private String action = "";

  /** One ledger: its owners, its clients' requests, its judge. */
  private final class Book {
    final LedgerId id;
    final Promises promises;
    final List<Owner> owners = new ArrayList<>();
    final List<Attempt> retryable = new ArrayList<>();
    LedgerReader reader; // of some other process

    Book(LedgerId id) {
      this.id = id;
      this.promises = new Promises(id, plan.scope(), attempts);
    }

    List<Owner> living() {
      return owners.stream().filter(owner -> !owner.gone).toList();
    }

    List<Owner> running() {
      return owners.stream().filter(owner -> !owner.gone && !owner.paused).toList();
    }
  }

  private record Answer(Owner owner, Runnable run) {}

  /** An owner's process: its steps come one at a time, unless it is paused. */
  private final class Owner implements LedgerHost {
    final Book book;
    final Deque<Runnable> steps = new ArrayDeque<>();
    final TreeMap<Long, List<Runnable>> timers = new TreeMap<>();
    final Set<Object> waiting = new LinkedHashSet<>(); // who still waits for an answer
    final Ledger ledger;
    boolean paused;
    boolean gone; // ended or killed: nothing new is sent to it
    boolean killed; // nothing of it runs any more

    Owner(Book book) {
      this.book = book;
      KvStore view = new SimulatedStore(store, random, latePercent, () -> calm, network::add);
      ledger = plan.maker().make(book.id, view, settings, this, ++incarnations, plan.sole());
      steps.add(ledger::start);
    }

    @Override
    public void execute(Runnable next) {
      steps.add(next);
    }

    @Override
    public void schedule(Duration delay, Runnable next) {
      timers.computeIfAbsent(millis.get() + delay.toMillis(), at -> new ArrayList<>()).add(next);
    }

    @Override
    public void answer(Runnable run) {
      answers.add(new Answer(this, run));
    }

    @Override
    public void committed(LogRow row) {}

    @Override
    public void ended(LedgerException why) {
      gone = true;
    }

    boolean run() {
      while (!timers.isEmpty() && timers.firstKey() <= millis.get()) {
        steps.addAll(timers.pollFirstEntry().getValue());
      }
      Runnable next = killed ? null : steps.poll();
      if (next == null) {
        return false;
      }
      next.run();
      return true;
    }

    void kill() {
      gone = true;
      killed = true;
      steps.clear();
      timers.clear();
      waiting.clear();
      answers.removeIf(answer -> answer.owner() == this);
    }
  }

  Simulation(long seed, Plan plan) {
    this.random = new Random(seed);
    this.plan = plan;
    faultPercent = oneOf(0, 10, 25, 45);
    latePercent = oneOf(0, 0, 25, 60);
    int requestsMax = oneOf(6, 40, 1_000);
    Duration window = oneOf(Duration.ofSeconds(1), Duration.ofMinutes(10));
    opaqueIds = requestsMax == 1_000 && window.toMinutes() == 10;
    settings =
        new LedgerSettings(
            oneOf(1, 4, 16),
            1 << 20,
            oneOf(6, 30),
            1 << 20,
            oneOf(1, 8),
            1 << 20,
            window,
            requestsMax,
            oneOf(Duration.ofMillis(300), Duration.ofSeconds(4)),
            Duration.ofMillis(50),
            3);
    engine = plan.engine().apply(new Run(plan, millis, this::fault, () -> calm, random));
    store = plan.mutation().apply(engine.store());
  }

  @SafeVarargs
  private <T> T oneOf(T... choices) {
    return choices[random.nextInt(choices.length)];
  }

  private <T> T pick(List<T> from) {
    return from.get(random.nextInt(from.size()));
  }

  private Fault fault() {
    dirty = true;
    if (calm || random.nextInt(100) >= faultPercent) {
      return Fault.NONE;
    }
    int dice = random.nextInt(100);
    return dice < 12
        ? Fault.TRANSIENT
        : dice < 32
            ? Fault.LOST_ANSWER
            : dice < 60 ? Fault.LATE : dice < 80 ? Fault.SLOW : Fault.SLOW_ANSWER;
  }

  /**
   * Runs the schedule to its end; fails with {@link AssertionError} at the first broken promise.
   */
  void run() {
    create();
    for (step = 0; step < STEPS; step++) {
      act();
      look();
    }
    action = "drain";
    drain();
    action = "a new owner at the end";
    afterwards();
    books.forEach(book -> book.promises.atEnd(store));
  }

  String where() {
    return "step [%d], %s".formatted(step, action);
  }

  private void create() {
    calm = true;
    for (LedgerId id : LEDGERS) {
      Book book = new Book(id);
      long now = store.now().toCompletableFuture().join();
      WriteBatch.Builder batch = WriteBatch.at(now);
      Ledger.create(batch, store, book.id, 0, now, new LogRecord("creator", null, List.of()));
      store.commit(batch.build()).toCompletableFuture().join();
      books.add(book);
    }
    calm = false;
    look();
  }

  private void look() {
    if (dirty) {
      dirty = false;
      books.forEach(book -> book.promises.look(store));
    }
    if (broken != null) {
      throw broken;
    }
    if (plan.resends() != Resends.SWALLOWED && !engine.violations().isEmpty()) {
      throw new AssertionError(engine.violations().get(0));
    }
  }

  /** Runs a check inside of a callback, where what it throws would be lost. */
  private void check(Runnable check) {
    try {
      look();
      check.run();
    } catch (AssertionError | RuntimeException e) {
      if (broken == null) {
        broken = e instanceof AssertionError error ? error : new AssertionError(e);
      }
    }
  }

  // ---- a step ----

  private void act() {
    Book book = books.get(random.nextInt(5) == 0 ? 1 : 0);
    int dice = random.nextInt(100);
    List<Owner> running = book.running();
    if (running.isEmpty() || dice < 3) {
      action = "start owner";
      startOwner(book);
    } else if (dice < 26) {
      action = "send";
      send(book);
    } else if (dice < 58) {
      action = "owner's step";
      pick(running).run();
    } else if (dice < 68) {
      action = "answer";
      answer();
    } else if (dice < 74) {
      action = "read answered";
      deliver();
    } else if (dice < 79) {
      action = "held commit";
      settleHeld();
    } else if (dice < 85) {
      action = "time passes";
      millis.addAndGet(random.nextInt(10) == 0 ? random.nextInt(3_000) : random.nextInt(60));
    } else if (dice < 89) {
      action = "pause";
      Owner owner = pick(book.owners);
      owner.paused = !owner.paused;
    } else if (dice < 91) {
      action = "instant";
      askForInstant(book, pick(running));
    } else if (dice < 93) {
      action = "compact";
      compact(book, pick(running));
    } else if (dice < 97) {
      action = "read the past";
      readPast(book);
    } else if (dice < 98) {
      action = "client gives up";
      giveUp(book);
    } else {
      end(pick(running));
    }
  }

  private void startOwner(Book book) {
    List<Owner> living = book.living();
    if (living.size() < plan.ownersMax()) {
      book.owners.add(new Owner(book));
    } else {
      pick(living).paused = false;
    }
  }

  private void end(Owner owner) {
    switch (random.nextInt(8)) {
      case 0, 1, 2 -> {
        action = "stop owner";
        owner.ledger.stop();
      }
      case 3, 4, 5 -> {
        action = "kill owner";
        owner.kill();
      }
      default -> {
        action = "crash";
        crash();
      }
    }
  }

  /** All processes die at once, and the store with them; what survived is opened again. */
  private void crash() {
    for (Book book : books) {
      book.owners.forEach(Owner::kill);
      book.owners.clear();
      book.reader = null;
    }
    network.clear();
    dirty = true;
    look(); // what can be read is promised to survive
    engine.crash(random.nextInt(3));
    store = plan.mutation().apply(engine.store());
    dirty = true;
  }

  private boolean answer() {
    Answer next = answers.poll();
    if (next != null) {
      look();
      next.run().run();
    }
    return next != null;
  }

  private boolean deliver() {
    if (network.isEmpty()) {
      return false;
    }
    network.remove(random.nextInt(network.size())).run();
    return true;
  }

  private void settleHeld() {
    List<SimulatedEngine.Held> held = engine.held();
    if (!held.isEmpty()) {
      SimulatedEngine.Held one = pick(held);
      dirty = true;
      if (random.nextInt(6) == 0) {
        one.drop();
      } else {
        one.release();
      }
    }
  }

  // ---- clients ----

  private void send(Book book) {
    Attempt attempt;
    if (!book.retryable.isEmpty() && random.nextInt(3) == 0) {
      Attempt before = book.retryable.remove(random.nextInt(book.retryable.size()));
      attempt = before.again(++retries);
    } else {
      attempt = newRequest(book);
    }
    List<Owner> to = random.nextInt(5) == 0 ? book.living() : book.running();
    submit(book, pick(to), attempt);
  }

  private Attempt newRequest(Book book) {
    int request = ++requests;
    EntryRef key = key();
    Attempt.Kind kind = pick(List.of(Attempt.Kind.values()));
    long current = book.promises.at(key, book.promises.newest()).map(Version::revision).orElse(0L);
    long expected =
        random.nextInt(5) == 0 ? random.nextInt((int) book.promises.newest() + 2) : current;
    RequestStamp stamp = null;
    if (kind != Attempt.Kind.READ && random.nextBoolean()) {
      long version = opaqueIds && random.nextBoolean() ? 0x8000L : 0x7000L;
      stamp = new RequestStamp(engine.millis() << 16 | version | request & 0xFFF, request, request);
    }
    EntryRef other = new EntryRef((byte) 1, Bytes.utf8("other"));
    return new Attempt(
        request, 0, "client-" + random.nextInt(CLIENTS), kind, key, other, expected, stamp);
  }

  private EntryRef key() {
    return new EntryRef((byte) 1, Bytes.utf8("k" + random.nextInt(KEYS)));
  }

  private void submit(Book book, Owner owner, Attempt attempt) {
    attempts.put(attempt.tag, attempt);
    book.promises.invoked(attempt, newestTime);
    BiConsumer<Outcome, RuntimeException> reply =
        (outcome, refusal) -> {
          owner.waiting.remove(attempt);
          check(() -> replied(book, attempt, outcome, refusal));
        };
    if (plan.leaks()) {
      attempt.leak = reply;
    }
    owner.waiting.add(attempt);
    owner.steps.add(
        () -> {
          attempt.arrival = ++arrivals;
          owner.ledger.submit(
              attempt,
              (outcome, refusal) -> {
                if (!plan.leaks() || attempt.answers == 0) {
                  reply.accept(outcome, refusal);
                }
              });
        });
  }

  private void replied(Book book, Attempt attempt, Outcome outcome, RuntimeException refusal) {
    newestTime = Math.max(newestTime, book.promises.answered(attempt, outcome, refusal));
    boolean tooOld =
        refusal instanceof LedgerException failure
            && failure.reason() == LedgerException.Reason.REQUEST_TOO_OLD;
    // also what was answered well is sent again now and then: the client may not have heard it
    if (attempt.stamp != null && !tooOld && (outcome == null || random.nextInt(3) == 0)) {
      book.retryable.add(attempt);
    }
  }

  /** A client waits no longer and will send the same request again. */
  private void giveUp(Book book) {
    List<Attempt> waiting =
        book.owners.stream()
            .flatMap(owner -> owner.waiting.stream())
            .filter(each -> each instanceof Attempt attempt && attempt.stamp != null)
            .map(each -> (Attempt) each)
            .toList();
    if (!waiting.isEmpty()) {
      book.retryable.add(pick(waiting));
    }
  }

  private void askForInstant(Book book, Owner owner) {
    long asked =
        switch (random.nextInt(4)) {
          case 0 -> Timestamps.lastOf(engine.millis());
          case 1 -> Timestamps.lastOf(engine.millis() - random.nextInt(3_000));
          case 2 -> pick(List.copyOf(book.promises.chain().values())).timestamp();
          default -> Timestamps.lastOf(engine.millis() - random.nextInt(100));
        };
    Object ticket = "instant " + asked;
    owner.waiting.add(ticket);
    owner.steps.add(
        () ->
            owner.ledger.revisionAt(
                asked,
                (revision, refusal) -> {
                  owner.waiting.remove(ticket);
                  if (refusal == null) {
                    check(() -> book.promises.instant(asked, revision));
                  }
                }));
  }

  private void compact(Book book, Owner owner) {
    long newest = book.promises.newest();
    if (newest > 2) {
      long floor = 1 + random.nextInt((int) newest);
      Object ticket = new Object();
      owner.steps.add(
          () -> {
            owner.waiting.add(ticket);
            owner.ledger.compact(floor, (removed, refusal) -> owner.waiting.remove(ticket));
          });
    }
  }

  /** Reads at a revision, or the newest, as any node may: from the store alone. */
  private void readPast(Book book) {
    if (book.reader == null || random.nextInt(10) == 0) { // what it knows grows old with it
      KvStore view = new SimulatedStore(store, random, latePercent, () -> calm, network::add);
      book.reader = new LedgerReader(view, book.id);
    }
    LedgerReader reader = book.reader;
    Promises promises = book.promises;
    long known = promises.known();
    long revision = Math.min(known, promises.floor() + random.nextInt((int) known + 1));
    EntryRef key = key();
    switch (random.nextInt(4)) {
      case 0 ->
          reader
              .version(key, Long.MAX_VALUE - 1)
              .thenAccept(found -> check(() -> promises.latestRead(key, known, found)));
      case 1 ->
          reader
              .version(key, revision)
              .thenAccept(
                  found ->
                      unlessCompacted(
                          book, revision, () -> promises.versionRead(key, revision, found)));
      case 2 -> {
        Direction direction = oneOf(Direction.values());
        scan(
                reader,
                LedgerKeys.versions(book.id, (byte) 1, Bytes.EMPTY),
                revision,
                direction,
                new ArrayList<>())
            .thenAccept(
                found ->
                    unlessCompacted(
                        book, revision, () -> promises.scanned(revision, direction, found)));
      }
      default ->
          reader
              .history(key, revision, 1_000)
              .thenAccept(
                  page ->
                      check(
                          () ->
                              promises.history(key, revision, promises.floor(), page.versions())));
    }
  }

  private CompletionStage<List<Version>> scan(
      LedgerReader reader, KeyRange range, long revision, Direction direction, List<Version> into) {
    return reader
        .scan(range, revision, 1 + random.nextInt(3), direction)
        .thenCompose(
            page -> {
              into.addAll(page.versions());
              Optional<KeyRange> rest = page.rest();
              return rest.isPresent()
                  ? scan(reader, rest.get(), revision, direction, into)
                  : CompletableFuture.completedStage(into);
            });
  }

  /** The floor is looked at after the read, as readers must. */
  private void unlessCompacted(Book book, long revision, Runnable check) {
    check(
        () -> {
          if (book.promises.floor() <= revision) {
            check.run();
          }
        });
  }

  // ---- the end ----

  /** The faults stop; what is under way comes to its end, and everybody has been answered. */
  private void drain() {
    calm = true;
    for (int i = 0; i < DRAIN_MAX; i++) {
      boolean busy = answer() | deliver();
      for (Book book : books) {
        for (Owner owner : book.owners) {
          owner.paused = false;
          busy |= owner.run();
        }
      }
      if (!engine.held().isEmpty()) {
        dirty = true;
        engine.held().get(0).release();
        busy = true;
      }
      look();
      if (!busy) {
        if (books.stream()
            .allMatch(book -> book.owners.stream().allMatch(owner -> owner.timers.isEmpty()))) {
          requireAllAnswered();
          return;
        }
        millis.addAndGet(100);
      }
    }
    throw new AssertionError("the schedule does not come to an end");
  }

  private void requireAllAnswered() {
    for (Book book : books) {
      for (Owner owner : book.owners) {
        Promises.require(owner.waiting.isEmpty(), "nobody has answered %s", owner.waiting);
      }
    }
  }

  /** A new owner can go on: it writes, and reads what it wrote. */
  private void afterwards() {
    for (Book book : books) {
      book.living().forEach(owner -> owner.ledger.stop());
    }
    drain();
    for (Book book : books) {
      Owner owner = new Owner(book);
      book.owners.add(owner);
      EntryRef key = key();
      for (Attempt.Kind kind : List.of(Attempt.Kind.PUT, Attempt.Kind.ADD, Attempt.Kind.READ)) {
        Attempt attempt = new Attempt(++requests, 0, "last", kind, key, key, 0, null);
        submit(book, owner, attempt);
        drain();
        Promises.require(
            !attempt.notDone && !owner.gone, "%s was not done although nothing failed", attempt);
      }
      long asked = Timestamps.lastOf(engine.millis());
      owner.steps.add(
          () ->
              owner.ledger.revisionAt(
                  asked,
                  (revision, refusal) -> check(() -> book.promises.instant(asked, revision))));
    }
    drain();
  }

  /** Runs schedules; the first that breaks a promise is told. */
  static void runAll(long firstSeed, int count, Plan plan) {
    for (long seed = firstSeed; seed < firstSeed + count; seed++) {
      Simulation simulation = new Simulation(seed, plan);
      try {
        simulation.run();
      } catch (AssertionError | RuntimeException broken) {
        throw new AssertionError(
            "seed [%d], %s: %s. Again: -Dsimulation.seed=%d -Dsimulation.count=1"
                .formatted(seed, simulation.where(), broken, seed),
            broken);
      } finally {
        simulation.engine.close();
      }
    }
  }
}
