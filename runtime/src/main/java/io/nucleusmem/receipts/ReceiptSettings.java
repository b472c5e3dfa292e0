package io.nucleusmem.receipts;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The block {@code nucleusmem.receipts}.
 *
 * @param pendingMax records of this node that wait to be written; one more read is refused as busy
 * @param roundBytesMax about how large one commit may be
 * @param lingerMax how long a commit waits for the other subscribers of a delivery round
 * @param lazyInterval what nobody waits for is written this late at most
 * @param recordTimeout how long an effect waits for what was read before it to be recorded
 * @param replyBytesMax largest reply of a model or tool that is kept
 * @param containmentMax versions and agents that a containment looks at
 */
public record ReceiptSettings(
    int pendingMax,
    long roundBytesMax,
    Duration lingerMax,
    Duration lazyInterval,
    Duration recordTimeout,
    int replyBytesMax,
    int containmentMax) {
  private static final String PATH = "nucleusmem.receipts";
  private static final long ROUND_BYTES_LIMIT = 3L << 20; // a batch of the store is twice as large
  private static final int REPLY_BYTES_LIMIT = 1 << 20;

  public ReceiptSettings {
    within("pending-max", pendingMax, 1, Integer.MAX_VALUE);
    within("round-bytes-max", roundBytesMax, 1, ROUND_BYTES_LIMIT);
    within("linger-max", lingerMax.toNanos(), 0, Duration.ofSeconds(1).toNanos());
    within("lazy-interval", lazyInterval.toMillis(), 1, Duration.ofMinutes(1).toMillis());
    within("record-timeout", recordTimeout.toMillis(), 1, Duration.ofHours(1).toMillis());
    within("reply-bytes-max", replyBytesMax, 0, REPLY_BYTES_LIMIT);
    within("containment-max", containmentMax, 1, 1_000_000);
  }

  /** Reads and checks the block. */
  public static ReceiptSettings from(Config root) {
    Config config = root.getConfig(PATH);
    return new ReceiptSettings(
        config.getInt("pending-max"),
        config.getBytes("round-bytes-max"),
        config.getDuration("linger-max"),
        config.getDuration("lazy-interval"),
        config.getDuration("record-timeout"),
        (int) Math.min(Integer.MAX_VALUE, config.getBytes("reply-bytes-max")),
        config.getInt("containment-max"));
  }

  private static void within(String key, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s.%s is [%d]; it must be %d to %d".formatted(PATH, key, value, min, max));
    }
  }
}
