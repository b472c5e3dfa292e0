package io.nucleusmem.receipts;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Puts what one life got into the order in which its behavior took it.
 *
 * <p>Inputs are numbered when they are recorded, and mostly taken in that order; a turn says which
 * input had been taken last before it. With the inputs 1, 2, 5 and the turns (result of 1, after 2)
 * and (input 2, after 5): 1, result of 1, 5, 2. What a watch of the behavior's own brought is
 * handed over when it is recorded, so it stands where the log has it.
 */
final class TapeOrder {
  /** A step whose place the log tells; null if it is the input that is named. */
  private record Placed(long seq, long after, Tape.Step step, long input) {}

  private record Asked(long input, long ask) {}

  private final List<Tape.Input> inputs = new ArrayList<>();
  private final List<Tape.Raw> raw = new ArrayList<>();
  private final List<Placed> placed = new ArrayList<>(); // in the order of the log
  private final Set<Asked> results = new HashSet<>();
  private final Set<Long> late = new HashSet<>(); // inputs that a turn places
  private final Set<Long> known = new HashSet<>(); // numbers of all that something can come of
  private boolean missing;
  private Placed end; // of the life; null: not told
  private boolean endedByItself;
  private long certain = Long.MAX_VALUE; // newest input that was certainly taken

  void add(Tape.Input input) {
    inputs.add(input);
    known.add(input.seq());
  }

  /** A timer: an input whose place is told. */
  void addTimer(Tape.Input timer, long after) {
    add(timer);
    late.add(timer.seq());
    placed.add(new Placed(timer.seq(), after, timer, 0));
  }

  void add(Tape.Raw watched) {
    raw.add(watched);
    known.add(watched.seq());
  }

  void add(LogRecord.Turn turn, Instant at) {
    Tape.Step step = null;
    switch (turn.kind()) {
      case RESULT -> {
        results.add(new Asked(turn.input(), turn.ask()));
        step = new Tape.Result(turn.seq(), at, turn.input(), turn.ask());
      }
      case OWN -> {
        known.add(turn.input());
        step = new Tape.Own(turn.input(), at, turn.ask());
      }
      case INPUT -> late.add(turn.input());
      case MISSING -> {
        missing = true;
        return;
      }
      case END -> {
        end = new Placed(turn.seq(), turn.after(), null, 0);
        endedByItself = turn.ask() == 1;
        return;
      }
      default -> throw new IllegalStateException("no turn is [" + turn.kind() + "]");
    }
    placed.add(new Placed(turn.seq(), turn.after(), step, turn.input()));
  }

  /** Turns that the agent's node had no room for are missing. */
  boolean isMissing() {
    return missing;
  }

  /** True if the record tells how the life ended. */
  boolean isEnded() {
    return end != null;
  }

  /** True if it crashed or stopped. */
  boolean isEndedByItself() {
    return endedByItself;
  }

  /**
   * The life was killed, and took at least what is certain; of what came behind nobody knows.
   *
   * @param taken number of the newest input that was handled, or of which something came
   * @return the first input that may not have been taken
   */
  Optional<Tape.Input> cut(long taken) {
    certain = placed.stream().mapToLong(Placed::after).reduce(taken, Math::max);
    return inputs.stream()
        .filter(each -> each.seq() > certain && !late.contains(each.seq()))
        .min(Comparator.comparingLong(Tape.Input::seq));
  }

  /** True if something came of itself. */
  boolean hasInputs() {
    return !inputs.isEmpty() || !raw.isEmpty();
  }

  /** True if the number is that of something that is on the tape. */
  boolean isKnown(long input) {
    return known.contains(input);
  }

  /** True if the log tells where the result was taken. */
  boolean isPlaced(long input, long ask) {
    return results.contains(new Asked(input, ask));
  }

  /**
   * All steps in their order.
   *
   * @param begun true if the life's begin is among them, and so results of what it asked for
   */
  List<Tape.Step> steps(boolean begun) {
    Map<Long, Tape.Input> named = new HashMap<>();
    inputs.forEach(each -> named.put(each.seq(), each));
    Deque<Tape.Step> others = new ArrayDeque<>();
    inputs.stream()
        .filter(each -> !late.contains(each.seq()))
        .sorted(Comparator.comparingLong(Tape.Input::seq))
        .forEach(others::add);
    Deque<Tape.Step> watched = new ArrayDeque<>(raw);
    List<Tape.Step> steps = new ArrayList<>();
    for (Placed each : placed) {
      upTo(each.after(), each.seq() - 1, others, watched, steps);
      Tape.Step step = each.step() == null ? named.get(each.input()) : each.step();
      boolean asked =
          !(step instanceof Tape.Result result)
              || (result.input() == 0 ? begun : known.contains(result.input()));
      if (step != null && asked) {
        steps.add(step);
      }
    }
    long last = end == null ? certain : end.after();
    upTo(last, end == null ? Long.MAX_VALUE : end.seq(), others, watched, steps);
    return steps;
  }

  private static void upTo(
      long input, long seq, Deque<Tape.Step> inputs, Deque<Tape.Step> raw, List<Tape.Step> to) {
    while (true) {
      Tape.Step first = within(inputs.peek(), input);
      Tape.Step second = within(raw.peek(), seq);
      if (first == null && second == null) {
        return;
      }
      boolean takesFirst = second == null || first != null && first.seq() < second.seq();
      to.add(takesFirst ? inputs.poll() : raw.poll());
    }
  }

  private static Tape.Step within(Tape.Step step, long last) {
    return step != null && step.seq() <= last ? step : null;
  }
}
