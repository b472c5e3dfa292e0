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
   * @param at revision that a scan showed, or the token of a claim; else 0
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
      List<SeenVersion> versions)
      implements LogRecord {
    public Acted {
      versions = List.copyOf(versions);
    }
  }

  /**
   * An answer from outside: of a model, a tool, the clock, a source of random numbers, a timer.
   *
   * @param request hash of the request
   * @param failed then the reply is the failure's text
   * @param micros how long it took
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
