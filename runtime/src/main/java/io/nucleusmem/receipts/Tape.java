package io.nucleusmem.receipts;

import io.nucleusmem.store.Bytes;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

/**
 * What one life of an agent got and did, to be played back: inputs in their order, and the answers
 * to what the behavior asks while it handles them. Notes the first place where a rerun differs.
 */
public final class Tape {
  /**
   * Something that came by itself.
   *
   * @param watch whose it was; the name of a timer, where {@code version} is null
   */
  public record Input(
      long seq,
      Instant at,
      How how,
      String space,
      String mount,
      String watch,
      SeenVersion version) {
    /** True if a timer fired. */
    public boolean isTimer() {
      return version == null;
    }
  }

  /** What a model, tool, clock or source of random numbers had given. */
  public record Answer(boolean failed, String text, long tokens) {}

  /** Where a rerun differs for the first time, and how. */
  public record Divergence(Input input, String how) {}

  /** A version that is to be as if it had never been. */
  public record Without(String space, String key, long revision) {}

  record Read(String mount, long at, List<SeenVersion> versions) {}

  record Done(boolean done, String mount, List<SeenVersion> versions) {}

  private final Began began;
  private final Set<Without> without;
  private final List<Input> inputs = new ArrayList<>();
  private final List<LogRecord.Delivered> reads = new ArrayList<>(); // not played back yet
  private final List<LogRecord.Called> calls = new ArrayList<>();
  private final Deque<LogRecord.Acted> acts = new ArrayDeque<>();
  private final Set<Long> left = new HashSet<>(); // inputs that are left away
  private Input current;
  private Divergence divergence;

  Tape(Began began, Set<Without> without) {
    this.began = began;
    this.without = without;
  }

  void add(LogRecord record, Instant at) {
    if (record instanceof LogRecord.Delivered it && it.input()) {
      for (int i = 0; i < it.versions().size(); i++) {
        SeenVersion version = it.versions().get(i);
        if (isWithout(it.space(), version)) {
          left.add(it.seq() + i);
        } else {
          inputs.add(
              new Input(it.seq() + i, at, it.how(), it.space(), it.mount(), it.via(), version));
        }
      }
    } else if (record instanceof LogRecord.Delivered it) {
      reads.add(it);
    } else if (record instanceof LogRecord.Called it && it.kind().equals(LifeLog.TIMER)) {
      inputs.add(new Input(it.seq(), at, null, "", "", it.name(), null));
    } else if (record instanceof LogRecord.Called it) {
      calls.add(it);
    } else if (record instanceof LogRecord.Acted it) {
      acts.add(it);
    }
  }

  /** Leaves away what was asked and done before the first input, and because of those left away. */
  void close() {
    inputs.sort(Comparator.comparingLong(Input::seq));
    long first = inputs.isEmpty() ? Long.MAX_VALUE : inputs.get(0).seq();
    acts.removeIf(act -> act.during() < first || left.contains(act.during()));
    reads.removeIf(read -> left.contains(read.during()));
    calls.removeIf(call -> left.contains(call.during()));
  }

  boolean isWithout(String space, SeenVersion version) {
    return without.contains(new Without(space, version.key(), version.revision()));
  }

  // ---- what the agent was ----

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

  /** The input, and all that was asked for because of it, is handled. */
  public synchronized void ended(Input input, long nextSeq) {
    while (!acts.isEmpty() && acts.peek().during() < nextSeq) {
      LogRecord.Acted missing = acts.poll();
      if (missing.during() != 0) {
        diverged(
            "it did not %s in space [%s], as it had".formatted(missing.kind(), missing.space()));
      }
    }
  }

  /** Notes that the rerun differs. */
  public synchronized void diverged(String how) {
    if (divergence == null) {
      divergence = new Divergence(current, how);
    }
  }

  /** Where it differed first. */
  public synchronized Optional<Divergence> divergence() {
    return Optional.ofNullable(divergence);
  }

  synchronized Instant now() {
    return current == null ? Instant.EPOCH : current.at();
  }

  /** Takes the first that fits: one of the input that is being handled, else of any. */
  private <T> Optional<T> first(List<T> all, ToLongFunction<T> during, Predicate<T> fits) {
    long now = current == null ? 0 : current.seq();
    Optional<T> found =
        all.stream()
            .filter(fits)
            .filter(each -> during.applyAsLong(each) == now)
            .findFirst()
            .or(() -> all.stream().filter(fits).findFirst());
    found.ifPresent(all::remove);
    return found;
  }

  synchronized Optional<Read> read(String via, String space, long request) {
    Optional<LogRecord.Delivered> found =
        first(
            reads,
            LogRecord.Delivered::during,
            it -> it.via().equals(via) && it.space().equals(space) && it.request() == request);
    if (found.isPresent()) {
      LogRecord.Delivered it = found.get();
      return Optional.of(new Read(it.mount(), it.at(), it.versions()));
    }
    diverged(
        "it asked for something in space [%s] (%s) that it had not asked for"
            .formatted(space, via));
    return Optional.empty();
  }

  /** The answer of a model, tool, clock or source of random numbers. */
  public synchronized Optional<Answer> call(String kind, String name, Bytes request) {
    Bytes hash = request.isEmpty() ? request : Hashes.sha256(request);
    Optional<LogRecord.Called> found =
        first(
            calls,
            LogRecord.Called::during,
            it -> it.kind().equals(kind) && it.name().equals(name) && it.request().equals(hash));
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

  synchronized Optional<Done> effect(String kind, String space, long request) {
    LogRecord.Acted next = acts.peek();
    if (next != null
        && next.kind().equals(kind)
        && next.space().equals(space)
        && next.request() == request) {
      acts.poll();
      return Optional.of(new Done(next.done(), next.mount(), next.versions()));
    }
    if (next != null && next.kind().equals(kind) && next.space().equals(space)) {
      acts.poll(); // it stands in the place of this one
    }
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
