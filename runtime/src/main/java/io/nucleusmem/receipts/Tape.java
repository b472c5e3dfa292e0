package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.receipts.ReceiptReader.LifeState;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * What one life of an agent got and did, to be played back: steps in their order, and the answers
 * to what the behavior asks while it handles them. Notes the first place where a rerun differs, and
 * what can't be played back.
 */
public final class Tape {
  /** Something that the behavior is given. */
  public sealed interface Step {
    /** Its number in the life. */
    long seq();

    /** When it was recorded. */
    Instant at();
  }

  /**
   * Something that came by itself.
   *
   * @param watch whose it was; the name of a timer, where {@code version} is null
   * @param redelivered true if the agent may have seen it before
   * @param during of a timer: the input during which it was set
   * @param ask of a timer: its number among what was asked for in that input; 0: not known
   */
  public record Input(
      long seq,
      Instant at,
      How how,
      String space,
      String mount,
      String watch,
      SeenVersion version,
      boolean redelivered,
      long during,
      long ask)
      implements Step {
    /** True if a timer fired. */
    public boolean isTimer() {
      return version == null;
    }
  }

  /**
   * A result of something asynchronous.
   *
   * @param input what it was asked for in; 0: when the behavior began
   * @param ask its number among what was asked for there, from 1
   */
  public record Result(long seq, Instant at, long input, long ask) implements Step {}

  /**
   * A message that did not come by the context.
   *
   * @param type hash of its class
   */
  public record Own(long seq, Instant at, long type) implements Step {
    static long hashOf(Class<?> message) {
      return Hashes.of(message.getName()) >>> 1; // no varint is negative
    }

    /** True if a message is of the class that it was of. */
    public boolean isOf(Object message) {
      return hashOf(message.getClass()) == type;
    }
  }

  /**
   * What a watch of the behavior's own brought.
   *
   * @param request hash of what it asks for
   * @param number which one it is of those that ask for the same, from 1
   */
  public record Raw(
      long seq,
      Instant at,
      String space,
      String mount,
      long request,
      long number,
      List<SeenVersion> versions)
      implements Step {}

  /** Where a rerun differs for the first time, and how; the step is null before the first one. */
  public record Divergence(Step step, String how) {}

  /** Something that can't be played back, and where it is missing first. */
  public record Gap(Step step, String what) {}

  /**
   * A version that is to be as if it had never been.
   *
   * @param region empty: any; of a message {@code comm}, its key is the topic's name
   */
  public record Without(String space, Optional<Region> region, String key, long revision) {
    /** A version in whatever region. */
    public Without(String space, String key, long revision) {
      this(space, Optional.empty(), key, revision);
    }
  }

  /**
   * What a read gave.
   *
   * @param next where the next page begins
   * @param failure empty unless it failed
   */
  record Read(
      String mount, long at, List<SeenVersion> versions, Optional<String> next, Bytes failure) {
    static Read of(LogRecord.Delivered it) {
      return new Read(it.mount(), it.at(), it.versions(), Optional.empty(), Bytes.EMPTY);
    }
  }

  static final String CLAIM = "claim"; // a read by claiming

  private static final int GAPS_MAX = 100; // told of one tape

  private final Began began;
  private final Instant from;
  private final Set<Without> without;
  private final TapeOrder order = new TapeOrder();
  private final List<LogRecord.Delivered> reads = new ArrayList<>(); // not played back yet
  private final List<LogRecord.Delivered> delivered = new ArrayList<>(); // the inputs
  private final TapeCalls calls = new TapeCalls();
  private final List<LogRecord.Acted> acts = new ArrayList<>(); // not done again yet
  private final List<LogRecord.Acted> replaced = new ArrayList<>(); // something else was done
  private final Set<Long> left = new HashSet<>(); // inputs that are left away
  private final Set<Long> behind = new HashSet<>(); // inputs behind the range
  private final Map<String, Step> gaps = new LinkedHashMap<>();
  private final Map<Long, Step> numbered = new HashMap<>();
  private final Map<Long, Long> asks = new HashMap<>(); // by input, as the rerun asks
  private final ThreadLocal<Long> work = new ThreadLocal<>(); // input of what a thread works at
  private Began first; // as the life began; null if that is not in the range
  private List<Step> steps = List.of();
  private long oldest = Long.MAX_VALUE; // seq of the first record in the range
  private long begin = Long.MAX_VALUE; // timestamp of the first input
  private boolean killed; // nobody knows what came behind the last record
  private long reached; // number of the newest step so far
  private long current; // input that is being handled; 0: none
  private Divergence divergence;

