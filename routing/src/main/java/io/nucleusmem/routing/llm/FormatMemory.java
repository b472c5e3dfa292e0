package io.nucleusmem.routing.llm;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Which answer formats a server refused for its model. Kept as long as the process runs, each for a
 * limited time, since servers are updated.
 */
final class FormatMemory {
  private final long nanosKept;
  private final LongSupplier nanoTime;
  private final Map<AnswerFormat, Long> refusedAt = new EnumMap<>(AnswerFormat.class);

  FormatMemory(Duration kept, LongSupplier nanoTime) {
    this.nanosKept = kept.toNanos();
    this.nanoTime = nanoTime;
  }

  /** The strictest that was not refused lately. */
  synchronized AnswerFormat strictest() {
    long now = nanoTime.getAsLong();
    refusedAt.values().removeIf(at -> now - at >= nanosKept);
    for (AnswerFormat format : AnswerFormat.values()) {
      if (!refusedAt.containsKey(format)) {
        return format;
      }
    }
    return AnswerFormat.PLAIN;
  }

  /**
   * To be called when a looser one was taken right after: the server works, the format does not.
   */
  synchronized void refused(AnswerFormat format) {
    if (format != AnswerFormat.PLAIN) {
      refusedAt.put(format, nanoTime.getAsLong());
    }
  }
}
