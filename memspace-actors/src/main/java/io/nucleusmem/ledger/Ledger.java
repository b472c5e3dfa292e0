package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.KvStore;
import io.nucleusmem.store.RefusedCommitException;
import io.nucleusmem.store.StoreScope;
import io.nucleusmem.store.Timestamps;
import io.nucleusmem.store.TransientStoreException;
import io.nucleusmem.store.UndeterminedCommitException;
import io.nucleusmem.store.WriteBatch;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.ToLongFunction;

/**
 * The owner of one order of commits: decides commands in the order of arrival, groups them, and
 * answers when what they rest on is durable. An incarnation lives from {@link #start} until it
 * ends; it never recovers in place.
 *
 * <p>{@code starting -> open -> ended}. While a commit is in flight, commands queue; the next
 * commit takes them all, up to a limit. A commit inserts its log row at the key of its
 * <em>first</em> revision and requires the row before it, so whoever knows only a prefix of the log
 * is refused, however late (the proof: DESIGN.md, "The fence"). A commit of unknown outcome is sent
 * again, byte for byte, until a row that is there settles it. Refused by another's row, or
 * unsettled for too long, the incarnation fails its queue with a retryable error and ends.
 *
 * <p>Not thread-safe: the host calls it from one thread. The volatile fields may be read by any.
 */
public final class Ledger {
  private static final Duration RESEND_DELAY_MAX = Duration.ofSeconds(1);
  private static final long ANCHOR_MILLIS = 1_000;
  private static final ArrayDeque<Waiting> NOTHING_WAITS = new ArrayDeque<>(0);

  private final LedgerId id;
  private final KvStore store;
  private final LedgerSettings settings;
  private final LedgerHost host;
  private final long owner;
  private final boolean sole;

  private TreeMap<StateKey, Bytes> state;
  private long baseRevision; // newest one that is a base's; 0 if there is none
  private ForkReader through; // reads what the ledger stands on; null if that is nothing
  private HeadCache heads; // made when a command first needs one
  private AppliedRequests requests; // made when a command first has an id
  private long startedAt; // store's time; ids made before it may be another owner's

  private ArrayDeque<Waiting> queue = NOTHING_WAITS; // of its own from the first command on
  private long queueBytes;
  private long arrived; // commands that were ever queued
  private long newestRowKey; // first revision of the newest row
  private long anchoredAt; // time of the newest anchor
  private int sinceAnchor;
  private LedgerBatch inFlight;
  private boolean timing; // a timestamp was asked for
  private Indexer indexer; // null where derived rows ride in the commit
  private boolean ownCommits; // this incarnation has made one, which shuts out all before it
  private boolean open;
  private LedgerException end;
  private List<Closing> closings; // readers of instants that wait for their time to close

  private volatile long committed;
  private volatile long committedAt;
  private volatile long floor;
  private volatile long ownFrom; // set before the ledger is open

  /**
   * A command that waits to be decided.
   *
   * @param number its place in the order of arrival
   */
  record Waiting(Command command, Reply reply, long number) {}

  private record Closing(long timestamp, BiConsumer<Long, RuntimeException> reply) {}

  /**
   * Makes an incarnation; {@link #start} brings it to life.
   *
   * @param owner a number no other incarnation has
   * @param sole true where no other incarnation can be alive (an embedded store, locked by its
   *     process, with one host per ledger): then, from its first commit on, nothing but the
   *     ledger's own commits can make its memory stale
   */
  public Ledger(
      LedgerId id,
      KvStore store,
      LedgerSettings settings,
      LedgerHost host,
      long owner,
      boolean sole) {
    this.id = id;
    this.store = store;
    this.settings = settings;
    this.host = host;
    this.owner = owner;
    this.sole = sole;
  }

  /** Adds what creates a ledger to a batch: the row of revision 0 and the state it begins with. */
  public static void create(
      WriteBatch.Builder batch,
      KvStore store,
      LedgerId id,
      long owner,
      long timestamp,
      LogRecord record) {
    create(batch, store, id, owner, timestamp, record, Base.NONE);
  }