  /**
   * @param from begin of the range: a life that is older begins anew with what was there then
   */
  Tape(Began began, Instant from, Set<Without> without) {
    this.began = began;
    this.from = from;
    this.without = without;
  }

  // ---- recording ----

  /** True if a record is something that comes by itself. */
  static boolean isInput(LogRecord record) {
    if (record instanceof LogRecord.Delivered it) {
      return it.input() || isRaw(it);
    }
    return record instanceof LogRecord.Called call && call.kind().equals(LifeCalls.TIMER)
        || record instanceof LogRecord.Turn turn && turn.kind() == LogRecord.TurnKind.OWN;
  }

  private static boolean isRaw(LogRecord.Delivered it) {
    return !it.input() && it.via().equals(LifeLog.OwnWatch.VIA);
  }

  /**
   * @param timestamp of its round
   */
  void add(LogRecord record, long timestamp) {
    Instant at = Timestamps.instant(timestamp);
    if (record instanceof LogRecord.LifeBegan it) {
      if (oldest == Long.MAX_VALUE && it.what().seq() == 0) {
        first = it.what();
      }
      return;
    }
    if (record instanceof LogRecord.Delivered it) {
      oldest = Math.min(oldest, it.seq());
      add(it, at);
    } else if (record instanceof LogRecord.Called it) {
      oldest = Math.min(oldest, it.seq());
      if (it.kind().equals(LifeCalls.TIMER)) {
        addTimer(it, at);
      } else {
        calls.add(it);
      }
    } else if (record instanceof LogRecord.Acted it) {
      oldest = Math.min(oldest, it.seq());
      acts.add(it);
    } else if (record instanceof LogRecord.Turn it) {
      oldest = Math.min(oldest, it.seq());
      order.add(it, at);
    }
    if (isInput(record) && order.hasInputs()) {
      begin = Math.min(begin, timestamp);
    }
  }

  private void add(LogRecord.Delivered it, Instant at) {
    if (it.input()) {
      delivered.add(it);
      for (int i = 0; i < it.versions().size(); i++) {
        SeenVersion version = it.versions().get(i);
        long seq = it.seq() + i;
        if (isWithout(it.space(), version)) {
          left.add(seq);
        } else {
          order.add(
              new Input(
                  seq, at, it.how(), it.space(), it.mount(), it.via(), version, i < it.at(), 0, 0));
        }
      }
    } else if (isRaw(it)) {
      List<SeenVersion> kept =
          it.versions().stream().filter(each -> !isWithout(it.space(), each)).toList();
      if (kept.isEmpty()) {
        left.add(it.seq());
      } else {
        order.add(new Raw(it.seq(), at, it.space(), it.mount(), it.request(), it.at(), kept));
      }
    } else {
      reads.add(it);
    }
  }

  private void addTimer(LogRecord.Called it, Instant at) {
    long ask = it.request().isEmpty() ? 0 : Long.parseLong(it.request().utf8());
    Input timer = new Input(it.seq(), at, null, "", "", it.name(), null, false, it.during(), ask);
    if (began.format() == 0) {
      order.add(timer);
    } else {
      order.addTimer(timer, it.micros());
    }
  }

  /** An input behind the range: what comes of it is not in the rerun. */
  void skip(LogRecord record) {
    if (record instanceof LogRecord.Delivered it) {
      for (int i = 0; i < it.versions().size(); i++) {
        behind.add(it.seq() + i);
      }
    } else if (record instanceof LogRecord.Called it) {
      behind.add(it.seq());
    } else if (record instanceof LogRecord.Turn it) {
      behind.add(it.seq());
    }
  }

