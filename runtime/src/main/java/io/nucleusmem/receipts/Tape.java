package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Region;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.Timestamps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * What one life of an agent got and did, to be played back: inputs in their order, and the answers
 * to what the behavior asks while it handles them. Notes the first place where a rerun differs.
 */
public final class Tape {
  /**
   * Something that came by itself.
   *
   * @param watch whose it was; the name of a timer, where {@code version} is null
   * @param during of a timer: the input during which it was set
   */
  public record Input(
      long seq,
      Instant at,
      How how,
      String space,
      String mount,
      String watch,
      SeenVersion version,
      long during) {
    /** True if a timer fired. */
    public boolean isTimer() {
      return version == null;
    }
  }

  /** What a model, tool, clock or source of random numbers had given. */
  public record Answer(boolean failed, String text, long tokens) {}

  /** Where a rerun differs for the first time, and how. */
  public record Divergence(Input input, String how) {}

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

  record Read(String mount, long at, List<SeenVersion> versions) {
    static Read of(LogRecord.Delivered it) {
      return new Read(it.mount(), it.at(), it.versions());
    }
  }

  static final String CLAIM = "claim"; // a read by claiming

  record Done(boolean done, String mount, List<SeenVersion> versions) {}

  private final Began began;
  private final Instant from;
  private final Set<Without> without;
  private final List<Input> inputs = new ArrayList<>();
  private final List<LogRecord.Delivered> reads = new ArrayList<>(); // not played back yet
  private final List<LogRecord.Called> calls = new ArrayList<>();
  private final List<LogRecord.Acted> acts = new ArrayList<>(); // not done again yet
  private final List<LogRecord.Acted> replaced = new ArrayList<>(); // something else was done
  private final Set<Long> left = new HashSet<>(); // inputs that are left away
  private long first = Long.MAX_VALUE; // seq of the first record in the range
  private long begin = Long.MAX_VALUE; // timestamp of the first input
  private Input current;
  private Divergence divergence;

  /**
   * @param from begin of the range: a life that is older begins anew with what was there then
   */
  Tape(Began began, Instant from, Set<Without> without) {
    this.began = began;
    this.from = from;
    this.without = without;
  }

  /**
   * @param timestamp of its round
   */
  void add(LogRecord record, long timestamp) {
    Instant at = Timestamps.instant(timestamp);
    if (isInput(record) && timestamp < begin) {
      begin = timestamp;
    }
    if (record instanceof LogRecord.Delivered it) {
      first = Math.min(first, it.seq());
    } else if (record instanceof LogRecord.Called it) {
      first = Math.min(first, it.seq());
    } else if (record instanceof LogRecord.Acted it) {
      first = Math.min(first, it.seq());
    }
    if (record instanceof LogRecord.Delivered it && it.input()) {
      for (int i = 0; i < it.versions().size(); i++) {
        SeenVersion version = it.versions().get(i);
        if (isWithout(it.space(), version)) {
          left.add(it.seq() + i);
        } else {
          inputs.add(
              new Input(it.seq() + i, at, it.how(), it.space(), it.mount(), it.via(), version, 0));
        }
      }
    } else if (record instanceof LogRecord.Delivered it) {
      reads.add(it);
    } else if (record instanceof LogRecord.Called it && it.kind().equals(LifeLog.TIMER)) {
      inputs.add(new Input(it.seq(), at, null, "", "", it.name(), null, it.during()));
    } else if (record instanceof LogRecord.Called it) {
      calls.add(it);
    } else if (record instanceof LogRecord.Acted it) {
      acts.add(it);
    }
  }

  /** Leaves away what came of inputs before the range. */
  void close() {
    inputs.sort(Comparator.comparingLong(Input::seq));
    reads.removeIf(read -> isOfEarlier(read.during()));
    calls.removeIf(call -> isOfEarlier(call.during()));
    acts.removeIf(act -> isOfEarlier(act.during()));
  }

  private boolean isOfEarlier(long during) {
    return during != 0 && during < first;
  }

  boolean isWithout(String space, SeenVersion version) {
    return without.contains(new Without(space, version.key(), version.revision()))
        || without.contains(
            new Without(space, Optional.of(version.region()), version.key(), version.revision()));
  }

  // ---- what the agent was ----

  private boolean isInput(LogRecord record) {
    if (record instanceof LogRecord.Delivered it) {
      return it.input() && it.versions().stream().anyMatch(each -> !isWithout(it.space(), each));
    }
    return record instanceof LogRecord.Called call && call.kind().equals(LifeLog.TIMER);
  }

  /** The store's time of the first input: what came of it is later, if only by a little. */
  public long begin() {
    return begin;
  }

  /** Inputs in their order. */
  public List<Input> inputs() {
    return List.copyOf(inputs);
  }

  /** Type of the agent at that time. */
  public String type() {
    return began.type();
  }