  /**
   * As the other, for a ledger that stands on another: its order goes on where it left that one, so
   * the row that creates it is that of the base's revision.
   */
  public static void create(
      WriteBatch.Builder batch,
      KvStore store,
      LedgerId id,
      long owner,
      long timestamp,
      LogRecord record,
      Base base) {
    List<Change> changes = new ArrayList<>(record.changes());
    if (!base.isNone()) {
      changes.add(base.change());
    }
    LogRow row =
        new LogRow(
            base.revision(),
            owner,
            timestamp,
            List.of(new LogRecord(record.author(), record.request(), changes)));
    batch.insert(LedgerKeys.log(id, row.first()), row.encode(true));
    LedgerBatch.addDerivedRows(batch, id, List.of(row));
    if (store.scope() == StoreScope.REGION) {
      Indexer.begin(batch, id, row.first());
    }
  }

  /** Newest revision that is durable. */
  public long committed() {
    return committed;
  }

  /** The store's time of the newest durable commit. */
  public long committedAt() {
    return committedAt;
  }

  /** Oldest revision that can be read. */
  public long floor() {
    return floor;
  }

  /** Oldest revision that is the ledger's own and not its base's; 0 if it stands on nothing. */
  public long ownFrom() {
    return ownFrom;
  }

  /** True once started and until ended. */
  public boolean isOpen() {
    return open;
  }

  /** True if nothing waits and nothing is in flight. */
  public boolean isIdle() {
    return inFlight == null
        && queue.isEmpty()
        && !timing
        && closings == null
        && (indexer == null || indexer.isEmpty());
  }

  /** A row of state as committed; for the host's thread. */
  public Optional<Bytes> state(StateKey key) {
    return Optional.ofNullable(state.get(key));
  }

  /** The committed rows of a table, by key; for the host's thread. */
  public java.util.SortedMap<StateKey, Bytes> table(byte table) {
    return state.subMap(
        new StateKey(table, Bytes.EMPTY), new StateKey((byte) (table + 1), Bytes.EMPTY));
  }

  // ---- start ----

  /**
   * Recovers: newest row and state, whatever the ledger's size. Ends with {@code ABSENT} if there
   * is no such ledger.
   */
  public void start() {
    CompletionStage<Optional<LedgerReader.Recovered>> read = reader().recover();
    // later than the newest row: a request whose id is made after it can't be in that row or before
    CompletionStage<Long> afterNewest = read.thenCompose(row -> store.now());
    onHost(
        read.thenCombine(afterNewest, Started::new),
        (started, failure) -> {
          if (failure != null) {
            end(LedgerException.Reason.ENDED, "could not be read", failure);
          } else if (started.recovered().isEmpty()) {
            end(LedgerException.Reason.ABSENT, "does not exist", null);
          } else {
            recovered(started.recovered().get(), started.now());
          }
        });
  }

  private record Started(Optional<LedgerReader.Recovered> recovered, long now) {}

  private void recovered(LedgerReader.Recovered recovered, long now) {
    state = recovered.state();
    Bytes baseRow = state.get(StateKey.BASE);
    if (baseRow != null) {
      baseRevision = Base.decode(baseRow).revision();
      through = new ForkReader(store, id, () -> Base.find(store, id));
    }
    ownFrom = baseRow == null ? 0 : baseRevision + 1;
    newestRowKey = recovered.newest().first();
    startedAt = Timestamps.millis(now);
    Bytes floorRow = state.get(StateKey.FLOOR);
    floor = floorRow == null ? 0 : Floor.decode(floorRow);
    committedAt = recovered.newest().timestamp();
    committed = recovered.newest().last();
    open = true;
    if (store.scope() == StoreScope.REGION) {
      indexer = new Indexer(id, store, this, recovered.index());
      recovered.tail().forEach(indexer::add);
    }
    queue.forEach(waiting -> read(waiting.command()));
    maybeCommit();
    closeInstants();
  }

  // ---- commands ----

  /** True while a commit is in flight: a command that comes now waits for the next one. */
  public boolean isCommitting() {
    return inFlight != null;
  }