  /**
   * Leaves away what came of inputs before and behind the range, and puts the rest in order.
   *
   * @param over the state of a life after which there was another one; empty: it may go on
   */
  void close(Optional<LifeState> over) {
    reads.removeIf(read -> isOutside(read.during()));
    calls.removeIf(this::isOutside);
    acts.removeIf(act -> isOutside(act.during()));
    killed = over.isPresent() && isOrdered() && !order.isEnded();
    Optional<Input> uncertain = killed ? order.cut(taken(over.get())) : Optional.empty();
    steps = order.steps(isBegun());
    steps.forEach(step -> numbered.put(step.seq(), step));
    uncertain.ifPresent(
        first ->
            gap(
                first,
                "what came from here on: its node ended, and nobody knows whether the agent got it"));
    if (began.format() == 0 && !steps.isEmpty()) {
      gap(
          steps.get(0),
          "the order in which results came between inputs: an older version has not recorded it");
    } else if (order.isMissing() && !steps.isEmpty()) {
      gap(
          steps.get(0),
          "all of the order in which results came between inputs: too many receipts waited then");
    }
  }

  /** The newest input that was handled, or of which something is on record. */
  private long taken(LifeState life) {
    LongStream handled =
        delivered.stream()
            .flatMapToLong(
                it ->
                    IntStream.range(0, it.versions().size())
                        .filter(i -> life.confirms(it, it.versions().get(i), it.seq() + i))
                        .mapToLong(i -> it.seq() + i));
    LongStream of =
        Stream.of(
                reads.stream().map(LogRecord.Delivered::during),
                acts.stream().map(LogRecord.Acted::during),
                calls.during())
            .flatMap(each -> each)
            .mapToLong(Long::longValue);
    return LongStream.concat(handled, of).max().orElse(0);
  }

  private boolean isOutside(long during) {
    return during != 0 && during < oldest && !isBegun() || behind.contains(during);
  }

  boolean isWithout(String space, SeenVersion version) {
    return without.contains(new Without(space, version.key(), version.revision()))
        || without.contains(
            new Without(space, Optional.of(version.region()), version.key(), version.revision()));
  }

  // ---- what the agent was ----

  /** True if the life began in the range. */
  private boolean isBegun() {
    return began.format() == 0 ? oldest <= 1 : first != null;
  }

  boolean hasInputs() {
    return order.hasInputs();
  }

  /** The store's time of the first input: what came of it is later, if only by a little. */
  public long begin() {
    return begin;
  }

  /** What the behavior is given, in this order. */
  public List<Step> steps() {
    return steps;
  }

  /** Type of the agent at that time. */
  public String type() {
    return began.type();
  }

  /** Its configuration. */
  public Map<String, String> config() {
    return began.config();
  }

  /** The spaces that it had mounted at some time, with their access. */
  public List<Began.Mounted> mounts() {
    return began.mounts();
  }

  /** The names of those that it had mounted when the rerun begins. */
  public Set<String> mountedFirst() {
    return (first == null ? began : first)
        .mounts().stream().map(Began.Mounted::space).collect(Collectors.toSet());
  }

  /** True if the agent crashed or stopped behind the last step. */
  public boolean isEndedByItself() {
    return order.isEndedByItself();
  }

  /** True if the life was recorded in a way that tells the order of results. */
  public boolean isOrdered() {
    return began.format() > 0;
  }

  // ---- playing back: where it is ----

  /** The behavior is given a step. */
  public synchronized void begins(Step step) {
    reached = Math.max(reached, step.seq());
    current = step instanceof Result result ? result.input() : step.seq();
  }

  /** The behavior is given a result of what it asked for in an input. */
  public synchronized void beginsResultOf(long input) {
    current = input;
  }

  /** The input that is being handled, by the behavior or by that work of its in this thread. */
  public synchronized long seq() {
    Long own = work.get();
    return own == null ? current : own;
  }

  /** The number of what is asked for now, among all that is in the same input. */
  public synchronized long nextAsk() {
    return asks.merge(seq(), 1L, Long::sum);
  }

