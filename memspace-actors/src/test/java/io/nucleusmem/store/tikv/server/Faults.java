package io.nucleusmem.store.tikv.server;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/** The faults that wait for their request. The one armed first is met first. */
public final class Faults {
  private static final class Armed {
    private final RequestKind kind;
    private final Predicate<Call> condition;
    private final Fault fault;
    private int toPass;
    private int times;

    Armed(RequestKind kind, Predicate<Call> condition, int toPass, int times, Fault fault) {
      this.kind = kind;
      this.condition = condition;
      this.toPass = toPass;
      this.times = times;
      this.fault = fault;
    }
  }

  private final List<Armed> armed = new ArrayList<>();
  private final Map<Long, Held> hanging = new ConcurrentHashMap<>();

  /** Disturbs the next request of a kind. */
  public void next(RequestKind kind, Fault fault) {
    next(kind, 1, fault);
  }

  /** Disturbs the next so many of a kind. */
  public void next(RequestKind kind, int times, Fault fault) {
    arm(new Armed(kind, call -> true, 0, times, fault));
  }

  /** Lets some of a kind pass and disturbs the one with this number, counted from 1. */
  public void nth(RequestKind kind, int number, Fault fault) {
    arm(new Armed(kind, call -> true, number - 1, 1, fault));
  }

  /** Disturbs the next so many of a kind that meet a condition. */
  public void when(RequestKind kind, Predicate<Call> condition, int times, Fault fault) {
    arm(new Armed(kind, condition, 0, times, fault));
  }

  /** The next request of a kind waits until the test releases it. */
  public Held hold(RequestKind kind) {
    Held held = new Held();
    next(kind, held);
    return held;
  }

  /**
   * Requests to a store are taken and never answered, until released.
   *
   * @param store 0: PD
   */
  public void hang(long store) {
    hanging.putIfAbsent(store, new Held());
  }

  /** Ends {@link #hang}; what has piled up is handled now. */
  public void release(long store) {
    Held held = hanging.remove(store);
    if (held != null) {
      held.release();
    }
  }

  /** Disarms everything that has not happened yet. Hanging stores go on hanging. */
  public synchronized void clear() {
    armed.clear();
  }

  private synchronized void arm(Armed entry) {
    armed.add(entry);
  }

  void handle(Call call) {
    Held held = hanging.get(call.store());
    Fault fault = held == null ? take(call) : held;
    fault.meet(call);
  }

  private synchronized Fault take(Call call) {
    for (Iterator<Armed> each = armed.iterator(); each.hasNext(); ) {
      Armed entry = each.next();
      if (entry.kind != call.kind() || !entry.condition.test(call)) {
        continue;
      }
      if (entry.toPass-- > 0) {
        continue;
      }
      if (--entry.times <= 0) {
        each.remove();
      }
      return entry.fault;
    }
    return Call::answer;
  }
}