  /** Takes a command. The reply comes when what the answer rests on is settled. */
  public void submit(Command command, Reply reply) {
    if (end != null) {
      LedgerException why = end;
      host.answer(() -> reply.settle(null, notDone(why)));
      return;
    }
    if (queue.size() >= settings.queueCommandsMax() || queueBytes >= settings.queueBytesMax()) {
      int waiting = queue.size();
      host.answer(
          () ->
              reply.settle(
                  null,
                  new LedgerException(
                      LedgerException.Reason.BUSY,
                      "[%d] commands wait for ledger [%s]; nothing was done, try again"
                          .formatted(waiting, id))));
      return;
    }
    enqueue(command, reply);
    if (open) {
      read(command);
    }
    maybeCommit();
  }

  private void enqueue(Command command, Reply reply) {
    queue = queue == NOTHING_WAITS ? new ArrayDeque<>() : queue;
    queue.add(new Waiting(command, reply, ++arrived));
    queueBytes += command.bytes();
  }

  /**
   * Reads what a command needs. Never before the newest row is known: a version read earlier could
   * miss a commit that the predecessor got in between, and nothing would tell.
   */
  private void read(Command command) {
    for (EntryRef entry : command.reads()) {
      if (heads == null) {
        heads = new HeadCache(settings.headCacheEntries(), settings.headCacheBytes());
      }
      HeadCache.Slot slot = heads.pin(entry);
      if (slot != null) {
        load(entry, slot);
      }
    }
  }

  private void load(EntryRef entry, HeadCache.Slot slot) {
    Optional<Version> late = indexer == null ? Optional.empty() : indexer.newest(entry);
    if (late.isPresent()) {
      heads.loaded(entry, slot, late);
      return;
    }
    CompletionStage<Optional<Version>> own = reader().indexed(entry, Long.MAX_VALUE - 1);
    CompletionStage<Optional<Version>> read =
        through == null
            ? own
            : own.thenCompose(
                found ->
                    found.isPresent()
                        ? CompletableFuture.completedStage(found)
                        : through.version(entry, baseRevision));
    CompletableFuture<Optional<Version>> future = read.toCompletableFuture();
    if (future.isDone() && !future.isCompletedExceptionally()) {
      heads.loaded(entry, slot, future.join()); // memory answered: no step in between
      return;
    }
    onHost(
        read,
        (version, failure) -> {
          if (end != null) {
            return;
          }
          if (failure == null) {
            heads.loaded(entry, slot, version);
          } else if (heads.failed(entry, slot)) {
            failWaiting(entry, failure);
          }
          maybeCommit();
        });
  }

  private void failWaiting(EntryRef entry, Throwable failure) {
    List<Runnable> answers = new ArrayList<>();
    for (Iterator<Waiting> all = queue.iterator(); all.hasNext(); ) {
      Waiting waiting = all.next();
      if (waiting.command().reads().contains(entry)) {
        take(all, waiting);
        LedgerException refusal =
            new LedgerException(
                LedgerException.Reason.ENDED,
                "could not read what the command needs; nothing was done",
                failure);
        answers.add(() -> waiting.reply().settle(null, refusal));
      }
    }
    answer(answers);
  }

  private void take(Iterator<Waiting> at, Waiting waiting) {
    at.remove();
    queueBytes -= waiting.command().bytes();
    waiting.command().reads().forEach(heads == null ? entry -> {} : heads::unpin);
  }

  // ---- commits ----

  private LedgerReader reader() {
    return new LedgerReader(store, id);
  }

  void maybeCommit() {
    if (!open || end != null || inFlight != null || timing || queue.isEmpty()) {
      return;
    }
    if (indexer != null && indexer.isFull()) {
      return; // the index lags; its next step goes on here
    }
    CompletableFuture<Long> now = store.now().toCompletableFuture();
    if (now.isDone() && !now.isCompletedExceptionally()) {
      decide(now.join(), arrived);
      return;
    }
    timing = true;
    long upTo = arrived; // the time must be later than the arrival of what it stamps
    onHost(
        now,
        (timestamp, failure) -> {
          timing = false;
          if (end != null) {
            return;
          }
          if (failure == null) {
            decide(timestamp, upTo);
          } else if (failure instanceof TransientStoreException) {
            host.schedule(settings.resendDelay(), this::maybeCommit);
          } else {
            end(LedgerException.Reason.ENDED, "got no timestamp from the store", failure);
          }
        });
  }

