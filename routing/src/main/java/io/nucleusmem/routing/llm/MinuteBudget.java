package io.nucleusmem.routing.llm;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What may be spent in a minute, any minute: what was spent counts until a minute has passed since.
 * Safe for several threads.
 */
final class MinuteBudget {
  private static final long MINUTE_NANOS = Duration.ofMinutes(1).toNanos();

  private final LlmSettings.Budget limits;
  private final LongSupplier nanoTime;

  // guarded by this; at most callsPerMinute of them, oldest first
  private final Deque<Spent> spent = new ArrayDeque<>();
  private long tokensSpent;

  /** One call; what it costs is corrected when it is known. */
  final class Spent {
    private final long at;
    private int tokens;
    private boolean forgotten;

    private Spent(long at, int tokens) {
      this.at = at;
      this.tokens = tokens;
    }

    /** Corrects the tokens that were taken to those that were used. */
    void settle(int used) {
      synchronized (MinuteBudget.this) {
        if (!forgotten) {
          tokensSpent += used - tokens;
          tokens = used;
        }
      }
    }
  }

  MinuteBudget(LlmSettings.Budget limits, LongSupplier nanoTime) {
    this.limits = limits;
    this.nanoTime = nanoTime;
  }

  /**
   * Takes one call and its tokens.
   *
   * @param tokens estimated; more than a minute has are granted when nothing else was spent in it
   * @param reserve share of the budget, from 0 to 1, that has to remain for others
   * @return empty: there is not enough left
   */
  synchronized Optional<Spent> take(int tokens, double reserve) {
    long now = nanoTime.getAsLong();
    while (!spent.isEmpty() && now - spent.peekFirst().at >= MINUTE_NANOS) {
      Spent old = spent.removeFirst();
      old.forgotten = true;
      tokensSpent -= old.tokens;
    }
    boolean enough =
        spent.isEmpty()
            || (spent.size() + 1 <= (1 - reserve) * limits.callsPerMinute()
                && (limits.tokensPerMinute() == 0
                    || tokensSpent + tokens <= (1 - reserve) * limits.tokensPerMinute()));
    if (!enough) {
      return Optional.empty();
    }
    var call = new Spent(now, tokens);
    spent.addLast(call);
    tokensSpent += tokens;
    return Optional.of(call);
  }
}
