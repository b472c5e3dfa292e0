package io.nucleusmem.receipts;

import io.nucleusmem.store.Bytes;
import java.util.List;
import java.util.Map;

/** A line of the receipt log. Each belongs to a life of an agent and is numbered in it. */
sealed interface LogRecord {
  String agent();

  /** The life, which may have begun in a log before this one. */
  Life life();

  /**
   * Versions that one delivery brought.
   *
   * @param seq of the first version; the others follow
   * @param input true if it came by itself, and the behavior ran because of it
   * @param space the space's name at that time
   * @param via name of the watch, or the kind of the read
   * @param during seq of the input that was being handled; 0: none
   * @param request hash of what was asked; 0 where nothing was
   * @param at revision that a scan showed, or the token of a claim; of an input how many of the
   *     first versions may have been seen before; of a watch of the behavior's own, which one it is
   *     among those that ask for the same; else 0
   */
  record Delivered(
      String agent,
      Life life,
      long seq,
      How how,
      boolean input,
      String space,
      String mount,
      String via,
      long during,
      long request,
      long at,
      List<SeenVersion> versions)
      implements LogRecord {
    public Delivered {
      versions = List.copyOf(versions);
    }
  }

  /**
   * How far the life has certainly come.
   *
   * @param upTo by watch the newest revision whose message was handled, and under {@link #READS}
   *     the newest seq of reads
   */
  record Confirmed(String agent, Life life, Map<String, Long> upTo) implements LogRecord {
    /** No watch is named so. */
    static final String READS = "";

    public Confirmed {
      upTo = Map.copyOf(upTo);
    }
  }

  /** The life begins. */
  record LifeBegan(String agent, Life life, Began what) implements LogRecord {}

  /**
   * Something left the agent and was acknowledged, or refused.
   *
   * @param kind of effect, such as {@code write} or {@code publish}
   * @param request hash of what was to be done
   * @param failure why it was not done, see {@link Failures}; empty if it was, or nobody knows
   * @param versions that it made
   */
  record Acted(
      String agent,
      Life life,
      long seq,
      String kind,
      String space,
      String mount,
      long during,
      long request,
      boolean done,
      Bytes failure,
      List<SeenVersion> versions)
      implements LogRecord {
    public Acted {
      versions = List.copyOf(versions);
    }
  }

  /**
   * The behavior took something whose place is not told by the numbers of inputs. Inputs that no
   * turn names were taken in the order of their numbers.
   *
   * @param after number of the input that had been taken last, by number
   * @param input what is taken; of a result, what it had been asked for in
   * @param ask of a result: which one of those that were asked for in that input, from 1; of a
   *     message of the behavior's own, a hash of its class; else 0
   */
  record Turn(String agent, Life life, long seq, TurnKind kind, long after, long input, long ask)
      implements LogRecord {}

  /** What a turn takes. The code stands for it in stored rows: never reused. */
  enum TurnKind {
    /** The result of something asynchronous. */
    RESULT,
    /** An input behind one with a higher number. */
    INPUT,
    /** A message that did not come by the context: the turn's own number is that of the input. */
    OWN,
    /** Nothing: turns before this one are missing, too many receipts waited. */
    MISSING,
    /** Nothing: the life ends. By itself, where the ask is 1; else it was ended. */
    END;

    int code() {
      return ordinal() + 1;
    }

    static TurnKind ofCode(int code) {
      if (code < 1 || code > values().length) {
        throw new IllegalStateException(
            "no turn has the code [%d]; it is 1 to %d".formatted(code, values().length));
      }
      return values()[code - 1];
    }
  }

  /**
   * An answer from outside: of a model, a tool, the clock, a source of random numbers, a timer; or
   * that it was asked for.
   *
   * @param request hash of the request; of a timer, which one of those that its input had set
   * @param failed then the reply is the failure, see {@link Failures}
   * @param micros how long it took; of a timer, the number of the input that had been taken last
   * @param tokens that a model counted; 0: unknown
   */
  record Called(
      String agent,
      Life life,
      long seq,
      String kind,
      String name,
      long during,
      Bytes request,
      boolean failed,
      Bytes reply,
      long micros,
      long tokens)
      implements LogRecord {}
}