  /** Decides what waits, in order, and sends what it changes as one commit. */
  private void decide(long timestamp, long upTo) {
    if (timestamp <= committedAt) {
      end(
          LedgerException.Reason.ENDED,
          "the store's clock answered [%d], not later than the newest commit's [%d]"
              .formatted(timestamp, committedAt),
          null);
      return;
    }
    LedgerBatch batch = new LedgerBatch(id, committed + 1, owner, timestamp, this);
    fill(batch, timestamp, upTo);
    if (batch.isEmpty()) {
      confirm(batch);
      if (arrived > upTo) {
        maybeCommit(); // those that came while the timestamp was on its way
      }
    } else {
      inFlight = batch;
      boolean anchor =
          sinceAnchor == 0
              || sinceAnchor >= settings.anchorEvery()
              || Timestamps.millis(timestamp) - Timestamps.millis(anchoredAt) >= ANCHOR_MILLIS;
      sinceAnchor = anchor ? 1 : sinceAnchor + 1;
      anchoredAt = anchor ? timestamp : anchoredAt;
      batch.seal(store.scope(), newestRowKey, anchor);
      send(batch, settings.resendDelay());
    }
  }

  private void fill(LedgerBatch batch, long timestamp, long upTo) {
    Set<String> overtaken = null; // senders whose earlier command has to wait
    for (Iterator<Waiting> all = queue.iterator(); all.hasNext() && !batch.isFull(settings); ) {
      Waiting waiting = all.next();
      if (waiting.number() > upTo) {
        break;
      }
      boolean ready =
          (overtaken == null || !overtaken.contains(waiting.command().sender()))
              && isReady(waiting, batch);
      if (!ready) {
        overtaken = overtaken == null ? new HashSet<>() : overtaken;
        overtaken.add(waiting.command().sender());
        continue;
      }
      if (!decideOne(waiting, batch, timestamp)) {
        break; // does not fit any more: first of the next commit
      }
      take(all, waiting);
    }
  }

  private boolean isReady(Waiting waiting, LedgerBatch batch) {
    for (EntryRef entry : waiting.command().reads()) {
      if (!heads.known(entry)) {
        return false;
      }
    }
    RequestStamp stamp = waiting.command().request();
    if (stamp == null) {
      return true;
    }
    if (batch.holds(stamp)) {
      return false; // the same id twice at once: the second is answered when the first is settled
    }
    if (requests == null) {
      requests = new AppliedRequests(reader(), settings, baseRevision);
    }
    // not the millisecond of the start itself: the owner before may have applied it in there
    boolean fresh = !waiting.command().maybeRetried() && stamp.createdAt() > startedAt;
    if (fresh || requests.isLoaded() || requests.revisionOf(stamp) >= 0) {
      return true;
    }
    loadRequests();
    return false;
  }

  /** False if the command must wait for the next commit. */
  private boolean decideOne(Waiting waiting, LedgerBatch batch, long timestamp) {
    Command command = waiting.command();
    RequestStamp stamp = command.request();
    if (stamp != null) {
      long applied = requests.revisionOf(stamp);
      if (applied >= 0) {
        if (requests.reused(stamp)) {
          batch.refuse(
              waiting.reply(),
              new LedgerException(
                  LedgerException.Reason.REQUEST_REUSED,
                  "the request id was used for another request, at revision [%d]; use a new one"
                      .formatted(applied)));
        } else {
          replay(applied, waiting.reply());
        }
        return true;
      }
      if (requests.tooOld(stamp, timestamp)) {
        batch.refuse(
            waiting.reply(),
            new LedgerException(
                LedgerException.Reason.REQUEST_TOO_OLD,
                "the request id is older than what is remembered ([%s], at most [%d] requests); it was not executed now"
                    .formatted(settings.requestWindow(), settings.requestsMax())));
        return true;
      }
    }
    long revision = batch.next();
    try {
      List<Change> changes = command.decide(batch, revision, timestamp);
      LogRecord record = new LogRecord(command.sender(), stamp, changes);
      if (changes.isEmpty() && command != Mark.INSTANCE) {
        batch.answer(waiting.reply(), new Outcome(revision - 1, timestamp, record, false));
        return true;
      }
      return batch.add(waiting.reply(), record, settings.commitBytesMax());
    } catch (RuntimeException refusal) {
      batch.refuse(waiting.reply(), refusal);
      return true;
    }
  }