  /** Its configuration. */
  public Map<String, String> config() {
    return began.config();
  }

  /** The spaces that it had mounted, with their access. */
  public List<Began.Mounted> mounts() {
    return began.mounts();
  }

  // ---- playing back ----

  /** The behavior is given an input. */
  public synchronized void begins(Input input) {
    current = input;
  }

  /** Notes that the rerun differs. */
  public synchronized void diverged(String how) {
    if (divergence == null && !isBegunAnew()) {
      divergence = new Divergence(current, how);
    }
  }

  /** All inputs are given: what was done then and not now is missing. */
  public synchronized void ended() {
    for (LogRecord.Acted act : acts) {
      boolean earlier =
          divergence == null
              || divergence.input() != null && act.during() < divergence.input().seq();
      if (act.during() != 0 && !left.contains(act.during()) && earlier) {
        Optional<Input> input =
            inputs.stream().filter(each -> each.seq() == act.during()).findFirst();
        divergence =
            new Divergence(
                input.orElse(current),
                "it did not %s in space [%s], as it had".formatted(act.kind(), act.space()));
      }
    }
  }

  /** A timer is not set that had been: nothing new, if what had set it is not in the rerun. */
  public synchronized void notSet(Input timer) {
    if (left.contains(timer.during()) || timer.during() < first) {
      left.add(timer.seq());
    } else {
      diverged("it has not set the timer [%s], as it had".formatted(timer.watch()));
    }
  }

  /** Where it differed first. */
  public synchronized Optional<Divergence> divergence() {
    return Optional.ofNullable(divergence);
  }

  /** Versions that it made then and did not make again, with the same content. */
  public synchronized List<Containment.Version> notRepeated() {
    return Stream.concat(replaced.stream(), acts.stream())
        .sorted(Comparator.comparingLong(LogRecord.Acted::seq))
        .flatMap(
            act ->
                act.versions().stream()
                    .map(version -> new Containment.Version(act.space(), version)))
        .toList();
  }

  /** The time of what is being handled; before that, of the range or of the life's begin. */
  synchronized Instant now() {
    if (current != null) {
      return current.at();
    }
    return first > 1 || inputs.isEmpty() ? from : inputs.get(0).at();
  }

  /** True while a behavior begins whose life had begun before the range: that is not recorded. */
  private boolean isBegunAnew() {
    return current == null && first > 1;
  }

  private long seq() {
    return current == null ? 0 : current.seq();
  }

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
    Optional<LogRecord.Delivered> found =
        take(
            reads,
            LogRecord.Delivered::during,
            it -> it.via().equals(via) && it.space().equals(space) && it.request() == request,
            during -> during < seq());
    if (found.isPresent() && left.contains(found.get().during())) {
      return Optional.empty(); // it asks the same later, and may see more
    }
    if (found.isEmpty()) {
      diverged(
          "it asked for something in space [%s] (%s) that it had not asked for"
              .formatted(space, via));
    }
    return found.map(Read::of);
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
    List<LogRecord.Delivered> all =
        reads.stream()
            .filter(
                it ->
                    it.via().equals(CLAIM)
                        && it.space().equals(space)
                        && it.request() == request
                        && it.during() <= now)
            .sorted(Comparator.comparing(it -> it.during() != now))
            .toList();
    return all;
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

  /** The answer of a model, tool, clock or source of random numbers. */
  public synchronized Optional<Answer> call(String kind, String name, Bytes request) {
    Bytes hash = request.isEmpty() ? request : Hashes.sha256(request);
    Optional<LogRecord.Called> found =
        take(
            calls,
            LogRecord.Called::during,
            it -> it.kind().equals(kind) && it.name().equals(name) && it.request().equals(hash),
            during -> kind.equals(LifeLog.CALL) || !left.contains(during));
    if (found.isPresent()) {
      LogRecord.Called it = found.get();
      return Optional.of(new Answer(it.failed(), it.reply().utf8(), it.tokens()));
    }
    diverged(
        kind.equals(LifeLog.CALL)
            ? "it called [%s] with a request for which no reply is recorded".formatted(name)
            : "it asked for the %s more often than it had".formatted(kind));
    return Optional.empty();
  }

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
      return Optional.of(new Done(it.done(), it.mount(), it.versions()));
    }
    before.ifPresent(
        it -> {
          acts.remove(it); // it stands in the place of this one
          replaced.add(it);
        });
    diverged("it did another %s in space [%s] than it had".formatted(kind, space));
    return Optional.empty();
  }

  /** A message that it sends; the version that it made then, if it is the same message. */
  public Optional<SeenVersion> sent(
      String space, String topic, io.nucleusmem.memspace.Content content) {
    return effect("send", space, Hashes.of(topic, content))
        .filter(done -> !done.versions().isEmpty())
        .map(done -> done.versions().get(0));
  }
}