  /** Runs work on this thread that was asked for in an input. */
  public <T> T during(long input, Callable<T> task) throws Exception {
    Long before = work.get();
    work.set(input);
    try {
      return task.call();
    } finally {
      work.set(before);
    }
  }

  private Step step() {
    return numbered.get(seq());
  }

  /** The time of what is being handled; before that, of the range or of the life's begin. */
  synchronized Instant now() {
    Step step = step();
    return step != null ? step.at() : !isBegun() || steps.isEmpty() ? from : steps.get(0).at();
  }

  /** True while a behavior begins whose life had begun before the range: that is not recorded. */
  private boolean isBegunAnew() {
    return seq() == 0 && !isBegun();
  }

  /** True if the record tells at which step the result was handed over. */
  public boolean isPlaced(long input, long ask) {
    return order.isPlaced(input, ask);
  }

  /** True where what is not on record may come all the same: the rerun is another life by now. */
  public synchronized boolean isFree() {
    return !isBegun()
        || !without.isEmpty()
        || divergence != null
        || gaps.values().stream().anyMatch(step -> step == null || step.seq() <= reached);
  }

  /** Notes that the rerun differs. */
  public synchronized void diverged(String how) {
    if (killed && acts.isEmpty() && reads.isEmpty()) {
      notPlayed("what it did from here on: its node ended before that was on record");
    } else if (divergence == null && !isBegunAnew()) {
      divergence = new Divergence(step(), how);
    }
  }

  /** Notes that something is not on record, and what the behavior gets instead may differ. */
  public synchronized void notPlayed(String what) {
    gap(step(), what);
  }

  private void gap(Step step, String what) {
    if (gaps.size() < GAPS_MAX) {
      gaps.putIfAbsent(what, step);
    }
  }

  /** All steps are given: what was done then and not now is missing. */
  public synchronized void ended() {
    for (LogRecord.Acted act : acts) {
      if (act.during() == 0 || left.contains(act.during())) {
        continue;
      }
      if (!order.isKnown(act.during())) {
        gap(
            null,
            "what it did in space [%s] after something came through a mount that keeps no receipts"
                .formatted(act.space()));
      } else if (divergence == null
          || divergence.step() != null && act.during() < divergence.step().seq()) {
        divergence =
            new Divergence(
                numbered.get(act.during()),
                "it did not %s in space [%s], as it had".formatted(act.kind(), act.space()));
      }
    }
  }

  /** A timer is not set that had been: nothing new, if what had set it is not in the rerun. */
  public synchronized void notSet(Input timer) {
    if (left.contains(timer.during()) || !isBegun() && !order.isKnown(timer.during())) {
      left.add(timer.seq());
    } else {
      diverged("it has not set the timer [%s], as it had".formatted(timer.watch()));
    }
  }

  /** Where it differed first. */
  public synchronized Optional<Divergence> divergence() {
    return Optional.ofNullable(divergence);
  }

  /** What could not be played back, each where it was missing first. */
  public synchronized List<Gap> gaps() {
    return gaps.entrySet().stream().map(each -> new Gap(each.getValue(), each.getKey())).toList();
  }

  /** Versions that it made then and did not make again, with the same content. */
  public synchronized List<Containment.Version> notRepeated() {
    return Stream.concat(replaced.stream(), acts.stream())
        .filter(
            act -> act.during() == 0 || left.contains(act.during()) || order.isKnown(act.during()))
        .sorted(Comparator.comparingLong(LogRecord.Acted::seq))
        .flatMap(
            act ->
                act.versions().stream()
                    .map(version -> new Containment.Version(act.space(), version)))
        .toList();
  }

  // ---- playing back: what it reads ----

  /** Takes the first that fits: one of the input that is being handled, else one that may be. */
  private <T> Optional<T> take(
      List<T> all, ToLongFunction<T> during, Predicate<T> fits, LongPredicate otherwise) {
    long now = seq();
    Optional<T> found =
        all.stream()
            .filter(each -> during.applyAsLong(each) == now && fits.test(each))
            .findFirst()
            .or(
                () ->
                    all.stream()
                        .filter(each -> otherwise.test(during.applyAsLong(each)) && fits.test(each))
                        .findFirst());
    found.ifPresent(all::remove);
    return found;
  }

