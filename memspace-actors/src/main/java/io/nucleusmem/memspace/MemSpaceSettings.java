package io.nucleusmem.memspace;

import com.typesafe.config.Config;
import io.nucleusmem.ledger.LedgerSettings;
import java.time.Duration;

/**
 * The block {@code nucleusmem.memspace}: limits and times of spaces, topics, mounts and their
 * client.
 *
 * @param keyBytesMax longest name of an entry, in UTF-8
 * @param valueBytesMax largest value
 * @param metadataBytesMax metadata of one entry, names and values together
 * @param batchOperationsMax operations of one batch
 * @param batchBytesMax keys, values and metadata of one batch
 * @param callTimeout how long a call is tried before it fails as unavailable
 * @param attemptTimeout how long one try waits for its answer
 * @param grantLease how long a node may read through a mount without asking again
 * @param idleTimeout after so long without a call or a watcher an owner leaves memory
 * @param claimsMax open claims of a space
 * @param claimableMax claimable keys held in memory for one prefix
 * @param watchRingBytes what a node keeps of a watched space's newest commits
 * @param progressInterval longest silence of a watch
 * @param ackInterval acknowledgements are written at most this often
 * @param cacheBytes versions kept by a node for pulls
 */
public record MemSpaceSettings(
    int keyBytesMax,
    int valueBytesMax,
    int metadataBytesMax,
    int batchOperationsMax,
    int batchBytesMax,
    Duration callTimeout,
    Duration attemptTimeout,
    Duration grantLease,
    Duration idleTimeout,
    int claimsMax,
    int claimableMax,
    long watchRingBytes,
    Duration progressInterval,
    Duration ackInterval,
    long cacheBytes,
    LedgerSettings ledger) {

  private static final String PATH = "nucleusmem.memspace";

  public MemSpaceSettings {
    atLeast("key-bytes-max", keyBytesMax, 1, 2_048);
    atLeast("value-bytes-max", valueBytesMax, 1, 4 << 20);
    atLeast("metadata-bytes-max", metadataBytesMax, 0, 64 << 10);
    atLeast("batch-operations-max", batchOperationsMax, 1, 10_000);
    atLeast("batch-bytes-max", batchBytesMax, valueBytesMax, 4 << 20);
    atLeast("claims-max", claimsMax, 1, 1_000_000);
    atLeast("claimable-max", claimableMax, 1, 1_000_000);
    positive("call-timeout", callTimeout);
    positive("attempt-timeout", attemptTimeout);
    positive("grant-lease", grantLease);
    positive("idle-timeout", idleTimeout);
    positive("progress-interval", progressInterval);
    positive("ack-interval", ackInterval);
  }

  /** Reads and checks the block. */
  public static MemSpaceSettings from(Config root) {
    Config config = root.getConfig(PATH);
    LedgerSettings ledger = LedgerSettings.DEFAULT;
    return new MemSpaceSettings(
        bytes(config, "key-bytes-max"),
        bytes(config, "value-bytes-max"),
        bytes(config, "metadata-bytes-max"),
        config.getInt("batch-operations-max"),
        bytes(config, "batch-bytes-max"),
        config.getDuration("call-timeout"),
        config.getDuration("attempt-timeout"),
        config.getDuration("grant-lease"),
        config.getDuration("idle-timeout"),
        config.getInt("claims-max"),
        config.getInt("claimable-max"),
        config.getBytes("watch-ring-bytes"),
        config.getDuration("progress-interval"),
        config.getDuration("ack-interval"),
        config.getBytes("cache-bytes"),
        new LedgerSettings(
            config.getInt("commit-commands-max"),
            config.getBytes("commit-bytes-max"),
            config.getInt("queue-commands-max"),
            config.getBytes("queue-bytes-max"),
            ledger.headCacheEntries(),
            ledger.headCacheBytes(),
            config.getDuration("request-window"),
            config.getInt("requests-max"),
            config.getDuration("settle-timeout"),
            ledger.resendDelay(),
            ledger.anchorEvery()));
  }

  private static int bytes(Config config, String key) {
    long value = config.getBytes(key);
    atLeast(key, value, 0, Integer.MAX_VALUE);
    return (int) value;
  }

  private static void atLeast(String key, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s.%s is [%d]; it must be %d to %d".formatted(PATH, key, value, min, max));
    }
  }

  private static void positive(String key, Duration value) {
    if (value.isNegative() || value.isZero()) {
      throw new IllegalArgumentException(
          "%s.%s is [%s]; it must be longer than 0".formatted(PATH, key, value));
    }
  }
}