  private void send(LedgerBatch batch, Duration delay) {
    onHost(
        store.commit(batch.sealed()),
        (done, failure) -> {
          if (end != null) {
            return;
          }
          if (failure == null || isOurs(failure, batch)) {
            settled(batch);
          } else if (failure instanceof RefusedCommitException) {
            fenced(failure);
          } else if (failure instanceof TransientStoreException
              || failure instanceof UndeterminedCommitException) {
            resend(batch, delay, failure);
          } else {
            end(
                LedgerException.Reason.UNKNOWN,
                "the store failed for good while a commit was under way",
                failure);
          }
        });
  }

  /** A refusal by the row that an earlier sending of the same batch has written is a success. */
  private boolean isOurs(Throwable failure, LedgerBatch batch) {
    return failure instanceof RefusedCommitException refused
        && refused.key().equals(LedgerKeys.log(id, batch.row().first()))
        && refused.found().isPresent()
        && LogRow.decode(batch.row().first(), refused.found().get()).sameBatch(batch.row());
  }

  private void resend(LedgerBatch batch, Duration delay, Throwable failure) {
    if (batch.waited(delay).compareTo(settings.settleTimeout()) > 0) {
      end(
          LedgerException.Reason.UNKNOWN,
          "a commit's outcome stayed unknown for [%s]".formatted(settings.settleTimeout()),
          failure);
      return;
    }
    Duration next = delay.multipliedBy(2);
    host.schedule(
        delay,
        () -> {
          if (end == null) {
            send(batch, next.compareTo(RESEND_DELAY_MAX) > 0 ? RESEND_DELAY_MAX : next);
          }
        });
  }

  /** Row settled, then published, then the next commit is sent, then replies and signals. */
  private void settled(LedgerBatch batch) {
    LogRow row = batch.row();
    newestRowKey = row.first();
    ownCommits = true;
    row.applyState(state);
    if (heads != null) {
      batch.newest().values().forEach(heads::committed);
    }
    if (requests != null) {
      requests.committed(row);
    }
    Bytes floorRow = state.get(StateKey.FLOOR);
    if (floorRow != null) {
      floor = Floor.decode(floorRow);
    }
    committedAt = row.timestamp();
    committed = row.last();
    inFlight = null;
    if (indexer != null) {
      indexer.add(row);
    }
    host.committed(row);
    maybeCommit();
    answer(batch.answers());
    closeInstants();
  }

  /**
   * Refusals that rest on no commit of this owner rest on its memory. One look proves it fresh:
   * nobody has written the next row, and the newest one it knows is still there. The second is
   * needed because the first may have been written and compacted.
   */
  private void confirm(LedgerBatch batch) {
    if (isAlone() || batch.answers().isEmpty()) {
      answer(batch.answers());
      return;
    }
    long next = committed + 1;
    Bytes nextKey = LedgerKeys.log(id, next);
    Bytes newestKey = LedgerKeys.log(id, newestRowKey);
    onHost(
        store.getAll(List.of(newestKey, nextKey)),
        (rows, failure) -> {
          if (failure == null) {
            Bytes following = rows.get(nextKey);
            boolean fresh =
                following == null
                    ? rows.containsKey(newestKey)
                    : LogRow.decode(next, following).owner() == owner;
            if (fresh) {
              answer(batch.answers());
              return;
            }
            fenced(null);
          } else {
            end(
                LedgerException.Reason.ENDED,
                "could not see whether it is still the owner",
                failure);
          }
          LedgerException why = notDone(end);
          List<Runnable> refusals = new ArrayList<>();
          batch.replies().forEach(reply -> refusals.add(() -> reply.settle(null, why)));
          answer(refusals);
        });
  }

  /**
   * True if nothing but this owner's own commits can follow. Also a sole owner has to have made
   * one: before, the last commit of the one before it may still be under way in the store.
   */
  private boolean isAlone() {
    return sole && ownCommits;
  }

  void fenced(Throwable cause) {
    end(
        LedgerException.Reason.ENDED,
        "another owner has written revision [%d]".formatted(committed + 1),
        cause);
  }

  // ---- compaction ----