  /**
   * What was read then. What an earlier input had asked for may be asked for now: inputs overtake
   * each other. Where nothing is recorded the caller reads what was there at {@link #now}.
   */
  synchronized Optional<Read> read(String via, String space, long request) {
    if (isBegunAnew()) {
      return Optional.empty();
    }
    LongPredicate earlier = during -> during < seq();
    String name = LifeCalls.readName(via, space);
    Bytes hash = Hashes.sha256(LifeCalls.readRequest(request));
    Predicate<LogRecord.Delivered> fits =
        it -> it.via().equals(via) && it.space().equals(space) && it.request() == request;
    Optional<LogRecord.Called> refused = calls.find(LifeCalls.READ, name, hash, seq(), earlier);
    Optional<LogRecord.Delivered> found =
        take(
            reads,
            LogRecord.Delivered::during,
            fits.and(it -> refused.isEmpty() || isBefore(it, refused.get())),
            earlier);
    if (found.isEmpty() && refused.isPresent()) {
      LogRecord.Called it = refused.get();
      calls.take(LifeCalls.READ, name, hash, it.during(), during -> false);
      return Optional.of(new Read("", 0, List.of(), Optional.empty(), it.reply()));
    }
    Optional<String> next =
        found
            .flatMap(it -> calls.take(LifeCalls.NEXT, name, hash, it.during(), during -> false))
            .map(it -> it.reply().utf8());
    if (found.isPresent() && left.contains(found.get().during())) {
      return Optional.empty(); // it asks the same later, and may see more
    }
    if (found.isEmpty()) {
      diverged(
          "it asked for something in space [%s] (%s) that it had not asked for"
              .formatted(space, via));
    }
    return found.map(it -> new Read(it.mount(), it.at(), it.versions(), next, Bytes.EMPTY));
  }

  /** Which one of two that were asked for alike came first. */
  private boolean isBefore(LogRecord.Delivered read, LogRecord.Called refused) {
    boolean now = read.during() == seq();
    return now == (refused.during() == seq()) ? read.seq() < refused.seq() : now;
  }

  /** Why something was refused then, of which only that is recorded. */
  synchronized Optional<Bytes> refusal(String via, String space, long request) {
    return calls
        .take(
            LifeCalls.READ,
            LifeCalls.readName(via, space),
            Hashes.sha256(LifeCalls.readRequest(request)),
            seq(),
            during -> false)
        .map(LogRecord.Called::reply);
  }

  /** What was told of topics or subscriptions; not given where nobody had asked for it. */
  synchronized Answer fact(String via, String space, long request) {
    return call(LifeCalls.FACT, LifeCalls.readName(via, space), LifeCalls.readRequest(request));
  }

  /** A refusal has shown what was there: nobody asks for that read. */
  synchronized void refusalShown(String space, long request) {
    take(
        reads,
        LogRecord.Delivered::during,
        it -> it.via().equals("refusal") && it.space().equals(space) && it.request() == request,
        during -> true);
  }

  /**
   * Claims of the same request that may be what is claimed now: of the input that is being handled,
   * then of earlier ones, left away or not.
   */
  synchronized List<LogRecord.Delivered> claims(String space, long request) {
    if (isBegunAnew()) {
      return List.of();
    }
    long now = seq();
    return reads.stream()
        .filter(
            it ->
                it.via().equals(CLAIM)
                    && it.space().equals(space)
                    && it.request() == request
                    && it.during() <= now)
        .sorted(Comparator.comparing(it -> it.during() != now))
        .toList();
  }

  /** One of the claims is what is claimed now, or is left away. */
  synchronized void took(LogRecord.Delivered claim) {
    reads.remove(claim);
  }

  /** True if it came of what is being handled. */
  synchronized boolean isOfCurrent(LogRecord.Delivered read) {
    return read.during() == seq();
  }

