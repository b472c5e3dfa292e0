package io.nucleusmem.ledger;

import java.time.Duration;

/**
 * The limits of one ledger.
 *
 * @param commitCommandsMax commands that one commit takes
 * @param commitBytesMax bytes that one commit writes; at least the largest command
 * @param queueCommandsMax commands that may wait; one more is refused as busy
 * @param queueBytesMax bytes that may wait
 * @param headCacheEntries newest versions kept for deciding
 * @param headCacheBytes bytes of those versions
 * @param requestWindow how long the ids of applied requests are remembered
 * @param requestsMax how many are, at most
 * @param settleTimeout how long an undetermined commit is sent again before the owner gives up
 * @param resendDelay wait before the first time it is sent again; doubles to a second
 * @param anchorEvery commits between two anchors of the time index; also at least one a second
 */
public record LedgerSettings(
    int commitCommandsMax,
    long commitBytesMax,
    int queueCommandsMax,
    long queueBytesMax,
    int headCacheEntries,
    long headCacheBytes,
    Duration requestWindow,
    int requestsMax,
    Duration settleTimeout,
    Duration resendDelay,
    int anchorEvery) {

  public static final LedgerSettings DEFAULT =
      new LedgerSettings(
          1_024,
          6L << 20,
          10_000,
          64L << 20,
          4_096,
          4L << 20,
          Duration.ofMinutes(10),
          1_000_000,
          Duration.ofSeconds(30),
          Duration.ofMillis(50),
          256);
}