  /** The oldest revision that can be read where a command is decided. */
  public static long floor(PendingView view) {
    return view.state(StateKey.FLOOR).map(Floor::decode).orElse(0L);
  }

  /**
   * Lets go of what was superseded before a revision: commits the new floor, then removes rows
   * below it in the background. From then on reads below the floor fail. The newest log row stays,
   * whatever the floor: it is the fence; and so do those of the window of request ids, which a new
   * owner looks up in them.
   *
   * @param floor oldest revision that can still be read; at most the newest one
   * @param reply the number of rows removed
   */
  public void compact(long floor, BiConsumer<Long, RuntimeException> reply) {
    submit(
        new Floor(floor, view -> floor, Long.MAX_VALUE),
        (outcome, refusal) -> {
          if (refusal != null) {
            reply.accept(null, refusal);
            return;
          }
          long window =
              Timestamps.firstOf(
                  Timestamps.millis(outcome.timestamp()) - settings.requestWindow().toMillis());
          new Compactor(store, id, Compactor.Cut.at(floor), window, Pace.UNBOUND, false)
              .run()
              .whenComplete(
                  (removed, failure) ->
                      reply.accept(
                          removed,
                          failure == null
                              ? null
                              : new LedgerException(
                                  LedgerException.Reason.UNKNOWN,
                                  "compaction did not finish; compact again",
                                  failure)));
        });
  }

  /**
   * Commits a new floor, and removes nothing: that is a {@link Compactor}'s work, on any node.
   *
   * @param most how far the floor may be raised, by the state at the place in the order where this
   *     is decided
   * @param notAfter timestamp behind which nothing is raised any more
   * @param reply the floor as it is afterwards; it may be lower than asked for, or higher before
   */
  public void raiseFloor(
      long revision,
      ToLongFunction<PendingView> most,
      long notAfter,
      BiConsumer<Long, RuntimeException> reply) {
    submit(
        new Floor(revision, most, notAfter),
        (outcome, refusal) -> reply.accept(refusal == null ? floor : null, refusal));
  }

  /** Forgets what was read to decide commands; for the host's thread. What it held is erased. */
  public void forgetHeads() {
    if (heads != null) {
      heads.clear();
    }
  }

  // ---- instants ----

  /**
   * Closes an instant and tells the newest revision at it.
   *
   * @param timestamp at or before the store's present millisecond
   * @param reply the revision; -1 if the ledger did not exist then
   */
  public void revisionAt(long timestamp, BiConsumer<Long, RuntimeException> reply) {
    onHost(
        store.now(),
        (now, failure) -> {
          if (failure != null || end != null) {
            LedgerException why =
                end != null
                    ? end
                    : new LedgerException(
                        LedgerException.Reason.ENDED, "got no timestamp", failure);
            host.answer(() -> reply.accept(null, notDone(why)));
          } else if (Timestamps.millis(timestamp) > Timestamps.millis(now)) {
            host.answer(
                () ->
                    reply.accept(
                        null,
                        new IllegalArgumentException(
                            "instant [%s] lies in the future; the store's time is [%s]"
                                .formatted(
                                    Timestamps.instant(timestamp), Timestamps.instant(now)))));
          } else if (timestamp >= now) { // the present millisecond: it is over in a moment
            host.schedule(Duration.ofMillis(1), () -> revisionAt(timestamp, reply));
          } else {
            closings = closings == null ? new ArrayList<>() : closings;
            closings.add(new Closing(timestamp, reply));
            closeInstants();
          }
        });
  }

  /**
   * A time is closed when a later commit exists. An owner that is alone need not write one: nothing
   * of that time can follow unless it is in flight.
   */
  private void closeInstants() {
    if (closings == null || !open) {
      return;
    }
    List<Closing> open = new ArrayList<>();
    for (Closing closing : closings) {
      boolean flying = inFlight != null && inFlight.row().timestamp() <= closing.timestamp();
      if (committedAt > closing.timestamp() || isAlone() && !flying && !timing) {
        (through == null
                ? reader().revisionAt(closing.timestamp())
                : through.revisionAt(closing.timestamp()))
            .whenComplete(
                (revision, failure) ->
                    host.answer(
                        () ->
                            closing
                                .reply()
                                .accept(
                                    revision,
                                    failure == null
                                        ? null
                                        : new LedgerException(
                                            LedgerException.Reason.ENDED,
                                            "could not be read",
                                            failure))));
      } else {
        open.add(closing);
      }
    }
    boolean waits = !open.isEmpty();
    closings = waits ? open : null;
    if (waits
        && inFlight == null
        && queue.stream().noneMatch(waiting -> waiting.command() == Mark.INSTANCE)) {
      enqueue(
          Mark.INSTANCE, (outcome, refusal) -> {}); // also into a full queue: it is the only one
      maybeCommit();
    }
  }