  /** None of the claims is. */
  void nothingToClaim(String space) {
    diverged("it claimed in space [%s] when it had not".formatted(space));
  }

  // ---- playing back: what comes from outside ----

  /** What came from outside then, if anything did. */
  public synchronized Answer call(String kind, String name, Bytes request) {
    long now = seq();
    Bytes hash = request.isEmpty() ? request : Hashes.sha256(request);
    boolean exact = kind.equals(LifeCalls.BLOCKING) || kind.equals(LifeCalls.STEPS);
    LongPredicate otherwise =
        during -> !exact && (kind.equals(LifeCalls.CALL) || !left.contains(during));
    Optional<LogRecord.Called> found =
        calls
            .take(kind, name, hash, now, otherwise)
            .or(() -> calls.take(kind + LifeCalls.TOO_LARGE, name, hash, now, otherwise))
            .or(() -> calls.take(kind + LifeCalls.NOT_KEPT, name, hash, now, otherwise));
    Optional<LogRecord.Called> asked =
        calls.take(
            LifeCalls.ASKED + kind,
            name,
            hash,
            found.map(LogRecord.Called::during).orElse(now),
            during -> false);
    if (found.isPresent()) {
      LogRecord.Called it = found.get();
      return it.kind().equals(kind)
          ? new Answer(Answer.State.GIVEN, it.failed(), it.reply(), it.tokens())
          : Answer.lost(lost(it, kind, name));
    }
    if (asked.isPresent()) {
      return Answer.of(Answer.State.NEVER);
    }
    return Answer.of(Answer.State.UNKNOWN);
  }

  private String lost(LogRecord.Called it, String kind, String name) {
    boolean large = it.kind().endsWith(LifeCalls.TOO_LARGE);
    String what =
        kind.equals(LifeCalls.BLOCKING)
            ? "the result of blocking work"
            : "the reply of [%s]".formatted(name);
    String why =
        large
            ? "it was larger than nucleusmem.receipts.reply-bytes-max, so its hash alone is kept"
            : it.reply().utf8();
    notPlayed(what + ": " + why);
    return what + " is not on record: " + why;
  }

  // ---- playing back: what it does ----

  /** What came then of the same effect, whichever input it came of. */
  synchronized Optional<Done> effect(String kind, String space, long request) {
    Predicate<LogRecord.Acted> alike = it -> it.kind().equals(kind) && it.space().equals(space);
    Optional<LogRecord.Acted> before =
        acts.stream().filter(it -> it.during() == seq() && alike.test(it)).findFirst();
    Optional<LogRecord.Acted> found =
        take(
            acts,
            LogRecord.Acted::during,
            it -> alike.test(it) && it.request() == request,
            during -> true);
    if (found.isPresent()) {
      LogRecord.Acted it = found.get();
      if (it.during() == seq() && !before.equals(found)) {
        diverged(
            "it did one %s in space [%s] before another, after which it had done it"
                .formatted(kind, space));
      }
      return Optional.of(new Done(it.done(), it.failure(), it.mount(), it.versions()));
    }
    before.ifPresent(
        it -> {
          acts.remove(it); // it stands in the place of this one
          replaced.add(it);
        });
    diverged("it did another %s in space [%s] than it had".formatted(kind, space));
    return Optional.empty();
  }

  /**
   * What became of an effect.
   *
   * @param failure why it was not done, see {@link Failures}; empty if nobody knows
   */
  public record Done(boolean done, Bytes failure, String mount, List<SeenVersion> versions) {
    /**
     * Why it was not done.
     *
     * @param loader that knows the agent's classes
     */
    public Throwable why(ClassLoader loader) {
      return failure.isEmpty()
          ? new MemSpaceException(
              ErrorCode.UNAVAILABLE, "this had failed; an older version has not recorded why")
          : Failures.decode(failure, loader);
    }
  }

  /** A message that it sends; what became of it, if it is the same message. */
  public Optional<Done> sent(String space, String topic, Content content) {
    return effect("send", space, Hashes.of(topic, content));
  }
}
