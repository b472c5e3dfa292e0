package io.nucleusmem.persistence;

import com.typesafe.config.Config;
import io.nucleusmem.store.KvStore;

/** The block {@code nucleusmem.journal}; its keys are explained in reference.conf. */
record JournalSettings(
    long atomicWriteBytesMax, int replayPageRowsMax, long replayPageBytes, int deleteRowsMax) {

  static final String PATH = "nucleusmem.journal";
  static final String ATOMIC_WRITE_BYTES_MAX_PATH = PATH + ".atomic-write-bytes-max";

  /** What conditions and keys may add to the events of a commit. */
  private static final long RESERVED_BYTES = 2L * KvStore.KEY_BYTES_MAX;

  JournalSettings {
    Settings.check(
        ATOMIC_WRITE_BYTES_MAX_PATH,
        atomicWriteBytesMax,
        16_384,
        KvStore.BATCH_BYTES_MAX - RESERVED_BYTES);
    Settings.check(PATH + ".replay-page-rows-max", replayPageRowsMax, 1, KvStore.SCAN_ROWS_MAX);
    Settings.check(PATH + ".replay-page-bytes", replayPageBytes, 1, Integer.MAX_VALUE);
    Settings.check(PATH + ".delete-rows-max", deleteRowsMax, 1, 3_000); // with keys of any length
  }

  static JournalSettings from(Config config) {
    return new JournalSettings(
        config.getBytes("atomic-write-bytes-max"),
        config.getInt("replay-page-rows-max"),
        config.getBytes("replay-page-bytes"),
        config.getInt("delete-rows-max"));
  }
}