  // ---- requests ----

  private void replay(long revision, Reply reply) {
    requests
        .outcome(revision)
        .whenComplete(
            (outcome, failure) ->
                host.answer(
                    () ->
                        reply.settle(
                            outcome,
                            failure == null
                                ? null
                                : new LedgerException(
                                    LedgerException.Reason.UNKNOWN,
                                    "the request was applied at revision [%d], but that could not be read"
                                        .formatted(revision),
                                    failure))));
  }

  /** Reads the ids of the window that earlier owners have applied, in the background. */
  private void loadRequests() {
    if (requests.mayLoad()) {
      onHost(
          requests.read(startedAt, committed),
          (older, failure) -> {
            if (end != null) {
              return;
            }
            if (failure != null) {
              requests.failed();
              host.schedule(settings.resendDelay(), this::maybeCommit);
            } else {
              requests.loaded(older);
              maybeCommit();
            }
          });
    }
  }

  // ---- end ----

  /** Ends the incarnation: what waits is failed as not done, what is in flight as unknown. */
  public void stop() {
    end(LedgerException.Reason.ENDED, "its owner is stopping", null);
  }

  private void end(LedgerException.Reason reason, String what, Throwable cause) {
    if (end != null) {
      return;
    }
    LedgerException why = new LedgerException(reason, "ledger [%s]: %s".formatted(id, what), cause);
    end = why;
    open = false;
    List<Runnable> answers = new ArrayList<>();
    if (inFlight != null) {
      // a row in the place of ours shuts it out for ever; where only the one before is missing,
      // ours may have been written by an earlier sending, and compacted
      boolean fenced =
          cause instanceof RefusedCommitException refused && refused.found().isPresent();
      LedgerException unknown =
          new LedgerException(
              fenced ? LedgerException.Reason.ENDED : LedgerException.Reason.UNKNOWN,
              why.getMessage()
                  + (fenced ? "; nothing was done" : "; retry with the same request id"),
              cause);
      inFlight.replies().forEach(reply -> answers.add(() -> reply.settle(null, unknown)));
    }
    queue.forEach(waiting -> answers.add(() -> waiting.reply().settle(null, notDone(why))));
    if (closings != null) {
      closings.forEach(closing -> answers.add(() -> closing.reply().accept(null, notDone(why))));
    }
    queue.clear();
    inFlight = null;
    closings = null;
    indexer = null;
    answer(answers);
    host.ended(why);
  }

  private static LedgerException notDone(LedgerException why) {
    LedgerException.Reason reason =
        why.reason() == LedgerException.Reason.ABSENT ? why.reason() : LedgerException.Reason.ENDED;
    return new LedgerException(reason, why.getMessage() + "; nothing was done", why.getCause());
  }

  private void answer(List<Runnable> answers) {
    if (!answers.isEmpty()) {
      host.answer(() -> answers.forEach(Runnable::run));
    }
  }

  /** Brings a stage's result back to the host's thread, as it was thrown and not wrapped. */
  <T> void onHost(CompletionStage<T> stage, BiConsumer<T, Throwable> step) {
    stage.whenComplete(
        (value, failure) -> {
          Throwable cause =
              failure instanceof CompletionException && failure.getCause() != null
                  ? failure.getCause()
                  : failure;
          host.execute(() -> step.accept(value, cause));
        });
  }

  // ---- what the batch and the indexer need of their ledger ----

  boolean hasEnded() {
    return end != null;
  }

  LedgerSettings settings() {
    return settings;
  }

  void later(Duration delay, Runnable step) {
    host.schedule(delay, step);
  }

  Optional<Version> committedHead(EntryRef entry) {
    return heads.newest(entry);
  }
}
