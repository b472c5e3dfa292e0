package io.nucleusmem.receipts;

import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.receipts.LifeLog.Mark;
import io.nucleusmem.receipts.LogRecord.TurnKind;
import io.nucleusmem.store.Bytes;

/**
 * Records in which order a behavior takes what comes, where the numbers of inputs do not tell it:
 * results of what it asked for, timers, messages of its own. Used on the behavior's thread.
 *
 * <p>No effect waits for a turn. A crash takes turns only together with all that came behind them,
 * and so a rerun knows too little there, and nothing wrong.
 */
public final class LifeTurns {
  private final LifeLog life;
  private final String agent;
  private final Life id;
  private long newest; // number of the newest input that was taken
  private boolean missing; // turns could not be recorded since the last one that was

  LifeTurns(LifeLog life, String agent, Life id) {
    this.life = life;
    this.agent = agent;
    this.id = id;
  }

  /** The behavior takes an input. */
  public void takes(Mark mark) {
    life.current(mark);
    if (mark.input() >= newest) {
      newest = mark.input();
    } else if (mark.asks().recorded) {
      turn(TurnKind.INPUT, mark.input(), 0);
    }
  }

  /**
   * It takes a result.
   *
   * @param ask which one of those that were asked for in the same input
   */
  public void takes(Mark mark, long ask) {
    life.current(mark);
    if (mark.asks().recorded) {
      turn(TurnKind.RESULT, mark.input(), ask);
    }
  }

  /** It takes a message that did not come by the context; the place of that. */
  public Mark takesOwn(Class<?> message) {
    Mark mark = life.markOf("", 0, turn(TurnKind.OWN, 0, Tape.Own.hashOf(message)));
    life.current(mark);
    return mark;
  }

  /**
   * A timer fires, in place of an input: what comes of it belongs to it.
   *
   * @param set what was being handled when it was set
   * @param ask its number among what that asked for
   * @throws MemSpaceException {@code BUSY}: then it must not be handed over
   */
  public Mark fires(String timer, Mark set, long ask) {
    long[] own = new long[1];
    life.addRead(
        at -> {
          own[0] = at;
          return new LogRecord.Called(
              agent,
              id,
              at,
              LifeCalls.TIMER,
              timer,
              set.input(),
              Bytes.utf8(Long.toString(ask)),
              false,
              Bytes.EMPTY,
              newest,
              0);
        });
    Mark mark = life.markOf("", 0, own[0]);
    life.current(mark);
    return mark;
  }

  /**
   * The life has ended: what it had not taken by now it does not take. Called when the behavior is
   * gone.
   *
   * @param byItself it crashed or stopped; false: it was ended
   */
  public void ends(boolean byItself) {
    turn(TurnKind.END, 0, byItself ? 1 : 0);
  }

  /** The number of the turn; what could not be recorded has one too. */
  private long turn(TurnKind kind, long input, long ask) {
    try {
      if (missing) {
        life.add(at -> record(at, TurnKind.MISSING, 0, 0));
        missing = false;
      }
      return life.add(at -> record(at, kind, kind == TurnKind.OWN ? at : input, ask));
    } catch (MemSpaceException busyOrStopping) {
      missing = true;
      return life.unrecorded(1);
    }
  }

  private LogRecord record(long at, TurnKind kind, long input, long ask) {
    return new LogRecord.Turn(agent, id, at, kind, newest, input, ask);
  }
}
